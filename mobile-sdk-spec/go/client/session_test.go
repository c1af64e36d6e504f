// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestConnectGreets(t *testing.T) {
	p := newPeer(t)
	p.now = func() time.Time { return time.Now().Add(time.Hour) }
	offered := make(chan string, 1)
	p.script = func(c *conn) { offered <- c.offer; c.drain() }
	c := p.client()
	s := p.connect(c)
	if w := s.Welcome(); w.Word != "Maple ▲ green" || w.LeaseMS != 30000 || len(w.Purposes) != 1 {
		t.Errorf("welcome = %+v", w)
	}
	if got := <-offered; got != "doorstep.ticket.dGlja2V0" {
		t.Errorf("offered %q", got)
	}
	if off := time.Until(c.Now()); off < 59*time.Minute || off > 61*time.Minute {
		t.Errorf("the clock is %v ahead, want an hour", off)
	}
}

func TestFramesFitTheirSchemas(t *testing.T) {
	p := newPeer(t)
	got := make(chan map[string]any, 16)
	p.script = func(c *conn) {
		for f := c.next(); f != nil; f = c.next() {
			got <- f
		}
	}
	s := p.connect(p.client())
	level, speed, heading := 1, 1.2, 270.0
	fixes := []Fix{
		{Lat: 54.0001, Lng: 3.0001, AccuracyM: 8},
		{Lat: 54.0001, Lng: 3.0001, AccuracyM: 8, Basis: "p95", Level: &level, SpeedMPS: &speed, HeadingDeg: &heading, Source: "web", Mocked: true, Pocket: true, Imprecise: true},
	}
	for _, f := range fixes {
		if err := s.Fix(f); err != nil {
			t.Fatal(err)
		}
	}
	errOutside := s.Outside("out")
	_, errHelp := s.Help("fitting", true)
	_, errCheckin := s.Checkin("pickup", "A-1042")
	if err := errors.Join(errOutside, errHelp, errCheckin, s.Pause("user")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"fix", "fix", "outside", "help", "checkin", "pause"} {
		f := <-got
		if f["type"] != want {
			t.Errorf("frame %d is a %v, want %s", i, f["type"], want)
		}
		if i < 3 && f["seq"] != float64(i+1) {
			t.Errorf("frame %d has number %v", i, f["seq"])
		}
	}
}

func TestEveryCloseSaysWhatToDo(t *testing.T) {
	for _, c := range []struct {
		code    int
		retry   bool
		restart string
	}{{4001, true, ""}, {4500, false, "decision"}, {4501, false, "user"}, {4600, false, "update"}} {
		p := newPeer(t)
		p.script = func(k *conn) {
			k.say(`{"type":"state","t":1,"state":"ended","reason":"why","code":%d}`, c.code)
			k.end(c.code)
		}
		s := p.connect(p.client())
		got := closedOf(t, s)
		want := Closed{Code: c.code, Retry: c.retry, Restart: c.restart, Reason: "why"}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if err := s.Fix(Fix{Lat: 54, Lng: 3, AccuracyM: 5}); !errors.Is(err, ErrClosed) {
			t.Errorf("a fix after the close: %v", err)
		}
	}
}

func TestARefusedWelcomeIsACloseError(t *testing.T) {
	p := newPeer(t)
	p.refuse = 4508
	_, err := p.client().Connect(t.Context(), "s", []string{"assist"})
	var e *CloseError
	if !errors.As(err, &e) || e.Code != 4508 || e.Retry || e.Restart != "opens" || e.Reason != "because" {
		t.Errorf("got %v", err)
	}
}

func TestARefusedTicketIsAProblem(t *testing.T) {
	p := newPeer(t)
	p.on("POST /v1/tickets", func(w http.ResponseWriter, _ *http.Request) { p.problem(w, 409, "nobody_on_duty", 60000) })
	_, err := p.client().Connect(t.Context(), "s", []string{"assist"})
	var e *Problem
	if !errors.As(err, &e) || e.Code != "nobody_on_duty" || e.Status != 409 || e.RetryMS != 60000 {
		t.Errorf("got %v", err)
	}
}

func TestAnEndStopsLocationBeforeTheClose(t *testing.T) {
	p := newPeer(t)
	p.script = func(c *conn) {
		c.say(`{"type":"state","t":1,"state":"ended","reason":"left_store","code":4501,"restart":"user"}`)
		c.drain()
	}
	s := p.connect(p.client())
	await[State](t, s)
	if err := s.Fix(Fix{Lat: 54, Lng: 3, AccuracyM: 5}); !errors.Is(err, ErrClosed) {
		t.Errorf("a fix after the end: %v", err)
	}
	if s.State().Reason != "left_store" {
		t.Errorf("state = %+v", s.State())
	}
}

