// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking"
)

// The wall clock is set back by an hour: to it the lease has an hour to go. Silence is silence.
func TestSilenceWhenTheWallClockIsSetBack(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.v.at(desk())
		last := h.clock.Boot()
		lease := time.Duration(s.n.Rules.LeaseMS) * time.Millisecond
		h.clock.skew.Store(int64(-time.Hour))
		h.pass(lease - time.Second)
		equal(h, "the phone's reason, within the lease", s.v.phone.end(), consent.Reason(""))
		h.until("over", func() bool { return s.v.phone.end() != "" })
		if took := h.clock.Boot() - last; took < lease || took > lease+2500*time.Millisecond {
			t.Fatalf("ended after %v", took)
		}
		h.pass(time.Second)
		equal(h, "the phone's reason", s.v.phone.end(), consent.Reason(geofence.Silent))
		equal(h, "sessions", s.n.Sessions(), 0)
		equal(h, "position", string(s.v.payload()), "")
		equal(h, "location off", h.alert(s.alert).Off, true)
		equal(h, "on screen", lastPresence(s.mei, s.alert), "off")
	})
}

func TestSilenceEndsWithinTheLease(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		v := h.shopper("ana", "assist").enter(n)
		h.pass(tracking.PositionLife - time.Second)
		equal(h, "too early", v.phone.end(), consent.Reason(""))
		h.pass(2 * time.Second)
		equal(h, "reason", v.phone.end(), consent.Reason(geofence.Silent))
		equal(h, "tombstone", v.tombstone(), true)
	})
}

func TestAVisitThatNeverGotInsideEnds(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		v := h.shopper("ana", "assist").open(n)
		for range 29 {
			h.pass(time.Second)
			v.at(away(30)) // outside, all the time
		}
		equal(h, "too early", v.phone.end(), consent.Reason(""))
		h.pass(3 * time.Second)
		equal(h, "reason", v.phone.end(), consent.Reason(geofence.Silent))
		equal(h, "sessions", n.Sessions(), 0)
		equal(h, "writes", len(n.live.writes(v.hid)), 0)
	})
}
