// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"errors"
	"iter"
	"math/rand/v2"
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

// tally is what replaying walks comes to.
type tally struct {
	walks, enters         int
	insideMS, visibleMS   int64 // truly inside after entering; thereof visible
	hides, ends           int   // while truly inside
	entered, hidden, gone []float64
}

// add replays one walk. A walk is one visit to the shopper, however often it is entered.
func (ta *tally) add(t *testing.T, x *Index, r Rules, w walk, fixes []Fix) {
	t.Helper()
	ta.walks++
	start, exit := w.t[0], w.t[len(w.t)-1]+1
	if w.exit < len(w.t) {
		exit = w.t[w.exit]
	}
	first, shownFrom := int64(0), int64(0)
	var hid, gone int64
	open := false
	for e, err := range r.Replay(x, each(fixes)) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Outcome.Accepted && !x.Locate(e.Fix.At, e.Fix.Level, true).Inside {
			t.Fatal("a fix outside was accepted")
		}
		for _, tr := range e.Outcome.Transitions() {
			switch tr.Kind {
			case Enter, Resume:
				if tr.Kind == Enter {
					ta.enters++
					if open {
						t.Fatal("entered twice")
					}
					if open = true; first == 0 {
						first = e.T
						ta.entered = append(ta.entered, float64(e.T-start)/1000)
					}
				}
				shownFrom, hid = e.T, 0
			case Suspend:
				if ta.visibleMS += max(0, min(e.T, exit)-shownFrom); e.T < exit {
					ta.hides++
				}
				hid = e.T
			case End:
				if !open {
					t.Fatal("ended without having entered")
				}
				if hid == 0 {
					ta.visibleMS += max(0, min(e.T, exit)-shownFrom)
					hid = e.T
				}
				if e.T < exit {
					ta.ends++
				}
				gone, open = e.T, false
			}
		}
	}
	if open {
		t.Fatal("the visit never ended")
	}
	if first != 0 && first < exit {
		ta.insideMS += exit - first
	}
	if w.exit < len(w.t) && gone >= exit {
		ta.hidden = append(ta.hidden, float64(max(hid, exit)-exit)/1000)
		ta.gone = append(ta.gone, float64(gone-exit)/1000)
	}
}

func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return -1
	}
	v = slices.Sorted(slices.Values(v))
	return v[int(q*float64(len(v)-1)+0.5)]
}

func (ta *tally) log(t *testing.T, name string) {
	t.Helper()
	h := float64(ta.insideMS) / 3.6e6
	t.Logf("%-18s %3d walks, %.2f h: enters/walk %.2f, hidden falsely %.1f/h, ended falsely %.1f/h, visible %.1f %%, entered p50 %.0f s; exit → hidden %.0f/%.0f s, → ended %.0f/%.0f s (n=%d)",
		name, ta.walks, h, float64(ta.enters)/float64(ta.walks), float64(ta.hides)/h, float64(ta.ends)/h, ta.visible()*100,
		quantile(ta.entered, 0.5), quantile(ta.hidden, 0.5), quantile(ta.hidden, 0.95), quantile(ta.gone, 0.5), quantile(ta.gone, 0.95), len(ta.gone))
}

func (ta *tally) visible() float64 { return float64(ta.visibleMS) / float64(ta.insideMS) }

// The surveyed mall walks of a minute or more under synthetic errors of 8 m (root mean square) that
// drift over ten seconds, jump now and then, are understated and delivered twice four times in ten;
// and the same walks continued out of the building, which is synthetic as well.
func TestWalks(t *testing.T) {
	x := mustIndex(t, mustLoad(t, "xixi", sources(t, "malls/hz-xixi-intime/floors/*.geojson")...))
	table := DefaultRules() // the plain rule for ending: two fixes farther out than min(accuracy, 15 m)
	table.HideAbove, table.EndMinM, table.PaceMPS = 5, 0, 12
	sure := DefaultRules() // no change detector, and the cautious rule for both
	sure.HideAbove, sure.OutCapM = 5, 20
	var staying, leaving []walk
	for _, w := range mallWalks(t) {
		if len(w.at) >= 60 {
			staying, leaving = append(staying, w), append(leaving, w.out(x))
		}
	}
	tallies := map[string]*tally{}
	for _, c := range []struct {
		name  string
		rules Rules
		walks []walk
	}{
		{"default", DefaultRules(), staying}, {"default, leaving", DefaultRules(), leaving},
		{"plain", table, staying}, {"plain, leaving", table, leaving},
		{"cautious", sure, staying}, {"cautious, leaving", sure, leaving},
	} {
		ta := &tally{}
		tallies[c.name] = ta
		for i, w := range c.walks {
			ph := phone{rand.New(rand.NewPCG(8, uint64(i))), 5.66, 10, 0.001, 0.4}
			ta.add(t, x, c.rules, w, ph.fixes(w, x.plane))
		}
		ta.log(t, c.name)
	}
	in, out := tallies["default"], tallies["default, leaving"]
	if in.walks < 50 || len(out.gone) < 50 {
		t.Fatalf("only %d walks, %d exits", in.walks, len(out.gone))
	}
	if per := float64(in.enters) / float64(in.walks); per > 1.15 || per < 0.95 {
		t.Errorf("%.2f enters per walk", per)
	}
	if v := in.visible(); v < 0.95 {
		t.Errorf("visible %.1f %% of the time", 100*v)
	}
	if s := quantile(in.entered, 0.5); s > 5 {
		t.Errorf("entered after %.0f s", s)
	}
	if h, g := quantile(out.hidden, 0.5), quantile(out.gone, 0.95); h > 10 || g > 40 {
		t.Errorf("hidden %.0f s after leaving (p50), gone %.0f s (p95)", h, g)
	}
}

// Without noise every walk is one visit, and nothing is refused.
func TestTrueWalks(t *testing.T) {
	x := mustIndex(t, mustLoad(t, "xixi", sources(t, "malls/hz-xixi-intime/floors/*.geojson")...))
	corners := 0
	for i, w := range mallWalks(t) {
		if len(w.at) < 5 {
			continue
		}
		enters := 0
		for e, err := range DefaultRules().Replay(x, each(phone{rand.New(rand.NewPCG(1, 1)), 0.01, 10, 0, 0}.fixes(w, x.plane))) {
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
