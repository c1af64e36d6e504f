// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"errors"
	"iter"
	"slices"
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
