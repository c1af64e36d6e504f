// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"os"
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/tracking"
)

// step is a line of the table in ALERTS.md.
type step struct{ by, to, due string }

// drawn is the table, by state and action.
func drawn(t *testing.T) map[[2]string]step {
	t.Helper()
	b, err := os.ReadFile("ALERTS.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[[2]string]step{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([a-z]+) \| ([a-z_]+) \| (anyone|holder|system) \| ([a-z]+) \| ([a-z -]+) \|$`).FindAllStringSubmatch(string(b), -1) {
		table[[2]string{row[1], row[2]}] = step{row[3], row[4], row[5]}
	}
	if len(table) < 25 {
		t.Fatalf("only %d steps are drawn", len(table))
	}
	return table
}

var actions = []tracking.Action{tracking.Claim, tracking.Keep, tracking.Release, tracking.HandOver, tracking.Snooze, tracking.Resolve,
	tracking.Escalate, tracking.Wake, tracking.Return, tracking.Expire, tracking.Vanish, tracking.LocationOff}

// model is all that matters of an alert, kept by the table instead of by the code.
type model struct {
	state, holder string
	version       int
	due, off      time.Time // off is zero while there is a position
	over          bool
}

// next is the model after a change, and whether the table has it.
func (m model) next(table map[[2]string]step, c tracking.Change, patience time.Duration) (model, bool) {
	s, drawn := table[[2]string{m.state, string(c.Action)}]
	switch {
	case m.over || !drawn, c.Expect != 0 && c.Expect != m.version, m.holder != "" && s.by != "system" && m.holder != c.By.Shift:
		return m, false
	}
	m.version++
	switch c.Action {
	case tracking.Claim:
		m.holder = c.By.Shift
	case tracking.HandOver:
		m.holder = c.To.Shift
	case tracking.LocationOff:
		if m.off.IsZero() {
			m.off = c.Now.Add(20 * time.Minute)
		}
	}
	if m.state = s.to; m.state != "claimed" {
		m.holder = ""
	}
	switch s.due {
	case "idle":
		m.due = c.Now.Add(5 * time.Minute)
	case "patience":
		m.due = c.Now.Add(patience)
	case "run out":
		m.due = c.Now.Add(20 * time.Minute)
	case "until":
		if m.due = c.Now.Add(15 * time.Minute); c.Until.Before(m.due) {
			m.due = c.Until
		}
	case "-":
		m.over = true
	}
	if !m.off.IsZero() && (m.state == "raised" || m.off.Before(m.due)) {
		m.due = m.off
	}
	return m, true
}

func of(a tracking.Alert) model {
	m := model{state: string(a.State), holder: a.Holder, version: a.Version, due: a.DueAt, over: a.Final()}
	if a.Off {
		m.off = a.OffUntil
	}
	return m
}

// TestTheMachineIsAsDrawn: whatever happens to an alert in whatever order, the code does what ALERTS.md draws and nothing else.
func TestTheMachineIsAsDrawn(t *testing.T) {
	table := drawn(t)
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1000, 0)
		a := tracking.Alert{State: tracking.Raised, Version: 1, Topic: "size", Ref: "B1", DueAt: now.Add(tracking.EscalateAfter)}
		patience := tracking.EscalateAfter
		if rapid.Bool().Draw(t, "ruled") {
			patience = 7 * time.Minute
			a.Patience = patience
		}
		for range 40 {
			c := tracking.Change{Action: rapid.SampledFrom(actions).Draw(t, "action"), Now: now,
				By:     tracking.Actor{Shift: rapid.SampledFrom([]string{"mei", "kim"}).Draw(t, "by")},
				To:     tracking.Actor{Shift: rapid.SampledFrom([]string{"mei", "kim"}).Draw(t, "to")},
				Expect: rapid.SampledFrom([]int{0, a.Version, a.Version, a.Version - 1}).Draw(t, "expect"),
				Until:  now.Add(rapid.SampledFrom([]time.Duration{-time.Minute, time.Minute, time.Hour}).Draw(t, "until"))}
			if rapid.Bool().Draw(t, "time") { // what is due, as a node finds it
				if due, ok := a.Due(now); ok {
					c = due
				}
			}
			want, possible := of(a).next(table, c, patience)
			next, err := a.Next(c)
			if (err == nil) != possible || of(next) != want {
				t.Fatalf("%s by %q at %+v: got %+v, %v; drawn: %+v, %v", c.Action, c.By.Shift, of(a), of(next), err, want, possible)
			}
			clearAnswer(t, a, c, err)
			if next.Final() && (next.Topic != "" || next.Ref != "" || next.HolderTag != "") {
				t.Fatalf("something stays with one that is over: %+v", next)
			}
			a, now = next, now.Add(rapid.SampledFrom([]time.Duration{time.Second, 2 * time.Minute, 6 * time.Minute}).Draw(t, "pass"))
		}
	})
}

