// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/tracking"
)

func TestWhatTimeDoesToAnAlert(t *testing.T) {
	due := time.Unix(1000, 0)
	cases := []struct {
		state tracking.AlertState
		off   bool
		want  tracking.Action
	}{
		{tracking.Raised, false, tracking.Escalate}, {tracking.Raised, true, tracking.Expire},
		{tracking.Snoozed, false, tracking.Wake}, {tracking.Snoozed, true, tracking.Expire},
		{tracking.Claimed, false, tracking.Return}, {tracking.Claimed, true, tracking.Expire}, {tracking.Escalated, false, tracking.Expire},
		{tracking.Resolved, false, ""}, {tracking.Gone, false, ""}, {tracking.AlertOver, false, ""},
	}
	for _, c := range cases {
		a := tracking.Alert{State: c.state, Off: c.off, DueAt: due, OffUntil: due, Version: 1}
		if _, ok := a.Due(due.Add(-time.Millisecond)); ok {
			t.Errorf("%s: due before its time", c.state)
		}
		got, ok := a.Due(due)
		if got.Action != c.want || ok != (c.want != "") {
			t.Errorf("%s, off %v: %q, want %q", c.state, c.off, got.Action, c.want)
		}
		if ok {
			if _, err := a.Next(got); err != nil {
				t.Errorf("%s: %s is not possible: %v", c.state, got.Action, err)
			}
		}
	}
}

// A broken glass ends with its time; nobody gets it instead.
func TestABrokenGlassRunsOut(t *testing.T) {
	a := tracking.Alert{Kind: tracking.Emergency, State: tracking.Claimed, Holder: "mei", Version: 1, DueAt: time.Unix(1000, 0)}
	if c, _ := a.Due(a.DueAt); c.Action != tracking.Expire {
		t.Errorf("due: %s", c.Action)
	}
}

// Nobody takes it: it escalates, then expires, and the console sees both.
func TestAnAlertThatNobodyTakes(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, false)
		keepInside := func(d time.Duration) {
			for end := h.clock.Boot() + d; h.clock.Boot() < end; h.pass(10 * time.Second) {
				s.v.at(desk())
			}
		}
		keepInside(tracking.EscalateAfter - 10*time.Second)
		equal(h, "state", h.alert(alert).State, tracking.Raised)
		keepInside(20 * time.Second)
		equal(h, "state", h.alert(alert).State, tracking.Escalated)
		frames := s.mei.got("alert")
		equal(h, "told", frames[len(frames)-1]["alert"].(map[string]any)["state"].(string), string(tracking.Escalated))
		equal(h, "version", h.alert(alert).Version, 2)
	})
}

func TestRaisingIsIdempotent(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, kim := pair(h)
		id := uuid.NewString()
		first := must(s.n.Raise(h.Context(), tracking.Alert{ID: id, Store: shop, Visit: s.v.hid, Kind: tracking.Called, Purpose: "assist"}))(h)
		again := must(b.Raise(h.Context(), tracking.Alert{ID: id, Store: shop, Visit: s.v.hid, Kind: tracking.Called, Purpose: "assist"}))(h)
		twin := must(b.Raise(h.Context(), tracking.Alert{Store: shop, Visit: s.v.hid, Kind: tracking.Called, Purpose: "assist"}))(h)
		equal(h, "the same alert", again.ID+again.RaisedAt.String(), first.ID+first.RaisedAt.String())
		equal(h, "merged", twin.ID, first.ID)
		h.pass(time.Second)
		for _, c := range []*screen{s.mei, kim} {
			n := 0
			for _, f := range c.got("alert") {
				if mentions(f, id) {
					n++
				}
			}
			equal(h, c.name+" was told", n, 1)
		}
		equal(h, "counted", s.n.Stats.Alerts.Load()+b.Stats.Alerts.Load(), 2) // with the scene's own
		if _, err := s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: "no visit", Kind: tracking.Help}); !errors.Is(err, tracking.ErrNoVisit) {
			t.Fatalf("raised without a visit: %v", err)
		}
	})
}

// Two claim at once, on two nodes: one wins, the other is told whose it is.
func TestTwoClaimersOneWinner(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, false)
		b := h.start("b")
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			n := []*node{s.n, b}[i%2]
			all.Go(func() {
				who := fmt.Sprint("person ", i)
				_, errs[i] = n.Act(h.Context(), shop, alert, tracking.Change{Action: tracking.Claim, Expect: 1, Key: who,
					By: tracking.Actor{Shift: who, Tag: who}})
			})
		}
		all.Wait()
		won := 0
		for i, err := range errs {
			if err == nil {
				won++
				equal(h, "the holder", h.alert(alert).Holder, fmt.Sprint("person ", i))
			} else if !errors.Is(err, tracking.ErrAlertHeld) {
				t.Errorf("the loser is told: %v", err)
			}
		}
		equal(h, "winners", won, 1)
	})
}

// A check-in that was asked for outside is raised on the way in, and not before.
func TestACheckInWaitsUntilInside(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		mei := h.join(n, shop, "mei")
		v := h.shopper("ana", "assist").open(n)
		id := uuid.NewString()
		h.ok(v.Ask(h.Context(), tracking.Alert{ID: id, Kind: tracking.Arrived, Ref: "B1"}))
		h.pass(time.Second)
		equal(h, "told before", len(mei.about(id)), 0)
		v.at(desk())
		h.pass(time.Second)
		v.at(desk())
		h.pass(time.Second)
		equal(h, "state", h.alert(id).State, tracking.Raised)
		if len(mei.about(id)) == 0 {
			t.Fatal("the console was not told")
		}
	})
}

// A claim about which nothing is done is returned to whoever has time; one whose dot is looked at is not.
func TestAnIdleClaimIsReturned(t *testing.T) {
	for _, looks := range []bool{true, false} {
		inBubble(t, func(h *house) {
			s, alert := seeing(h, false)
			s.mei.claim(s.n, alert)
			if looks {
				h.ok(s.mei.Look(h.Context(), alert))
			}
			for end := h.clock.Boot() + tracking.ClaimIdle + 10*time.Second; h.clock.Boot() < end; h.pass(10 * time.Second) {
				s.v.at(desk())
			}
			a := h.alert(alert)
			equal(h, "hers", a.Holder == "mei", looks)
			if !looks {
				equal(h, "state", a.State, tracking.Raised)
			}
		})
	}
}

// An alert escalates once, whichever node is left to see to it.
func TestAnAlertEscalatesWhoeverIsLeft(t *testing.T) {
	inBubble(t, func(h *house) {
		a, b := h.start("a"), h.start("b")
		h.start("c")
		h.join(b, shop, "mei")
		v := h.shopper("ana", "assist").enter(b)
		alert := must(a.Raise(h.Context(), tracking.Alert{Store: shop, Visit: v.hid, Kind: tracking.Help, Purpose: "assist"}))(h)
		a.stop()
		for end := h.clock.Boot() + tracking.EscalateAfter + 2*time.Second; h.clock.Boot() < end; h.pass(10 * time.Second) {
			v.at(desk())
		}
		equal(h, "state", h.alert(alert.ID).State, tracking.Escalated)
		equal(h, "version", h.alert(alert.ID).Version, 2)
	})
}
