// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/mobile-sdk-spec/go/client"
)

// knock shakes hands at the app's socket and returns the answer's status, or the code it was closed with.
func (h *house) knock(header http.Header, protocols ...string) (status, code int) {
	h.Helper()
	d := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: time.Minute, NetDialContext: h.dial}
	conn, res, err := d.DialContext(h.Context(), "ws"+strings.TrimPrefix(h.url, "http")+"/v1/session", header)
	if err != nil {
		if res == nil {
			h.Fatal(err)
		}
		return res.StatusCode, 0
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	return res.StatusCode, readAll(conn, make(chan struct{}))
}

// Who may not come in at the app's socket: a strange page is answered where it can be read, everybody
// else by the code that the socket is closed with.
func TestTheAppsDoor(t *testing.T) {
	h := newHouse(t)
	if status, _ := h.knock(http.Header{"Origin": {"https://evil.example"}}, "doorstep.v1", "doorstep.ticket.x"); status != http.StatusForbidden {
		t.Errorf("a strange origin: %d", status)
	}
	if status, _ := h.knock(http.Header{"Origin": {"null"}}, "doorstep.v1", "doorstep.ticket.x"); status != http.StatusForbidden {
		t.Errorf("an opaque origin: %d", status)
	}
	if status, _ := h.knock(nil, "chat"); status != http.StatusBadRequest {
		t.Errorf("another protocol: %d", status)
	}
	for name, protocols := range map[string][]string{
		"no ticket":    {"doorstep.v1"},
		"an old lie":   {"doorstep.v1", "doorstep.ticket.AAAA"},
		"not a ticket": {"doorstep.v1", "doorstep.ticket." + strings.Repeat("x", 54)},
	} {
		if _, code := h.knock(nil, protocols...); code != 4502 && code != 4006 {
			t.Errorf("%s: closed with %d", name, code)
		}
	}
}

// What a frame may not hold is refused with its own code and its place, and the session goes on; what
// cannot be a frame ends it.
func TestFramesThatAreRefused(t *testing.T) {
	h := newHouse(t)
	h.attended()
	p := peer{}
	s := h.connect(h.app("shopper", h.web, h.dialer(&p.wire)))
	fix := func(seq int, more string) string {
		return fmt.Sprintf(`{"type":"fix","seq":%d,"t":%d,"lat":54,"lng":3,"accuracy_m":5,"precise":true,%s}`, seq, time.Now().UnixMilli(), more)
	}
	for i, c := range []struct{ text, code, field string }{
		{fix(1, `"app_state":"foreground","speed_mps":1.5`), "undeclared", "speed_mps"},
		{fix(2, `"app_state":"foreground","heading_deg":90`), "undeclared", "heading_deg"},
		{fix(3, `"app_state":"foreground","device_id":"x"`), "undeclared", "device_id"},
		{fix(4, `"app_state":"pocket"`), "background", "app_state"},
	} {
		h.ok(p.write(frame(opText|last, c.text)))
		if e := refusal(t, s); e.Code != c.code || e.Field != c.field {
			t.Errorf("frame %d: refused as %+v, want %s at %s", i+1, e, c.code, c.field)
		}
	}
	h.ok(p.write(frame(opText|last, `{"type":"bye","pad":"`+strings.Repeat("x", 2000)+`"}`)))
	for e := range s.Events() {
		if c, ok := e.(client.Closed); ok && c.Code != 1009 {
			t.Errorf("a frame of 2 KB was answered with %d", c.Code)
		}
	}
}

func refusal(t *testing.T, s *client.Session) client.FrameError {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case e, open := <-s.Events():
			if !open {
				t.Fatal("the session ended")
			}
			if e, ok := e.(client.FrameError); ok {
				return e
			}
		case <-limit:
			t.Fatal("no refusal came")
		}
	}
}
