// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
)

func each(fixes []Fix) iter.Seq2[Fix, error] {
	return func(yield func(Fix, error) bool) {
		for _, f := range fixes {
			if !yield(f, nil) {
				return
			}
		}
	}
}

// Without noise every walk is one visit, and nothing is refused.
func TestTrueWalks(t *testing.T) {
	x := mall(t).x
	corners := 0
	for i, w := range mallWalks(t) {
		if len(w.at) < 5 {
			continue
		}
		enters := 0
		for e, err := range DefaultRules().Replay(x, each(trueFixes(w))) {
			if err != nil {
				t.Fatal(err)
			}
			switch why := e.Outcome.Refused; {
			case e.Fix == nil || why == "":
			case why == RefusedOrder: // the last waypoint may repeat its second
			case why == RefusedOutside && e.Place.DistM < 0.1: // a line between two waypoints cuts a corner by centimetres
				corners++
			default:
				t.Errorf("walk %d: refused %s at %.3f m", i, why, e.Place.DistM)
			}
			for _, tr := range e.Outcome.Transitions() {
				if tr.Kind == Enter {
					enters++
				}
			}
		}
		if enters != 1 {
			t.Errorf("walk %d: %d enters", i, enters)
		}
	}
	if corners > 2 { // as many as the survey's own index counts outside
		t.Errorf("%d points are outside", corners)
	}
}

func trueFixes(w walk) (out []Fix) {
	for i := range w.at {
		out = append(out, Fix{T: w.t[i], At: w.at[i], AccuracyM: 3, Level: w.level, HasLevel: true, Precise: true})
	}
	return out
}

func TestReplayStops(t *testing.T) {
	x := mustIndex(t, mustLoad(t, "small", collection(boundary)))
	f := Fix{At: LatLng{54.0002, 3.0005}, AccuracyM: 5, Precise: true}
	broken := errors.New("line 3 is not a fix")
	feed := func(yield func(Fix, error) bool) {
		for i := range int64(3) {
			f.T = t0 + 1000*i
			if !yield(f, nil) {
				t.Error("the replay stopped early")
				return
			}
		}
		if yield(Fix{}, broken) {
			t.Error("the replay went on after an error")
		}
	}
	var kinds []Kind
	var last error
	for e, err := range DefaultRules().Replay(x, feed) {
		last = err
		for _, tr := range e.Outcome.Transitions() {
			kinds = append(kinds, tr.Kind)
		}
	}
	if !errors.Is(last, broken) || !slices.Equal(kinds, []Kind{Enter}) {
		t.Errorf("%v, %v", kinds, last)
	}
	n := 0
	for range DefaultRules().Replay(x, each([]Fix{{T: t0, At: f.At, AccuracyM: 5, Precise: true}, {T: t0 + 1000, At: f.At, AccuracyM: 5, Precise: true}})) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d events after stopping at the first", n)
	}
}

// Between fixes time runs out where it does, and nowhere else; the clock never goes back; a fix without a number gets
// the next; what begins after an end by the fence is wary.
func TestReplayClock(t *testing.T) {
	x := mustIndex(t, mustLoad(t, "small", collection(boundary)))
	in, far := LatLng{54.00025, 3.00075}, LatLng{54.0019, 3.00075}
	var said []string
	replay := func(fixes ...Fix) {
		said = nil
		for i := range fixes {
			fixes[i].T, fixes[i].AccuracyM, fixes[i].Precise = fixes[i].T+t0, 5, true
		}
		for e, err := range DefaultRules().Replay(x, each(fixes)) {
			if err != nil {
				t.Fatal(err)
			}
			what := "time"
			if e.Fix != nil {
				what = fmt.Sprintf("fix %d", e.Fix.Seq)
			}
			for _, tr := range e.Outcome.Transitions() {
				what += strings.TrimRight(fmt.Sprintf(" %s %s", tr.Kind, tr.Reason), " ")
			}
			said = append(said, strings.TrimSpace(fmt.Sprintf("%d: %s %s", e.T-t0, what, e.Outcome.Refused)))
		}
	}
	expect := func(want ...string) {
		t.Helper()
		if !slices.Equal(said, want) {
			t.Errorf("got  %q\nwant %q", said, want)
		}
	}
	replay(Fix{T: 0, At: in}, Fix{T: 1_000, At: in})
	expect("0: fix 1", "1000: fix 2 enter", "31000: time end silent")
	replay(Fix{T: 0, At: in}, Fix{T: 1_000, At: in}, Fix{T: 31_000, At: in}) // given up while entering: no event
	expect("0: fix 1", "1000: fix 2 enter", "31000: time end silent", "31000: fix 3")
	replay(Fix{T: 0, At: in}, Fix{T: 1_000, At: in}, Fix{T: 30_999, At: in})
	expect("0: fix 1", "1000: fix 2 enter", "30999: fix 3", "60999: time end silent")
	replay(Fix{T: 0, At: in, Seq: 50}, Fix{T: 2_000, At: in}, Fix{T: 1_000, At: in}, Fix{T: 3_000, At: in, Seq: 7}, Fix{T: 4_000, At: in})
	expect("0: fix 50", "2000: fix 51 enter", "2000: fix 52 order", "3000: fix 7 order", "4000: fix 53", "34000: time end silent")
	replay(Fix{T: 0, At: in}, Fix{T: 1_000, At: in}, Fix{T: 18_000, At: far}, Fix{T: 19_000, At: in}, Fix{T: 20_000, At: in}, Fix{T: 29_000, At: in})
	expect("0: fix 1", "1000: fix 2 enter", "18000: fix 3 end left_store outside", "19000: fix 4", "20000: fix 5", "29000: fix 6 enter", "59000: time end silent")
}