func TestByeAndKill(t *testing.T) {
	t.Run("bye", func(t *testing.T) {
		p := newPeer(t)
		p.script = func(c *conn) {
			if f := c.next(); f["type"] != "bye" {
				t.Errorf("got %v", f)
			}
			c.end(1000)
		}
		s := p.connect(p.client())
		if err := s.Bye(); err != nil {
			t.Fatal(err)
		}
		if got := closedOf(t, s); got.Code != 1000 || got.Retry || !got.Local {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("kill", func(t *testing.T) {
		p := newPeer(t)
		saw := make(chan error, 1)
		p.script = func(c *conn) { _, _, err := c.ReadMessage(); saw <- err }
		s := p.connect(p.client())
		s.Kill()
		if got := closedOf(t, s); got.Code != 1006 || !got.Retry || !got.Local {
			t.Errorf("got %+v", got)
		}
		if err := <-saw; !websocket.IsUnexpectedCloseError(err) || !websocket.IsCloseError(err, 1006) {
			t.Errorf("the server saw %v, want a connection that broke off", err)
		}
	})
}

func TestSilenceCloses(t *testing.T) {
	p := newPeer(t)
	p.script = func(c *conn) {
		_ = c.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)) // a ping is not a word
		c.drain()
	}
	c := p.client()
	c.silence = 50 * time.Millisecond
	s := p.connect(c)
	if got := closedOf(t, s); got.Code != 1006 || !got.Retry {
		t.Errorf("got %+v", got)
	}
}

func TestResumeGoesOn(t *testing.T) {
	p := newPeer(t)
	first := make(chan map[string]any, 4)
	p.script = func(c *conn) {
		for f := c.next(); f != nil; f = c.next() {
			f["offer"] = c.offer
			first <- f
		}
	}
	s := p.connect(p.client())
	for range 3 {
		if err := s.Fix(Fix{Lat: 54, Lng: 3, AccuracyM: 5}); err != nil {
			t.Fatal(err)
		}
		<-first
	}
	s.Kill()
	closedOf(t, s)
	again, err := s.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Kill(); closedOf(t, again) })
	if !again.Welcome().Resumed {
		t.Error("not resumed")
	}
	if err := again.Fix(Fix{Lat: 54, Lng: 3, AccuracyM: 5}); err != nil {
		t.Fatal(err)
	}
	if f := <-first; f["seq"] != float64(4) || f["offer"] != "doorstep.resume.again" {
		t.Errorf("the numbers do not go on: %v", f)
	}
}

func TestUnknownFramesAreIgnored(t *testing.T) {
	p := newPeer(t)
	cases := vectorsOf[struct {
		Text   string
		Ignore bool
	}](t, "vectors/frames/out-unknown.json")
	p.script = func(c *conn) {
		for _, v := range cases {
			c.say("%s", v.Text)
		}
		c.end(1012)
	}
	s := p.connect(p.client())
	got := 0
	for e := range s.Events() {
		if _, last := e.(Closed); !last {
			got++
		}
	}
	want := 0
	for _, v := range cases {
		if !v.Ignore {
			want++
		}
	}
	if got != want {
		t.Errorf("%d events, want %d", got, want)
	}
}

func TestEveryKnownFrameIsAnEvent(t *testing.T) {
	p := newPeer(t)
	cases := vectorsOf[struct{ Name, Text string }](t, "vectors/frames/out-good.json")
	sent := 0
	p.script = func(c *conn) {
		for _, v := range cases {
			if strings.HasPrefix(v.Name, "welcome") || v.Name == "map" || v.Name == "auth_due" {
				continue // said already, or a question with a test of its own
			}
			c.say("%s", v.Text)
			sent++
		}
		c.end(1012)
	}
	s := p.connect(p.client())
	got := 0
	for range s.Events() {
		got++
	}
	if got != sent+1 {
		t.Errorf("%d events of %d frames and a close", got, sent)
	}
}

func TestAReaderThatSleepsStillHearsTheEnd(t *testing.T) {
	p := newPeer(t)
	p.script = func(c *conn) {
		for i := range 5 * eventsKept {
			c.say(`{"type":"ack","t":1,"seq":%d,"accepted_seq":0,"lease_until":0}`, i)
		}
		c.end(4500)
	}
	s := p.connect(p.client())
	<-s.done.Done() // the reader has finished before anybody listens
	if got := closedOf(t, s); got.Code != 4500 {
		t.Errorf("got %+v", got)
	}
}

