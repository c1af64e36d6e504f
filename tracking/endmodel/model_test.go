// SPDX-License-Identifier: Apache-2.0

package endmodel

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"doorstep/tracking"
)

// TestNothingBreaks is the protocol's proof within the model, and a check that the model is not empty:
// everything that can happen does, and the answer is never out of reach.
func TestNothingBreaks(t *testing.T) {
	g := AllGuards()
	missing, idle := sights(), slices.Clone(steps)
	r := explore(g, failoversTried, allPromises, func(s state) {
		missing = slices.DeleteFunc(missing, func(w sight) bool { return w.seen(s) })
		idle = slices.DeleteFunc(idle, func(st step) bool { c := s; return st.do(&c, g) })
		if s.ledger != granted && !answerable(s, g) {
			t.Fatalf("the end can never be answered from here: %+v", s)
		}
	})
	t.Logf("%d states, %d steps deep, at most %d failovers", r.States, r.Depth, failoversTried)
	if r.Violation != "" {
		t.Fatalf("broken with all guards\n%s", tell(r))
	}
	for _, w := range missing {
		t.Errorf("the model never shows %s", w.text)
	}
	for _, st := range idle {
		if failoversTried > 0 || !strings.Contains(st.text, "fails over") {
			t.Errorf("never happens: %s", st.text)
		}
	}
}

// sight is a situation that the search has to come across, or its verdict is worth nothing.
type sight struct {
	text string
	seen func(state) bool
}

func sights() []sight {
	all := []sight{
		{"success by acknowledgement, before T_L", func(s state) bool {
			return s.success && s.sinceL < LeaseTime && s.node[nodeB].in
		}},
		{"success by waiting, while B has heard nothing", func(s state) bool {
			return s.success && s.node[nodeB].in && s.node[nodeB].known == granted
		}},
		{"no success long after the end", func(s state) bool { return !s.success && s.sinceL == Horizon }},
		{"a node that serves between L and L + T_L", func(s state) bool {
			return s.sinceL == LeaseTime-1 && s.node[nodeB].queue && s.mayServe(AllGuards(), nodeB)
		}},
		{"a write under way after the answer", func(s state) bool { return s.success && s.late > 0 }},
		{"a frame in a queue after the answer", func(s state) bool { return s.success && s.node[nodeB].queue }},
		{"a new grant after the answer", func(s state) bool { return s.success && s.ledger == grantedAgain }},
		{"a late reply after the answer", func(s state) bool { return s.success && s.node[nodeB].reply > 0 }},
		{"a tombstone that has run out", func(s state) bool { return s.purged && s.redis == 0 && s.replica == 0 }},
	}
	if failoversTried > 0 {
		all = append(all, sight{"an old position that a failover brought back after the answer", func(s state) bool {
			return s.success && s.redis.position()
		}})
	}
	return all
}

// answerable follows the quickest way to the answer that needs no other node: purge, and wait.
func answerable(s state, g Guards) bool {
	s.commitReturns(g)
	for range LeaseTime + 1 {
		s.purge(g)
		s.answer(g)
		s.tick(g)
	}
	return s.success
}

// TestEveryGuardIsNeeded takes out each guard alone. A guard that is added is tested without being
// named here. Only the repeated purge is there for failovers: where there are none, one tombstone
// outlives every write that is still under way.
func TestEveryGuardIsNeeded(t *testing.T) {
	for i := range reflect.TypeFor[Guards]().NumField() {
		name := reflect.TypeFor[Guards]().Field(i).Name
		t.Run(name, func(t *testing.T) {
			g, failovers := without(t, name), uint8(0)
			r := Explore(g, failovers)
			if name == "RepeatPurge" {
				if r.Violation != "" {
					t.Fatalf("broken without a failover\n%s", tell(r))
				}
				failovers = 1
				r = Explore(g, failovers)
			}
			if r.Violation == "" {
				t.Fatalf("nothing breaks in %d states: the guard is useless or the model too weak", r.States)
			}
			t.Logf("without %s, among %d states, broken\n%s", name, r.States, tell(r))
			replay(t, g, r.Trace)
		})
	}
}

// TestEveryPromiseCanBreak names for each promise a guard that carries it: none is true by itself.
func TestEveryPromiseCanBreak(t *testing.T) {
	carriers := map[promise]string{
		silentAfterAnswer:       "WaitBeforeAnswer",
		erasedAfterAnswer:       "Fence",
		unreadableAfterAnswer:   "ListedFirst",
		silentAfterLease:        "LeaseFromPollStart",
		erasedByHorizon:         "Deadline",
		newGrantShowsNothingOld: "EpochEquality",
	}
	for p := promise(1); p < promiseEnd; p <<= 1 {
		t.Run(carriers[p], func(t *testing.T) {
			g := without(t, carriers[p])
			r := explore(g, 1, p, func(state) {})
			if r.Violation != broken[p] || r.Violation == "" {
				t.Fatalf("wanted broken: %q\n%s", broken[p], tell(r))
			}
			t.Logf("without %s, among %d states, broken\n%s", carriers[p], r.States, tell(r))
			replay(t, g, r.Trace)
		})
	}
}

func without(t *testing.T, name string) Guards {
	g := AllGuards()
	field := reflect.ValueOf(&g).Elem().FieldByName(name)
	if !field.IsValid() || !field.Bool() {
		t.Fatalf("no guard %q to take out", name)
	}
	field.SetBool(false)
	return g
}

func tell(r Report) string { return r.Violation + "\n\t" + strings.Join(r.Trace, "\n\t") }

// replay walks a trace through the model alone, without the search and its canonical states.
func replay(t *testing.T, g Guards, trace []string) {
	t.Helper()
	s := start(1)
	for _, line := range trace {
		i := slices.IndexFunc(steps, func(st step) bool { return strings.HasSuffix(line, "  "+st.text) })
		if i < 0 || !steps[i].do(&s, g) {
			t.Fatalf("this step of the trace cannot happen: %s", line)
		}
	}
	if s.broken|s.brokenByHolding(g) == 0 {
		t.Fatal("the trace breaks nothing")
	}
}

// TestFiguresInForce holds the real figures to the order in which the model has its own.
func TestFiguresInForce(t *testing.T) {
	for text, holds := range map[string]bool{
		"a lease outlives the wait for a poll":                        tracking.PollEvery < tracking.LeaseTime,
		"a write is over within a position's life":                    tracking.WriteDeadline < tracking.PositionLife,
		"a fence outlives every write under way":                      tracking.FenceLife > tracking.LeaseTime+tracking.WriteDeadline,
		"a lease is over within a position's life":                    tracking.LeaseTime < tracking.PositionLife,
		"what a failover brings back is purged before it has expired": tracking.PurgeEvery < tracking.PositionLife,
		"a fence is renewed before it goes":                           tracking.PurgeEvery < tracking.FenceLife,
		"a page shows less long than a lease holds":                   tracking.ConsoleStale < tracking.LeaseTime,
	} {
		if !holds {
			t.Errorf("not true any more: %s", text)
		}
	}
}
