// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"fmt"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// crowd is more shoppers inside than ends can be carried out at a time, each with a call for help.
func crowd(h *house, n *node) (visitors []*visitor, alerts []string) {
	h.Helper()
	for i := range 2*tracking.EnderWorkers + 4 {
		v := h.shopper(fmt.Sprint("shopper ", i), "assist").open(n)
		v.at(desk())
		visitors = append(visitors, v)
	}
	h.pass(time.Second)
	for _, v := range visitors {
		if r := v.at(desk()); !r.Accepted {
			h.Fatalf("not inside: %+v", r)
		}
		alerts = append(alerts, v.help())
	}
	h.pass(time.Second)
	return visitors, alerts
}

// The ledger commits nothing, or does not even answer, while many visits end at once: every position is
// gone at once all the same. Once it is back, every end is committed.
func TestManyEndsWithoutTheLedger(t *testing.T) {
	cases := map[string]func(h *house, n *node) (back func()){
		"it refuses": func(_ *house, n *node) func() {
			n.ledger.fail("end")
			return func() { n.ledger.around("end", nil) }
		},
		"it hangs": func(h *house, n *node) func() {
			release := n.ledger.block("end")
			h.Cleanup(release)
			return release
		},
	}
	for name, away := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(h *house) {
				s := newScene(h)
				visitors, alerts := crowd(h, s.n)
				back := away(h, s.n)
				for _, v := range visitors {
					v.Bye()
				}
				h.pass(20 * time.Millisecond) // long before a purge is repeated
				for i, v := range visitors {
					equal(h, "position", string(v.payload()), "")
					equal(h, "tombstone", v.tombstone(), true)
					equal(h, "committed", h.alert(alerts[i]).State, tracking.Raised)
				}
				back()
				h.pass(tracking.EndRetryMax)
				for _, id := range alerts {
					equal(h, "the alert", h.alert(id).State, tracking.Gone)
				}
			})
		})
	}
}

// What waits behind ends that are refused is done meanwhile: here, the closing entry of a look.
func TestEndsThatAreRefusedHoldUpNothingElse(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		visitors, alerts := crowd(h, s.n)
		s.n.ledger.fail("end")
		for _, v := range visitors {
			v.Bye()
		}
		h.pass(time.Second)
		equal(h, "closed before", h.log.find(0, "journal", "close"), -1)
		s.mei.LookAway(s.alert)
		h.pass(50 * time.Millisecond)
		s.viewClosed()
		if tried := s.n.Stats.EndRetried.Load(); tried < int64(2*len(visitors)) {
			t.Fatalf("%d ends were tried %d times", len(visitors), tried)
		}
		h.pass(30 * time.Second) // no end is given up, and none waits for longer than the longest pause
		s.n.ledger.around("end", nil)
		h.pass(tracking.EndRetryMax)
		for _, id := range alerts {
			equal(h, "the alert", h.alert(id).State, tracking.Gone)
		}
	})
}

// The live state hangs while a dozen shoppers fall silent, each of whose visits it has to be asked for. Whoever leaves meanwhile has
// left as soon as ever.
func TestAHangingLiveStateHoldsUpNoEnd(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		for i := range tracking.EnderWorkers + 4 {
			h.shopper(fmt.Sprint("silent ", i), "assist").enter(s.n)
		}
		h.Cleanup(s.n.live.block("owners"))
		s.n.live.around("publish", func(func() error) error {
			<-time.After(200 * time.Millisecond)
			return errTapped
		})
		for range 34 {
			h.pass(time.Second)
			s.v.at(desk())
		}
		equal(h, "sessions left", s.n.Sessions(), 1)
		s.v.Bye()
		h.pass(time.Second)
		s.isOver(consent.Bye, false)
	})
}
