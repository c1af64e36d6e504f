// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"strings"
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

// isOver checks what must be true after any end, and stays true.
func (s *scene) isOver(reason consent.Reason, stays bool) {
	s.Helper()
	equal(s.house, "the phone's reason", s.v.phone.end(), reason)
	equal(s.house, "state", s.v.phone.closed.State, tracking.StateEnded)
	equal(s.house, "sessions", s.n.Sessions(), 0)
	equal(s.house, "tombstone", s.v.tombstone(), true)
	equal(s.house, "position", string(s.v.payload()), "")
	if stays {
		a := s.house.alert(s.alert)
		equal(s.house, "the request", a.State, tracking.Claimed)
		equal(s.house, "location off", a.Off, true)
		equal(s.house, "on screen", lastPresence(s.mei, s.alert), "off")
		equal(s.house, "gone frames", len(s.mei.got("gone")), 0)
	} else {
		a := s.house.alert(s.alert)
		equal(s.house, "the alert", a.State, tracking.Gone)
		equal(s.house, "its reason", a.Reason, string(reason))
		s.toldGone(s.mei, reason)
	}
	if n := len(s.lea.about(s.alert)); n != 0 {
		s.Fatalf("the other store's console was sent %d frames", n)
	}
	s.viewClosed()
	s.nothingMore()
}

// toldGone checks the one signed frame.
func (s *scene) toldGone(c *screen, reason consent.Reason) {
	s.Helper()
	frames := c.got("gone")
	equal(s.house, "gone frames", len(frames), 1)
	f := frames[0]
	equal(s.house, "alert", f["alert"].(string), s.alert)
	equal(s.house, "reason", f["reason"].(string), string(reason))
	if want := proof(s.alert, int64(f["offset"].(float64))); f["proof"] != want || f["offset"].(float64) == 0 {
		s.Fatalf("proof: %v, want %q", f["proof"], want)
	}
}

func (s *scene) viewClosed() {
	s.Helper()
	views := must(s.ledger.Journal(s.Context(), s.ana.subject))(s.house)
	equal(s.house, "views", len(views), 1)
	if v := views[0]; v.ClosedAt.IsZero() || v.Count == 0 || v.Reader != "mei" {
		s.Fatalf("the view is not settled: %+v", v)
	}
}

// nothingMore lets everything happen that might still say something, and listens.
func (s *scene) nothingMore() {
	s.Helper()
	from := len(s.log.all())
	old := []byte{tracking.ShownVersion}
	payload := []byte(`{"t":1,"lat":54,"lng":3,"accuracy_m":5,"level":0}`)
	old = append(tracking.AppendShownHead(old, s.v.hid, len(payload)), payload...)
	s.ok(s.live.Publish(s.Context(), shop, old)) // a position that was under way
	if r := s.v.at(desk()); !r.Over || r.Accepted {
		s.Fatalf("a fix after the end: %+v", r)
	}
	if err := s.v.Ask(s.Context(), tracking.Alert{Kind: tracking.Help}); !errors.Is(err, tracking.ErrOver) {
		s.Fatalf("a call after the end: %v", err)
	}
	s.mei.Beat(1)
	s.pass(5 * time.Second)
	for _, e := range s.log.all()[from:] {
		if e.who == "phone" || e.frame != nil && (mentions(e.frame, s.alert) || mentions(e.frame, tracking.Word(s.v.hid))) {
			s.Fatalf("after the end, %s was sent %s %v", e.who, e.what, e.frame)
		}
	}
	equal(s.house, "position", string(s.v.payload()), "")
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

// A stop is answered even when the ledger cannot be reached: with an error, and with tracking stopped here.
func TestDoubtStops(t *testing.T) {
	for _, kind := range []consent.EndKind{consent.EndGrant, consent.EndStore, consent.EndAll} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, func(h *house) {
				s := newScene(h)
				s.v.at(frame().LatLng(0, 1)) // accepted, and not written yet
				s.n.ledger.fail("end")
				r := s.ana.stop(kind)
				_, err := s.n.End(h.Context(), r)
				if !errors.Is(err, tracking.ErrUnavailable) || !errors.Is(err, errTapped) {
					t.Fatalf("the answer: %v", err)
				}
				equal(h, "the phone's reason", s.v.phone.end(), consent.Reason("unavailable"))
				h.pass(2 * time.Second)
				equal(h, "position", string(s.v.payload()), "")
				equal(h, "on screen", lastPresence(s.mei, s.alert), "hidden")
				s.n.ledger.around("end", nil)
				a := must(s.n.End(h.Context(), r))(h)
				equal(h, "ends", len(a.Ending.Ends), 1)
				s.toldGone(s.mei, consent.Withdrawn)
			})
		})
	}
}

// A position that was accepted right before its connection was let go of is not written any more.
func TestNothingIsWrittenOfASessionThatIsClosed(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		before := len(s.n.live.writes(s.v.hid))
		s.v.at(frame().LatLng(0, 1))
		s.n.ledger.fail("end")
		s.n.live.fail("purge") // nothing but the session's own state is in the way
		_, err := s.n.End(h.Context(), s.ana.stop(consent.EndStore))
		if err == nil || !strings.Contains(err.Error(), errTapped.Error()) {
			t.Fatal(err)
		}
		h.pass(time.Second)
		equal(h, "writes tried", len(s.n.live.writes(s.v.hid)), before)
	})
}
