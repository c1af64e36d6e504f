// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking"
)

// scene is a shopper inside who has called for help, and whom somebody looks at.
type scene struct {
	*house
	n        *node
	mei, lea *screen // lea is on duty in the other store
	ana      *shopper
	v        *visitor
	alert    string
}

func newScene(h *house) *scene {
	h.Helper()
	s := &scene{house: h, n: h.start("a")}
	s.mei, s.lea = h.join(s.n, shop, "mei"), h.join(s.n, annex, "lea")
	s.ana = h.shopper("ana", "assist")
	s.v = s.ana.enter(s.n)
	s.alert = s.v.help()
	s.mei.claim(s.n, s.alert)
	h.pass(2 * time.Second)
	h.ok(s.mei.Look(h.Context(), s.alert))
	s.v.at(frame().LatLng(1, 1))
	h.pass(time.Second)
	if len(s.mei.got("position")) == 0 {
		h.Fatal("the claimer sees no position")
	}
	return s
}

func (s *scene) end(kind consent.EndKind) tracking.Answer {
	s.Helper()
	return must(s.n.End(s.Context(), s.ana.stop(kind)))(s.house)
}

func TestEveryWayOfEnding(t *testing.T) {
	cases := map[string]struct {
		end    func(s *scene)
		reason consent.Reason
		stays  bool // the request outlives the visit, without a location
	}{
		"the fence": {func(s *scene) {
			s.pass(20 * time.Second)
			s.v.at(away(120))
		}, consent.Reason(geofence.LeftStore), false},
		"the fence, confirmed by time": {func(s *scene) {
			s.pass(10 * time.Second)
			s.v.at(away(30))
			s.pass(11 * time.Second)
		}, consent.Reason(geofence.LeftStore), false},
		"the phone's word": {func(s *scene) { s.v.Outside("far", s.v.seq+1) }, consent.Reason(geofence.PhoneSays), false},
		"goodbye":          {func(s *scene) { s.v.Bye() }, consent.Bye, false},
		"silence":          {func(s *scene) { s.pass(31 * time.Second) }, consent.Reason(geofence.Silent), true},
		"the purpose":      {func(s *scene) { s.end(consent.EndGrant) }, consent.Withdrawn, false},
		"the store":        {func(s *scene) { s.end(consent.EndStore) }, consent.Withdrawn, false},
		"everything":       {func(s *scene) { s.end(consent.EndAll) }, consent.Withdrawn, false},
		"a refusal later on": {func(s *scene) {
			d := s.ana.grant("assist", consent.No)
			must(s.n.CarryOut(s.Context(), *d.Ended))(s.house)
		}, consent.Withdrawn, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(h *house) {
				s := newScene(h)
				c.end(s)
				h.pass(100 * time.Millisecond)
				s.isOver(c.reason, c.stays)
			})
		})
	}
}

func TestAGrantThatExpires(t *testing.T) {
	inBubble(t, func(h *house) {
		ana := h.shopper("ana")
		d := ana.grant("assist", consent.ThisVisit)
		h.pass(d.Grant.ExpiresAt.Sub(h.clock.Now()) - 15*time.Second) // nothing runs yet
		s := &scene{house: h, n: h.start("a"), ana: ana}
		s.mei, s.lea = h.join(s.n, shop, "mei"), h.join(s.n, annex, "lea")
		s.v = ana.enter(s.n)
		s.alert = must(s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: s.v.hid, Kind: tracking.Waiting, Purpose: "assist"}))(h).ID
		s.mei.claim(s.n, s.alert)
		h.ok(s.mei.Look(h.Context(), s.alert))
		h.pass(16 * time.Second)
		s.isOver(consent.Expired, false)
	})
}

// A request that has outlived its visit is taken off the screens by a withdrawal later on.
func TestAWithdrawalTakesARequestThatHadOutlivedItsVisit(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		h.pass(31 * time.Second)
		equal(h, "on screen", lastPresence(s.mei, s.alert), "off")
		release := s.mei.hold()
		s.mei.Beat(1) // is being written
		h.pass(time.Millisecond)
		must(s.n.Act(h.Context(), shop, s.alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}}))(h) // is queued
		h.pass(time.Millisecond)
		go func() {
			<-time.After(50 * time.Millisecond) // in time, so that the console is not cut
			release()
		}()
		a := s.end(consent.EndStore)
		h.log.add("test", "answered")
		equal(h, "consoles", a.Consoles, 1)
		h.pass(time.Second)
		equal(h, "state", h.alert(s.alert).State, tracking.Gone)
		s.toldGone(s.mei, consent.Withdrawn)
		from := h.log.find(0, "test", "answered")
		for _, e := range h.log.all()[from:] {
			if e.frame != nil && mentions(e.frame, s.alert) {
				t.Fatalf("after the answer: %v", e.frame)
			}
		}
		for _, f := range s.mei.got("alert") {
			if f["alert"].(map[string]any)["version"].(float64) == 4 {
				t.Fatalf("the queued frame was written: %v", f)
			}
		}
	})
}

// The end of one purpose re-stamps the other; the app comes back under a new pseudonym, and what was of the
// old one is invisible.
func TestGrantingAgainShowsNothingOld(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		old := s.v
		s.end(consent.EndGrant)
		s.ana.grant("assist", consent.ForATerm)
		v := s.ana.open(s.n)
		if v.hid == old.hid {
			t.Fatal("the pseudonym is not fresh")
		}
		if tracking.Word(v.hid) == tracking.Word(old.hid) {
			t.Log("the words are equal by chance")
		}
		h.pass(time.Second)
		equal(h, "the new visit's position", string(v.payload()), "")
		equal(h, "the old visit's position", string(old.payload()), "")
		old.at(desk())
		h.pass(time.Second)
		equal(h, "after a fix of the old connection", string(v.payload()), "")
	})
}

// Another purpose was granted as well: the session that was open for it is asked to come back.
func TestAnEndThatLeavesThePurposeAsksForANewTicket(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.ana.grant("pickup", consent.ForATerm)
		r := s.ana.stop(consent.EndGrant)
		r.Purpose = "pickup"
		must(s.n.End(h.Context(), r))(h)
		equal(h, "state", s.v.phone.closed.State, tracking.StateSuspended)
		equal(h, "reason", s.v.phone.end(), consent.Reason("ticket"))
		again := s.ana.enter(s.n)
		equal(h, "back", again.phone.end(), consent.Reason(""))
	})
}
