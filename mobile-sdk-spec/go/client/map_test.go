// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"net/http"
	"runtime"
	"testing"
)

// heardFrames has a peer pass on the first hello, whatever the socket hears after it, and say a map first.
func heardFrames(p *peer, said string) <-chan map[string]any {
	got := make(chan map[string]any, 16)
	p.script = func(c *conn) {
		got <- c.hello
		if said != "" {
			c.say("%s", said)
		}
		for f := c.next(); f != nil; f = c.next() {
			got <- f
		}
	}
	return got
}

const announced = `{"type":"map","fence":"v2","url":"/v1/stores/s/fences/v2","by":1}`

// A fix is dropped that another map than the session's found inside, and one fetch tells the app which it is.
func TestAFixIsJudgedByTheMapOfTheSession(t *testing.T) {
	p := newPeer(t)
	fetches := 0
	p.on("GET /v1/stores/s/fences/v2", func(w http.ResponseWriter, _ *http.Request) {
		fetches++
		p.answer(w, `{"store":"s","name":"S","version":"v2","levels":[{"ordinal":0,"name":"G","boundary":[[[[3,54],[4,54],[4,55],[3,54]]]]}]}`)
	})
	got := heardFrames(p, announced)
	s := p.connect(p.client())
	<-got
	if m := await[MapChange](t, s); m.Map == nil || m.Map.Version != "v2" || s.Fence() != "v2" || fetches != 1 {
		t.Errorf("told of %+v after %d fetches; the session goes by %s", m, fetches, s.Fence())
	}
	if f := <-got; f["type"] != "map_ok" {
		t.Errorf("got %v", f)
	}
	fix := Fix{Lat: 54, Lng: 3, AccuracyM: 5, Fence: "v1"}
	if err := s.Fix(fix); !errors.Is(err, ErrHeld) {
		t.Errorf("a fix that the map before judged: %v", err)
	}
	fix.Fence = "v2"
	if err := s.Fix(fix); err != nil {
		t.Error(err)
	}
	if f := <-got; f["type"] != "fix" || f["seq"] != 1.0 {
		t.Errorf("got %v", f)
	}
}

// A fix that waits while map_ok goes out was judged by the map before, and is dropped.
func TestAFixThatWaitedForANewMapIsDropped(t *testing.T) {
	p := newPeer(t)
	got := heardFrames(p, "")
	s := p.connect(p.client())
	<-got
	s.wmu.Lock() // the network is stuck
	wrote := make(chan error, 1)
	go func() { wrote <- s.Fix(Fix{Lat: 54, Lng: 3, AccuracyM: 5, Fence: "v1"}) }()
	for !isBusy(s) {
		runtime.Gosched()
	}
	s.mu.Lock()
	s.fence = "v2"
	s.mu.Unlock()
	s.wmu.Unlock()
	if err := <-wrote; !errors.Is(err, ErrHeld) {
		t.Errorf("got %v", err)
	}
}

// Who comes back names the map that it holds: the new one if that was fetched, and else the one before.
func TestResumeNamesTheMapThatIsHere(t *testing.T) {
	for version, status := range map[string]int{"v1": http.StatusServiceUnavailable, "v2": http.StatusOK} {
		p := newPeer(t)
		asked := make(chan struct{}, 2)
		p.on("GET /v1/stores/s/fences/v2", func(w http.ResponseWriter, _ *http.Request) {
			asked <- struct{}{}
			if status != http.StatusOK {
				p.problem(w, status, "unavailable", 0)
				return
			}
			p.answer(w, `{"store":"s","name":"S","version":"v2","levels":[{"ordinal":0,"name":"G","boundary":[[[[3,54],[4,54],[4,55],[3,54]]]]}]}`)
		})
		got := heardFrames(p, announced)
		s := p.connect(p.client())
		<-got
		<-asked
		if status == http.StatusOK {
			await[MapChange](t, s)
			<-got
		}
		s.Kill()
		closedOf(t, s)
		again, err := s.Resume(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if hello := <-got; hello["fence"] != version || hello["resume"] != "again" {
			t.Errorf("the fetch was answered with %d: hello says %v", status, hello)
		}
		again.Kill()
		closedOf(t, again)
	}
}

// A welcome that names another map holds fixes until that is here: the frame that says where follows.
func TestAWelcomeOfAnotherMapHoldsFixes(t *testing.T) {
	p := newPeer(t)
	p.script = (*conn).drain
	s, err := p.client().ConnectWith(t.Context(), "s", "v0", []string{"assist"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Kill(); closedOf(t, s) })
	if err := s.Fix(Fix{Lat: 54, Lng: 3, AccuracyM: 5}); !errors.Is(err, ErrHeld) {
		t.Errorf("a fix before the map that the welcome names: %v", err)
	}
}
