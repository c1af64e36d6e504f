// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
)

// app is an installation whose tickets a test can have, instead of the session that the client would open.
type app struct {
	*client.Client
	h    *house
	last *keep
}

// install is an app of a shopper's whose tokens live for ttl.
func (h *house) install(shopper string, ttl time.Duration) *app {
	h.Helper()
	key, err := client.NewKey()
	h.ok(err)
	return h.installWith(key, shopper, ttl)
}

// installWith is install on a phone that is there already.
func (h *house) installWith(key *client.Key, shopper string, ttl time.Duration) *app {
	h.Helper()
	last := &keep{RoundTripper: h.web.Transport}
	h.watch(shopper, key)
	nowhere := &websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errNowhere }}
	c, err := client.New(client.Config{BaseURL: h.url, Installation: key, HTTP: &http.Client{Transport: last}, Dialer: nowhere,
		Token: func(context.Context) (string, error) { return h.key.MintShopper(shopper, "app", "adult", ttl) }})
	h.ok(err)
	return &app{c, h, last}
}

var errNowhere = errors.New("this app opens no socket")

// granted is install, with a decision for the one purpose.
func (h *house) granted(shopper string, ttl time.Duration) *app {
	h.Helper()
	a := h.install(shopper, ttl)
	_, err := h.decide(a.Client, "term")
	h.ok(err)
	return a
}

// ticket asks for one.
func (a *app) ticket() string {
	a.h.Helper()
	return a.ticketFor("assist")
}

func (a *app) ticketFor(purposes ...string) string {
	a.h.Helper()
	var out struct{ Ticket string }
	if _, err := a.ConnectWith(a.h.Context(), demostore.ID, "x", purposes); !errors.Is(err, errNowhere) {
		a.h.Fatalf("no ticket: %v", err)
	}
	a.h.ok(json.Unmarshal(a.last.body, &out))
	return out.Ticket
}

// handset is the app's end of a socket in the test's own hands: it says and hears what the test wants.
type handset struct {
	h    *house
	conn *websocket.Conn
	seq  int64

	saying sync.Mutex // a connection takes one writer at a time

	mu     sync.Mutex
	frames []map[string]any
	code   int // what it was closed with, and when
	at     time.Time
}

// dialSession shakes hands, without a word after it. res is the answer of a refusal.
func (h *house) dialSession(credential string) (*handset, *http.Response, error) {
	d := websocket.Dialer{Subprotocols: []string{"doorstep.v1", credential}, NetDialContext: h.dial}
	conn, res, err := d.DialContext(h.Context(), "ws"+h.url[len("http"):]+"/v1/session", nil)
	if err != nil {
		return nil, res, err
	}
	h.Cleanup(func() { _ = conn.Close() })
	return &handset{h: h, conn: conn}, res, nil
}

// hello opens a session for a fence and hears the first two frames; what follows, only by listen.
func (h *house) hello(credential, fence string) *handset {
	h.Helper()
	s, _, err := h.dialSession(credential)
	h.ok(err)
	s.say(map[string]any{"type": "hello", "t": time.Now().UnixMilli(), "sdk": "test/1.0.0", "lang": "en", "fence": fence})
	for range 2 {
		if !s.hear() {
			break
		}
	}
	return s
}

// session opens one for this app and listens.
func (a *app) session() *handset {
	a.h.Helper()
	s := a.quiet()
	go s.listen()
	return s
}

// quiet opens a session that does not read what comes after the welcome.
func (a *app) quiet() *handset {
	a.h.Helper()
	s := a.h.hello("doorstep.ticket."+a.ticket(), a.h.index.Site().Version)
	if len(s.got("welcome")) != 1 {
		a.h.Fatalf("no welcome: %v, closed with %d", s.frames, s.code)
	}
	return s
}

// say sends one frame; several goroutines may. What the server no longer takes is seldom the test's concern.
func (s *handset) say(frame any) error {
	s.saying.Lock()
	defer s.saying.Unlock()
	return s.conn.WriteJSON(frame)
}

// hear takes in one frame; false when there are no more.
func (s *handset) hear() bool {
	var f map[string]any
	err := s.conn.ReadJSON(&f)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.frames = append(s.frames, f)
		return true
	}
	s.code, s.at = websocket.CloseAbnormalClosure, time.Now()
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		s.code = closed.Code
	}
	_ = s.conn.Close()
	return false
}

func (s *handset) listen() {
	for s.hear() {
	}
}

// got lists the frames of a type, or of any.
func (s *handset) got(kind string) (list []map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.frames {
		if kind == "" || f["type"] == kind {
			list = append(list, f)
		}
	}
	return list
}

// closed is the code that the socket was closed with, 0 while it is open, and when that was.
func (s *handset) closed() (code int, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code, s.at
}

// states lists what the app was told of where it stands.
func (s *handset) states() (list []string) {
	for _, f := range s.got("state") {
		list = append(list, f["state"].(string))
	}
	return list
}

func (s *handset) told(state string) bool { return slices.Contains(s.states(), state) }

// fix reports a place, in metres from the service desk.
func (s *handset) fix(x, y float64) {
	s.seq++
	at := s.h.index.Site().Frame().LatLng(x, y)
	s.say(map[string]any{"type": "fix", "seq": s.seq, "t": time.Now().UnixMilli(), "lat": at.Lat, "lng": at.Lng,
		"accuracy_m": 5, "app_state": "foreground", "precise": true})
}

// enter walks in. Only in a bubble.
func (s *handset) enter() {
	s.h.Helper()
	s.fix(0, 0)
	s.h.pass(time.Second)
	s.fix(0, 0)
}

// stay reports fixes for a while. Only in a bubble.
func (s *handset) stay(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		s.fix(0, 0)
		s.h.pass(min(5*time.Second, time.Until(end)))
	}
}

// pass lets time go by. Only in a bubble.
func (h *house) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// onDuty signs somebody on duty for as long as the test lasts. Only in a bubble.
func (h *house) onDuty() {
	h.Helper()
	conn, _, err := h.dialConsole(&peer{}, h.staff("desk", 8*time.Hour))
	h.ok(err)
	go readAll(conn, make(chan struct{}))
	go h.beat(conn)
	h.pass(time.Second)
}
