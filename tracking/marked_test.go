// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// Before a withdrawal is answered, what is outside the ledger knows of it: a copy from before it is refused from then on.
func TestAnEndIsMarkedBeforeTheAnswer(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.n.ledger.fail("remember")
		r := s.ana.stop(consent.EndStore)
		if _, err := s.n.End(h.Context(), r); !errors.Is(err, tracking.ErrNotComplete) {
			h.Fatalf("answered %v without a mark", err)
		}
		equal(h, "the phone's reason", s.v.phone.end(), consent.Withdrawn)
		equal(h, "not marked", s.n.Stats.Unmarked.Load(), 1)
		s.n.ledger.around("remember", nil)
		a, _, err := s.stopAt(s.n, r)
		h.ok(err)
		marked, answered := h.log.find(0, "mark", strconv.FormatInt(a.Ending.Change, 10)), h.log.find(0, "test", "answered")
		if marked < 0 || marked > answered {
			h.Errorf("marked at %d, answered at %d", marked, answered)
		}
	})
}

// An end that nobody asked for is marked before anybody is told that the visit is gone; a mark that cannot be raised
// holds nobody up.
func TestAnEndByItselfIsMarked(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.v.Bye()
		h.until("gone", func() bool { return len(s.mei.got("gone")) == 1 })
		marked, gone := h.log.find(0, "mark", ""), h.log.find(0, "mei", "gone")
		if marked < 0 || marked > gone {
			h.Errorf("marked at %d, gone at %d", marked, gone)
		}
		ben := h.shopper("ben", "assist").enter(s.n)
		ben.help()
		h.pass(time.Second)
		release := s.n.ledger.block("remember")
		h.Cleanup(release)
		ben.Bye()
		h.until("gone", func() bool { return len(s.mei.got("gone")) == 2 })
	})
}