// TestEveryStepIsDrawn: of all states and actions, those are possible that ALERTS.md has, and no others.
func TestEveryStepIsDrawn(t *testing.T) {
	table := drawn(t)
	for _, from := range []tracking.AlertState{tracking.Raised, tracking.Claimed, tracking.Snoozed, tracking.Escalated, tracking.Resolved, tracking.AlertOver, tracking.Gone} {
		for _, action := range actions {
			a := tracking.Alert{State: from, Version: 3}
			if from == tracking.Claimed {
				a.Holder = "mei"
			}
			next, err := a.Next(tracking.Change{Action: action, By: tracking.Actor{Shift: "mei"}, Now: time.Unix(1000, 0)})
			want, possible := table[[2]string{string(from), string(action)}]
			if (err == nil) != possible || possible && string(next.State) != want.to {
				t.Errorf("%s, %s: %s, %v; drawn: %q", from, action, next.State, err, want.to)
			}
		}
	}
}

// clearAnswer: whoever is refused learns what it was that they missed.
func clearAnswer(t *rapid.T, a tracking.Alert, c tracking.Change, err error) {
	switch {
	case err == nil:
	case a.Final():
		if !errors.Is(err, tracking.ErrAlertFinal) {
			t.Fatalf("%s of one that is over: %v", c.Action, err)
		}
	case a.Holder != "" && a.Holder != c.By.Shift && c.Action == tracking.Claim:
		if !errors.Is(err, tracking.ErrAlertHeld) {
			t.Fatalf("%s of what somebody has: %v", c.Action, err)
		}
	case !errors.Is(err, tracking.ErrAlertHeld) && !errors.Is(err, tracking.ErrAlertVersion) && !errors.Is(err, tracking.ErrAlertAction):
		t.Fatalf("%s: %v", c.Action, err)
	}
}

// What time does to an alert goes on without anybody until it is over, and never takes longer than it may.
func TestTimeAloneEndsEveryAlert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1000, 0)
		a := tracking.Alert{State: rapid.SampledFrom([]tracking.AlertState{tracking.Raised, tracking.Claimed, tracking.Snoozed, tracking.Escalated}).Draw(t, "state"),
			Version: 1, DueAt: now.Add(rapid.SampledFrom([]time.Duration{0, tracking.SnoozeAtMost}).Draw(t, "due"))}
		off := rapid.Bool().Draw(t, "off")
		if off {
			var err error
			if a, err = a.Next(tracking.Change{Action: tracking.LocationOff, Now: now}); err != nil {
				t.Fatal(err)
			}
		}
		for range 6 {
			if a.Final() {
				break
			}
			at := a.DueAt
			c, due := a.Due(at)
			if _, early := a.Due(at.Add(-time.Millisecond)); !due || early {
				t.Fatalf("due: %v, and before that: %v", due, early)
			}
			next, err := a.Next(c)
			if err != nil {
				t.Fatalf("%s when %s: %v", c.Action, a.State, err)
			}
			a = next
		}
		if !a.Final() || off && a.ChangedAt.After(now.Add(tracking.RequestOutlive)) {
			t.Fatalf("%s since %v", a.State, a.ChangedAt.Sub(now))
		}
	})
}