func TestANewMapHoldsFixesUntilItIsHere(t *testing.T) {
	p := newPeer(t)
	release := make(chan struct{})
	fetched := make(chan struct{})
	p.on("GET /v1/stores/s/fences/v2", func(w http.ResponseWriter, _ *http.Request) {
		close(fetched)
		<-release
		p.answer(w, `{"store":"s","name":"S","version":"v2","levels":[{"ordinal":0,"name":"G","boundary":[[[[3,54],[4,54],[4,55],[3,54]]]]}]}`)
	})
	got := make(chan map[string]any, 4)
	p.script = func(c *conn) {
		c.say(`{"type":"map","fence":"v2","url":"/v1/stores/s/fences/v2","by":1}`)
		for f := c.next(); f != nil; f = c.next() {
			got <- f
		}
	}
	s := p.connect(p.client())
	<-fetched
	if err := s.Fix(Fix{Lat: 54, Lng: 3, AccuracyM: 5}); !errors.Is(err, ErrHeld) {
		t.Errorf("a fix meanwhile: %v", err)
	}
	close(release)
	if f := <-got; f["type"] != "map_ok" || f["fence"] != "v2" || f["seq"] != 1.0 {
		t.Errorf("got %v", f)
	}
}

func TestAuthDueIsAnswered(t *testing.T) {
	p := newPeer(t)
	got := make(chan map[string]any, 1)
	p.script = func(c *conn) {
		c.say(`{"type":"auth_due","by":1}`)
		got <- c.next()
		c.drain()
	}
	p.connect(p.client())
	if f := <-got; f["type"] != "auth" || f["ticket"] != "dGlja2V0" {
		t.Errorf("got %v", f)
	}
}

func TestTheClockIsMendedOnceThenStops(t *testing.T) {
	p := newPeer(t)
	asked := make(chan map[string]any, 1)
	second := make(chan struct{})
	p.script = func(c *conn) {
		c.say(`{"type":"error","code":"stale","scope":"frame","seq":1,"retryable":true,"retry_ms":0}`)
		asked <- c.next()
		<-second
		c.say(`{"type":"error","code":"stale","scope":"frame","seq":2,"retryable":true,"retry_ms":0}`)
		c.drain()
	}
	s := p.connect(p.client())
	if f := <-asked; f["type"] != "time" {
		t.Errorf("got %v, want a question for the time", f)
	}
	await[FrameError](t, s)
	close(second)
	await[FrameError](t, s)
	if err := s.Fix(Fix{Lat: 54, Lng: 3, AccuracyM: 5}); !errors.Is(err, ErrClock) {
		t.Errorf("a fix after two refusals: %v", err)
	}
}

func TestThrottleLengthensTheInterval(t *testing.T) {
	p := newPeer(t)
	p.script = func(c *conn) { c.say(`{"type":"throttle","min_ms":5000,"for_ms":60000}`); c.drain() }
	now := time.Now()
	s := p.connect(p.client(func(c *Config) { c.Now = func() time.Time { return now } }))
	await[Throttle](t, s)
	if got := s.MinInterval(); got != 5*time.Second {
		t.Errorf("got %v", got)
	}
}

func TestTheNewestFixWaitsAlone(t *testing.T) {
	p := newPeer(t)
	got := make(chan map[string]any, 8)
	p.script = func(c *conn) {
		for f := c.next(); f != nil; f = c.next() {
			got <- f
		}
	}
	s := p.connect(p.client())
	s.wmu.Lock() // the network is stuck
	wrote := make(chan error, 1)
	go func() { wrote <- s.Fix(Fix{Lat: 54.0001, Lng: 3, AccuracyM: 5}) }()
	for !isBusy(s) {
		runtime.Gosched()
	}
	for _, lat := range []float64{54.0002, 54.0003, 54.0004} {
		if err := s.Fix(Fix{Lat: lat, Lng: 3, AccuracyM: 5}); err != nil {
			t.Fatal(err)
		}
	}
	s.wmu.Unlock()
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	for i, lat := range []float64{54.0001, 54.0004} {
		if f := <-got; f["lat"] != lat || f["seq"] != float64(i+1) {
			t.Errorf("got %v, want %v", f, lat)
		}
	}
}

func isBusy(s *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy
}
