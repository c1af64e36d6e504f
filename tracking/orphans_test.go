// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
)

// Nobody owns the visit any more, and no app comes back: what was asked for is not left on the screens as
// if there were somebody to go to.
func TestAVisitThatNobodyOwns(t *testing.T) {
	cases := map[string]func(s *scene){
		"its node stopped":      func(s *scene) { s.n.stop() },
		"its node let go of it": func(s *scene) { s.ok(s.ledger.Leave(s.Context(), "a")) },
	}
	for name, letGo := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(h *house) {
				s, _, kim := pair(h)
				arrival := uuid.NewString()
				h.ok(s.v.Ask(h.Context(), tracking.Alert{ID: arrival, Kind: tracking.Arrived, Ref: "B1"}))
				s.v.at(desk())
				h.pass(time.Second)
				letGo(s)
				h.pass(tracking.PollEvery)
				equal(h, "state: the visit has not ended", s.v.phone.closed.State, tracking.StateSuspended)
				h.pass(tracking.PositionLife - 5*time.Second)
				equal(h, "location off, too soon", h.alert(s.alert).Off, false)
				equal(h, "the arrival, too soon", h.alert(arrival).State, tracking.Raised)
				h.pass(25 * time.Second) // its position has expired, and has not been missing for as long again
				equal(h, "the position", string(s.v.payload()), "")
				equal(h, "location off, too soon", h.alert(s.alert).Off, false)
				h.pass(tracking.PositionLife - 20*time.Second + 11*time.Second) // it is looked for every five seconds
				equal(h, "the position", string(s.v.payload()), "")
				equal(h, "the request", h.alert(s.alert).State, tracking.Claimed)
				equal(h, "location off", h.alert(s.alert).Off, true)
				equal(h, "the arrival", h.alert(arrival).State, tracking.Gone)
				equal(h, "on screen", lastPresence(kim, s.alert), "off")
				equal(h, "the arrival on screen", lastPresence(kim, arrival), "gone")
				if v := s.ana.open(s.anywhere()); v.hid == s.v.hid {
					t.Fatal("whoever comes back later goes on with the visit that was ended")
				}
			})
		})
	}
}

// anywhere is a node of its own, with somebody on duty.
func (s *scene) anywhere() *node {
	s.Helper()
	n := s.start("c")
	s.join(n, shop, "lou")
	return n
}

// An app that comes back to another node is not ended behind its back, even if no position of it is written: it is let go of, comes
// back each time, and its visit goes on.
func TestAVisitThatIsTakenUpAgainIsNoOrphan(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, kim := pair(h)
		s.n.stop()
		h.pass(20 * time.Second)
		v := s.ana.enter(b)
		equal(h, "the visit goes on", v.hid, s.v.hid)
		stay := func() (returns int) {
			for range 10 {
				h.pass(10 * time.Second)
				if v.phone.end() != "" {
					equal(h, "the phone's reason", v.phone.end(), consent.Reason("unavailable"))
					v = s.ana.open(b)
					equal(h, "the visit goes on", v.hid, s.v.hid)
					returns++
				}
				v.at(desk())
				equal(h, "location off", h.alert(s.alert).Off, false)
			}
			return returns
		}
		b.live.fail("write")
		if n := stay(); n < 2 || n > 3 {
			t.Errorf("the app was let go of %d times in 100 s", n)
		}
		equal(h, "position", string(v.payload()), "")
		b.live.around("write", nil)
		v = s.ana.enter(b) // the registration has run out
		equal(h, "returns, once positions are written again", stay(), 0)
		equal(h, "on screen", lastPresence(kim, s.alert), "visible")
	})
}

// Somebody who calls for help from a fitting room has no position for as long as they stay there. The node that they are
// connected to is not the only one to look after the store, and none of the others ends their visit.
func TestAVisitWithoutAPositionIsNoOrphanOfAnotherNode(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _, kim := pair(h)
		for range 30 {
			if r := s.v.onLevel(fittingRoom, 1, true); !r.Accepted {
				h.Fatalf("not accepted: %+v", r)
			}
			h.pass(10 * time.Second)
		}
		equal(h, "position", string(s.v.payload()), "")
		equal(h, "the phone's reason", s.v.phone.end(), consent.Reason(""))
		equal(h, "location off", h.alert(s.alert).Off, false)
		s.v.at(desk())
		h.pass(2 * time.Second)
		equal(h, "on screen", lastPresence(kim, s.alert), "visible")
	})
}
