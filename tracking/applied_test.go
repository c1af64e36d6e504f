// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"sync"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// The same end is asked for twice at once, while a console is slow to be told: neither is answered before it
// has been, or is cut.
func TestTheSameEndTwiceAtOnce(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		release := s.mei.hold()
		s.mei.Beat(1) // is being written
		h.pass(time.Millisecond)
		r := s.ana.stop(consent.EndStore)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				a, err := s.n.End(h.Context(), r)
				h.log.add("test", "answered")
				if err != nil || a.Consoles != 1 {
					h.Errorf("answered for %d consoles, %v", a.Consoles, err)
				}
			})
		}
		h.pass(100 * time.Millisecond)
		equal(h, "answered before the console was told", h.log.find(0, "test", "answered"), -1)
		release()
		both.Wait()
		gone, answered := h.log.find(0, "mei", "gone"), h.log.find(0, "test", "answered")
		if gone < 0 || answered < gone {
			h.Fatalf("gone at %d, answered at %d", gone, answered)
		}
	})
}

// A session has one connection, the newest: the one before is told so and has no say any more. One that is over
// takes none.
func TestConnectionsOfASession(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		second := &phone{log: h.log}
		h.ok(s.v.Attach(second))
		equal(h, "the first connection", s.v.phone.end(), consent.Replaced)
		s.v.Detach(s.v.phone) // it notices only now
		s.v.stepOut()
		equal(h, "what the second was told", len(second.states), 1)
		s.end(consent.EndStore)
		equal(h, "the second connection", second.end(), consent.Withdrawn)
		third := &phone{log: h.log}
		if err := s.v.Attach(third); err != tracking.ErrOver {
			h.Fatalf("attached to what is over: %v", err)
		}
		equal(h, "the third connection", third.end(), consent.Reason(""))
	})
}
