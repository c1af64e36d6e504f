// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/geofence"
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
// and what is accepted afterwards is seen again.
func TestHiddenStaysHiddenWithoutTheBlanking(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _, kim := pair(h)
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

// stubborn is a live state that does not purge one visit.
type stubborn struct {
	tracking.Live
	mu    sync.Mutex
	visit string
}

func (l *stubborn) keep(visit string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.visit = visit
}

func (l *stubborn) Purge(ctx context.Context, store string, visits []string) error {
	l.mu.Lock()
	refuse := l.visit != "" && slices.Contains(visits, l.visit)
	l.mu.Unlock()
	if refuse {
		return errTapped
	}
	return l.Live.Purge(ctx, store, visits)
}

// A visit ended a moment ago and its position is still there: a withdrawal is not done before that is gone.
func TestAWithdrawalCoversTheVisitBefore(t *testing.T) {
	for _, kind := range []consent.EndKind{consent.EndStore, consent.EndAll} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, func(h *house) {
				l := &stubborn{Live: h.live}
				h.live = l
				s := newScene(h)
				l.keep(s.v.hid)
				s.v.Bye()
				h.pass(300 * time.Millisecond)
				equal(h, "committed", h.alert(s.alert).State, tracking.Gone)
				r := s.ana.stop(kind)
				a, err := s.n.End(h.Context(), r)
				if s.v.payload() == nil {
					t.Fatal("nothing was there to purge: this shows nothing")
				}
				if !errors.Is(err, tracking.ErrNotComplete) {
					t.Fatalf("answered %v, with the position of the visit before still there", err)
				}
				if len(a.Ending.Ends) != 1 || a.Ending.Ends[0].Visit == s.v.hid {
					t.Fatalf("it ended the visit before, which had ended: %+v", a.Ending.Ends)
				}
				l.keep("")
				must(s.n.End(h.Context(), r))(h)
				equal(h, "position", string(s.v.payload()), "")
				equal(h, "tombstone", s.v.tombstone(), true)
			})
		})
	}
}

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

// An app that comes back to another node is not ended behind its back, even if no position of it is written.
func TestAVisitThatIsTakenUpAgainIsNoOrphan(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, kim := pair(h)
		s.n.stop()
		h.pass(20 * time.Second)
		v := s.ana.enter(b)
		equal(h, "the visit goes on", v.hid, s.v.hid)
		stay := func() {
			for range 10 {
				h.pass(10 * time.Second)
				v.at(desk())
			}
			equal(h, "the phone's reason", v.phone.end(), consent.Reason(""))
			equal(h, "location off", h.alert(s.alert).Off, false)
		}
		b.live.fail("write")
		stay()
		equal(h, "position", string(v.payload()), "")
		b.live.around("write", nil)
		v = s.ana.enter(b) // the registration has run out
		stay()
		equal(h, "on screen", lastPresence(kim, s.alert), "visible")
	})
}

// three is as many shoppers who have called, and two consoles of one person.
func three(h *house, showMe bool) (n *node, alerts []string, left, right *screen) {
	h.Helper()
	n = h.start("a")
	left, right = h.join(n, shop, "mei"), h.join(n, shop, "mei")
	for i := range tracking.LooksMost + 1 {
		v := h.shopper(fmt.Sprint("shopper ", i), "assist").enter(n)
		a := must(n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: v.hid, Kind: tracking.Help, Purpose: "assist", ShowMe: showMe}))(h)
		alerts = append(alerts, a.ID)
	}
	h.pass(time.Second)
	return n, alerts, left, right
}

func TestTwoLooksAPersonOnHoweverManyConsoles(t *testing.T) {
	inBubble(t, func(h *house) {
		n, alerts, left, right := three(h, true)
		h.ok(left.Look(h.Context(), alerts[0]))
		h.ok(right.Look(h.Context(), alerts[1]))
		for _, c := range []*screen{left, right} {
			if err := c.Look(h.Context(), alerts[2]); !errors.Is(err, tracking.ErrTooManyLooks) {
				t.Fatalf("a third look: %v", err)
			}
		}
		equal(h, "journalled", h.log.find(0, "journal", "open "+alerts[2]), -1)
		h.ok(h.join(n, shop, "kim").Look(h.Context(), alerts[2])) // somebody else's are not counted
		left.LookAway(alerts[0])
		h.ok(right.Look(h.Context(), alerts[2]))
		if err := left.Look(h.Context(), alerts[0]); !errors.Is(err, tracking.ErrTooManyLooks) {
			t.Fatalf("a third look, again: %v", err)
		}
	})
}

func TestTwoClaimsAPerson(t *testing.T) {
	inBubble(t, func(h *house) {
		n, alerts, mei, _ := three(h, false)
		other := h.start("b")
		act := func(n *node, who string, alert string, action tracking.Action) error {
			_, err := n.Act(h.Context(), shop, alert, tracking.Change{Action: action, By: tracking.Actor{Shift: who, Tag: who}})
			return err
		}
		mei.claim(n, alerts[0])
		mei.claim(n, alerts[1])
		for _, at := range []*node{n, other} {
			if err := act(at, "mei", alerts[2], tracking.Claim); !errors.Is(err, tracking.ErrTooManyLooks) {
				t.Fatalf("a third claim: %v", err)
			}
		}
		equal(h, "the third", h.alert(alerts[2]).State, tracking.Raised)
		h.ok(act(n, "mei", alerts[0], tracking.Release))
		h.ok(act(n, "mei", alerts[2], tracking.Claim))
		h.ok(act(n, "kim", alerts[0], tracking.Claim)) // hers, and not one of mei's
		equal(h, "the holder", h.alert(alerts[2]).Holder, "mei")
	})
}

// A store is on duty for a moment after its last console, so that a page can be loaded anew, and no longer.
func TestDutyEndsSoonAfterTheLastConsole(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		ana := h.shopper("ana", "assist")
		mei, kim := h.join(n, shop, "mei"), h.join(n, shop, "kim")
		open := func(when string, want error) {
			h.Helper()
			if err := n.MayOpen(h.Context(), ana.opening()); !errors.Is(err, want) {
				t.Fatalf("%s: %v, want %v", when, err, want)
			}
		}
		mei.leave()
		h.pass(2 * tracking.DutyGrace)
		open("one of two has left", nil)
		kim.leave()
		h.pass(tracking.DutyGrace - time.Second)
		open("within the grace", nil)
		lou := h.join(n, shop, "lou")
		h.pass(2 * tracking.DutyGrace)
		open("somebody came in time", nil)
		lou.leave()
		h.pass(tracking.DutyGrace + time.Second)
		open("after the grace", tracking.ErrNobodyOnDuty)
	})
}

// The end of duty waits behind other work until somebody is back: then it is not recorded any more.
func TestDutyThatEndsLateDoesNotEndThatOfWhoeverCameBack(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		visitors, _ := crowd(h, s.n)
		release := s.n.ledger.block("end")
		h.Cleanup(release)
		for _, v := range visitors {
			v.Bye()
		}
		h.pass(time.Second)
		s.mei.leave()
		h.pass(time.Second)
		h.join(s.n, shop, "mei")
		release()
		h.pass(tracking.DutyGrace)
		h.ok(s.n.MayOpen(h.Context(), s.ana.opening()))
	})
}
