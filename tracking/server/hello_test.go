// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// A socket begins with hello, within five seconds, and has one only; frames are text.
func TestHelloComesFirstAndOnce(t *testing.T) {
	hello := map[string]any{"type": "hello", "t": 1, "sdk": "test/1.0.0", "lang": "en", "fence": "x"}
	say := func(frames ...any) func(*handset) {
		return func(s *handset) {
			for _, f := range frames {
				s.say(f)
			}
		}
	}
	for name, c := range map[string]struct {
		say   func(*handset)
		code  int
		after time.Duration
	}{
		"nothing":          {say(), 4003, 5 * time.Second},
		"something else":   {say(map[string]any{"type": "bye"}), 4503, 0},
		"not a frame":      {say("hello"), 4503, 0},
		"hello again":      {say(hello, hello), 4503, 0},
		"a binary message": {func(s *handset) { _ = s.conn.WriteMessage(websocket.BinaryMessage, []byte("x")) }, 1003, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				h.onDuty()
				s, _, err := h.dialSession("doorstep.ticket." + h.granted("ana", 10*time.Minute).ticket())
				h.ok(err)
				start := time.Now()
				go s.listen()
				c.say(s)
				h.pass(7 * time.Second)
				code, at := s.closed()
				if took := at.Sub(start); code != c.code || took < c.after || took > c.after+time.Second {
					h.Fatalf("closed with %d after %v; want %d after %v", code, took, c.code, c.after)
				}
			})
		})
	}
}

// Without a lease the app is let go of, to come back: nothing it reports would be taken.
func TestWithoutALeaseTheAppIsLetGoOf(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		s := h.granted("ana", 10*time.Minute).session()
		s.enter()
		h.pass(time.Second)
		h.ledger.silent.Store(true)
		h.pass(1300 * time.Millisecond)
		s.fix(0, 0)
		h.pass(time.Millisecond)
		if code, _ := s.closed(); code != 4005 {
			h.Fatalf("closed with %d", code)
		}
	})
}

// A slow opening is not mistaken for a silent connection: the first word is the welcome, and no beat that knows
// of no lease yet.
func TestNoBeatBeforeTheWelcome(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		s, _, err := h.dialSession("doorstep.ticket." + h.granted("ana", 10*time.Minute).ticket())
		h.ok(err)
		go s.listen()
		h.pass(4900 * time.Millisecond)
		h.ledger.admits.Store(int64(4900 * time.Millisecond))
		s.say(map[string]any{"type": "hello", "t": 1, "sdk": "test/1.0.0", "lang": "en", "fence": h.index.Site().Version})
		h.pass(6 * time.Second)
		frames := s.got("")
		if len(frames) != 2 || frames[0]["type"] != "welcome" || frames[1]["type"] != "state" {
			h.Fatalf("heard %v", frames)
		}
	})
}
