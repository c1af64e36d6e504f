// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"doorstep/tracking"
)

var (
	states = []tracking.AlertState{tracking.Raised, tracking.Claimed, tracking.Snoozed, tracking.Escalated,
		tracking.Resolved, tracking.AlertOver, tracking.Gone}
	actions = []tracking.Action{tracking.Claim, tracking.Release, tracking.HandOver, tracking.Snooze, tracking.Wake,
		tracking.Resolve, tracking.Escalate, tracking.Expire, tracking.Vanish, tracking.LocationOff}
)

// TestAlertTable is the state machine as staff and system meet it: mei has what is claimed, and acts.
// An empty cell is refused.
func TestAlertTable(t *testing.T) {
	table := map[tracking.AlertState]map[tracking.Action]tracking.AlertState{
		tracking.Raised: {tracking.Claim: tracking.Claimed, tracking.Snooze: tracking.Snoozed, tracking.Escalate: tracking.Escalated,
			tracking.Expire: tracking.AlertOver, tracking.Vanish: tracking.Gone, tracking.LocationOff: tracking.Raised},
		tracking.Claimed: {tracking.Release: tracking.Raised, tracking.HandOver: tracking.Claimed, tracking.Snooze: tracking.Snoozed,
			tracking.Resolve: tracking.Resolved, tracking.Expire: tracking.AlertOver, tracking.Vanish: tracking.Gone, tracking.LocationOff: tracking.Claimed},
		tracking.Snoozed: {tracking.Claim: tracking.Claimed, tracking.Wake: tracking.Raised,
			tracking.Expire: tracking.AlertOver, tracking.Vanish: tracking.Gone, tracking.LocationOff: tracking.Snoozed},
		tracking.Escalated: {tracking.Claim: tracking.Claimed, tracking.Snooze: tracking.Snoozed,
			tracking.Expire: tracking.AlertOver, tracking.Vanish: tracking.Gone, tracking.LocationOff: tracking.Escalated},
		tracking.Resolved: {}, tracking.AlertOver: {}, tracking.Gone: {},
	}
	for _, from := range states {
		for _, action := range actions {
			a := tracking.Alert{State: from, Version: 3}
			if from == tracking.Claimed {
				a.Holder, a.HolderTag = "mei", "Mei"
			}
			got, err := a.Next(tracking.Change{Action: action, By: tracking.Actor{Shift: "mei"}, Now: time.Unix(1000, 0)})
			want, allowed := table[from][action]
			switch {
			case allowed && (err != nil || got.State != want || got.Version != 4):
				t.Errorf("%s, %s: got %s version %d, %v; want %s", from, action, got.State, got.Version, err, want)
			case !allowed && err == nil:
				t.Errorf("%s, %s: allowed", from, action)
			case !allowed && a.Final() && !errors.Is(err, tracking.ErrAlertFinal):
				t.Errorf("%s, %s: %v", from, action, err)
			case !allowed && !a.Final() && !errors.Is(err, tracking.ErrAlertAction):
				t.Errorf("%s, %s: %v", from, action, err)
			}
		}
	}
}

// Whatever happens to an alert in whatever order: a final state is final, each change is one version,
// who holds it decides, and nothing of a shopper stays with one that is over.
func TestAlertProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1000, 0)
		a := tracking.Alert{State: tracking.Raised, Version: 1, Topic: "size", Ref: "B1", DueAt: now.Add(tracking.EscalateAfter)}
		for range 30 {
			c := tracking.Change{Action: rapid.SampledFrom(actions).Draw(t, "action"), Now: now,
				By:     tracking.Actor{Shift: rapid.SampledFrom([]string{"", "mei", "kim"}).Draw(t, "by")},
				To:     tracking.Actor{Shift: rapid.SampledFrom([]string{"mei", "kim"}).Draw(t, "to")},
				Expect: rapid.SampledFrom([]int{0, a.Version, a.Version - 1}).Draw(t, "expect"),
				Until:  now.Add(rapid.SampledFrom([]time.Duration{-time.Minute, time.Minute, time.Hour}).Draw(t, "until"))}
			next, err := a.Next(c)
			if err != nil {
				if next != a {
					t.Fatalf("refused with %v, and changed: %+v", err, next)
				}
				continue
			}
			checkStep(t, a, c, next)
			a, now = next, now.Add(time.Second)
		}
	})
}

func checkStep(t *rapid.T, a tracking.Alert, c tracking.Change, next tracking.Alert) {
	system := slices.Contains([]tracking.Action{tracking.Wake, tracking.Escalate, tracking.Expire, tracking.Vanish, tracking.LocationOff}, c.Action)
	switch {
	case a.Final():
		t.Fatalf("%s after it was %s", c.Action, a.State)
	case next.Version != a.Version+1 || !next.ChangedAt.Equal(c.Now):
		t.Fatalf("version %d after %d, changed at %v", next.Version, a.Version, next.ChangedAt)
	case c.Expect != 0 && c.Expect != a.Version:
		t.Fatalf("version %d was expected, at %d", c.Expect, a.Version)
	case a.State == tracking.Claimed && a.Holder != c.By.Shift && !system:
		t.Fatalf("%s by %q, while %q has it", c.Action, c.By.Shift, a.Holder)
	case next.Holder != "" && next.State != tracking.Claimed:
		t.Fatalf("%s, and held by %q", next.State, next.Holder)
	case next.Final() && (next.Topic != "" || next.Ref != "" || next.HolderTag != ""):
		t.Fatalf("something stays with one that is over: %+v", next)
	case a.Off && !next.Off:
		t.Fatal("the location came back")
	case next.State == tracking.Snoozed && c.Action == tracking.Snooze && next.DueAt.After(c.Now.Add(tracking.SnoozeAtMost)):
		t.Fatalf("snoozed until %v", next.DueAt)
	case !next.Final() && next.DueAt.After(c.Now.Add(tracking.RequestOutlive)):
		t.Fatalf("due at %v", next.DueAt)
	}
}

func TestWhatTimeDoesToAnAlert(t *testing.T) {
	due := time.Unix(1000, 0)
	cases := []struct {
		state tracking.AlertState
		off   bool
		want  tracking.Action
	}{
		{tracking.Raised, false, tracking.Escalate}, {tracking.Raised, true, tracking.Expire},
		{tracking.Snoozed, false, tracking.Wake}, {tracking.Snoozed, true, tracking.Wake},
		{tracking.Claimed, false, tracking.Expire}, {tracking.Escalated, false, tracking.Expire},
		{tracking.Resolved, false, ""}, {tracking.Gone, false, ""}, {tracking.AlertOver, false, ""},
	}
	for _, c := range cases {
		a := tracking.Alert{State: c.state, Off: c.off, DueAt: due, Version: 1}
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

// A request without a position is kept for 20 minutes, also when somebody lets go of it or it wakes.
func TestARequestWithoutAPositionIsKept(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, action := range []tracking.Action{tracking.Release, tracking.Wake} {
		a := tracking.Alert{State: tracking.Claimed, Holder: "mei", Off: true, Version: 2}
		if action == tracking.Wake {
			a.State, a.Holder = tracking.Snoozed, ""
		}
		next, err := a.Next(tracking.Change{Action: action, By: tracking.Actor{Shift: a.Holder}, Now: now})
		if err != nil || !next.DueAt.Equal(now.Add(tracking.RequestOutlive)) {
			t.Errorf("%s: due at %v, %v", action, next.DueAt, err)
		}
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
