// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// shownSince counts how often a screen was told, from a place in the log on, that an alert's shopper can
// be seen, or where.
func shownSince(h *house, from int, s *screen, alert string) (n int) {
	for _, e := range h.log.all()[from:] {
		if e.who != s.name || e.frame == nil || !mentions(e.frame, alert) {
			continue
		}
		if e.what == "live" || e.what == "position" || mentions(e.frame, "visible") {
			n++
		}
	}
	return n
}

// The blanking does not reach the live state, which can still be read. Hidden stays hidden on both nodes,
// and what is accepted afterwards is seen again, however far the phone's clock is off.
func TestHiddenStaysHiddenWithoutTheBlanking(t *testing.T) {
	for _, ahead := range []time.Duration{0, 4500 * time.Millisecond, -4500 * time.Millisecond} {
		t.Run(fmt.Sprint("a clock ahead by ", ahead), func(t *testing.T) { hiddenWithoutTheBlanking(t, ahead) })
	}
}

func hiddenWithoutTheBlanking(t *testing.T, ahead time.Duration) {
	inBubble(t, func(h *house) {
		s, _, kim := pair(h)
		s.v.ahead = ahead
		h.pass(5 * time.Second)
		s.v.at(desk())
		h.pass(2 * time.Second)
		equal(h, "at first, here", lastPresence(s.mei, s.alert), "visible")
		equal(h, "at first, there", lastPresence(kim, s.alert), "visible")
		s.n.live.fail("write")
		s.v.stepOut()
		h.pass(10 * time.Millisecond)
		from := len(h.log.all())
		for _, c := range []*screen{s.mei, kim} {
			equal(h, "hidden for "+c.name, lastPresence(c, s.alert), "hidden")
		}
		h.pass(5 * time.Second)
		if s.v.payload() == nil {
			t.Fatal("the blanking was written after all: this shows nothing")
		}
		for _, c := range []*screen{s.mei, kim} {
			equal(h, "shown to "+c.name, shownSince(h, from, c, s.alert), 0)
		}
		s.n.live.around("write", nil)
		s.comeBack()
		for _, c := range []*screen{s.mei, kim} {
			equal(h, "in the end, for "+c.name, lastPresence(c, s.alert), "visible")
		}
	})
}

// stepOut is the phone's word that the shopper is outside.
func (v *visitor) stepOut() {
	v.seq++
	v.Outside("out", v.seq)
}

// comeBack walks in again until the phone is told so.
func (s *scene) comeBack() {
	s.Helper()
	for range 2 {
		s.v.at(desk())
		s.pass(1200 * time.Millisecond)
	}
	equal(s.house, "state", s.v.phone.states[len(s.v.phone.states)-1], tracking.StateActive)
}

// The session's own node goes by the session, not by times: an alert that is raised while the visit is
// hidden has never been hidden itself.
func TestAnAlertRaisedWhileHiddenIsHidden(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.n.live.fail("write")
		s.v.stepOut()
		h.pass(time.Second)
		from := len(h.log.all())
		a := must(s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: s.v.hid, Kind: tracking.Called, Purpose: "assist"}))(h)
		h.pass(5 * time.Second)
		if s.v.payload() == nil {
			t.Fatal("the blanking was written after all: this shows nothing")
		}
		if len(s.mei.about(a.ID)) == 0 {
			t.Fatal("the console does not know of the alert")
		}
		equal(h, "shown", shownSince(h, from, s.mei, a.ID), 0)
	})
}

// A position that was on its way when the shopper was hidden is shown to nobody, whoever published it.
func TestAPositionOnItsWayWhenHidden(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _, kim := pair(h)
		s.v.stepOut()
		h.pass(10 * time.Millisecond)
		equal(h, "hidden", lastPresence(s.mei, s.alert), "hidden")
		from := len(h.log.all())
		s.publish(tracking.Position{T: 1, Lat: 54, Lng: 3, AccuracyM: 5})
		h.pass(2 * time.Second)
		for _, c := range []*screen{s.mei, kim} {
			equal(h, "shown to "+c.name, shownSince(h, from, c, s.alert), 0)
		}
		s.comeBack()
		from = len(h.log.all())
		s.publish(tracking.Position{T: 1, Lat: 54, Lng: 3, AccuracyM: 5})
		h.pass(time.Millisecond)
		equal(h, "shown, when visible", shownSince(h, from, s.mei, s.alert), 1)
	})
}

// publish shows a position of the visit on the store's channel, as a write does.
func (s *scene) publish(p tracking.Position) {
	s.Helper()
	position := tracking.AppendPosition(nil, p)
	b := tracking.AppendShownHead([]byte{tracking.ShownVersion}, s.v.hid, len(position))
	s.ok(s.live.Publish(s.Context(), shop, append(b, position...)))
}

// Staff are not left with a place that nobody can confirm: where the live state cannot be read, everybody is hidden after
// two readings that failed, for a console that comes meanwhile as well, and shown again by the first that does not.
func TestNobodyIsShownWithoutTheLiveState(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		equal(h, "on screen at first", lastPresence(s.mei, s.alert), "visible")
		s.n.live.fail("read")
		for range 4 {
			h.pass(time.Second)
			s.v.at(desk())
		}
		equal(h, "on screen", lastPresence(s.mei, s.alert), "hidden")
		kim := h.join(s.n, shop, "kim")
		h.pass(time.Second)
		equal(h, "on the screen of who comes", lastPresence(kim, s.alert), "hidden")
		from := len(h.log.all())
		s.v.at(desk())
		h.pass(time.Second)
		equal(h, "positions", shownSince(h, from, s.mei, s.alert), 0)
		s.n.live.around("read", nil)
		h.pass(2 * time.Second)
		equal(h, "on screen again", lastPresence(s.mei, s.alert), "visible")
	})
}

// A phone is not left to believe that staff can see it. What the live state does not take for a moment is no matter; once nothing
// of anybody can be left there, phones are let go of, and what they come back to says that nobody can be helped now.
func TestPhonesAreLetGoWithoutTheLiveState(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		stay := func(seconds int) {
			for range seconds {
				s.v.at(desk())
				h.pass(time.Second)
			}
		}
		s.n.live.fail("write")
		stay(25)
		equal(h, "the phone's reason, after 25 s", s.v.phone.end(), consent.Reason(""))
		s.n.live.around("write", nil)
		stay(10)
		s.n.live.fail("write")
		s.n.live.fail("register")
		stay(25)
		equal(h, "the phone's reason, after 25 s anew", s.v.phone.end(), consent.Reason(""))
		stay(8)
		equal(h, "the phone's reason", s.v.phone.end(), consent.Reason("unavailable"))
		equal(h, "the state", s.v.phone.closed.State, tracking.StateSuspended)
		if _, err := s.n.Open(h.Context(), s.ana.opening(), &phone{log: h.log}); !errors.Is(err, tracking.ErrUnavailable) {
			t.Errorf("opened meanwhile: %v", err)
		}
		s.n.live.around("write", nil)
		s.n.live.around("register", nil)
		h.pass(time.Second)
		equal(h, "the visit, once the live state is back", s.ana.enter(s.n).hid, s.v.hid)
	})
}
