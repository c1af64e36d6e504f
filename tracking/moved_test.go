// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"fmt"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// A phone changes networks and comes back at another node, while its old socket is half open or has gone without a word. The
// visit goes on for as long as the shopper stays, whatever becomes of the session that was left behind: also if that had seen
// them outside last, and if no hint gets through.
func TestAVisitGoesOnAtAnotherNode(t *testing.T) {
	for _, attached := range []bool{false, true} {
		for _, outside := range []bool{false, true} {
			for _, hints := range []bool{true, false} {
				t.Run(fmt.Sprintf("attached %t, outside %t, hints %t", attached, outside, hints), func(t *testing.T) {
					inBubble(t, func(h *house) {
						s, b, kim := pair(h)
						h.pass(15 * time.Second)
						s.v.at(desk())
						h.pass(time.Second)
						if outside {
							s.v.at(away(15))
						}
						if !attached {
							s.v.Detach(s.v.phone)
						}
						if !hints {
							b.live.fail("publish")
							s.n.live.fail("publish")
						}
						v := s.ana.enter(b)
						equal(h, "the visit goes on", v.hid, s.v.hid)
						for i := range 60 {
							h.pass(time.Second)
							if r := v.at(desk()); !r.Accepted || v.phone.end() != "" {
								h.Fatalf("after %d s at the other node: %+v, the phone is told %q", i+1, r, v.phone.end())
							}
						}
						h.pass(time.Second)
						equal(h, "sessions left behind", s.n.Sessions(), 0)
						equal(h, "location off", h.alert(s.alert).Off, false)
						equal(h, "the request", h.alert(s.alert).State, tracking.Claimed)
						equal(h, "on screen", lastPresence(kim, s.alert), "visible")
						if attached && hints {
							equal(h, "what the old socket is told", s.v.phone.end(), consent.Replaced)
						}
						h.pass(40 * time.Second)
						equal(h, "the phone's reason, once it is silent there too", v.phone.end(), consent.Reason("silent"))
						equal(h, "location off", h.alert(s.alert).Off, true)
					})
				})
			}
		}
	}
}

// Whoever falls silent while nobody can say whose the visit is, is taken to have gone.
func TestSilenceEndsWithoutTheLiveState(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.n.live.fail("owners")
		h.pass(40 * time.Second)
		equal(h, "the phone's reason", s.v.phone.end(), consent.Reason("silent"))
		equal(h, "location off", h.alert(s.alert).Off, true)
	})
}

// Whoever looks at the node that the phone has left sees nothing before the phone is told where it is now, also while the old
// node has not heard that the visit is no longer its own.
func TestALookAtTheNodeThatWasLeft(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, _ := pair(h)
		s.mei.LookAway(s.alert)
		h.pass(5 * time.Second)
		b.live.fail("publish") // the word that the visit has moved is lost
		v := s.ana.enter(b)
		h.pass(2 * time.Second)
		equal(h, "sessions at the node that was left", s.n.Sessions(), 1)
		s.n.live.fail("publish") // and so is the first look, on its way to the phone
		from := len(s.mei.got("position"))
		h.ok(s.mei.Look(h.Context(), s.alert))
		h.pass(500 * time.Millisecond)
		v.at(desk())
		h.pass(500 * time.Millisecond)
		equal(h, "looks that the phone knows of", v.phone.looks(), 0)
		equal(h, "positions shown of a phone that has not been told", len(s.mei.got("position"))-from, 0)
		b.live.around("publish", nil)
		s.n.live.around("publish", nil)
		h.pass(2 * time.Second)
		v.at(desk())
		h.pass(time.Second)
		equal(h, "looks that the phone knows of, once hints get through", v.phone.looks(), 1)
		if len(s.mei.got("position")) == from {
			t.Error("nothing is shown of a phone that has been told")
		}
	})
}
