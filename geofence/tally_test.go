// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"slices"
	"testing"
)

// tally is what replaying walks comes to. A walk is one visit to the shopper, however often it is
// entered. Falsely is while truly inside.
type tally struct {
	walks, enters, again  int   // again: walks entered more than once
	hides, ends, silences int   // falsely; silences: the ends that the lease brought
	insideMS, visibleMS   int64 // truly inside after entering; thereof visible
	entered, hidden, gone []float64
	late                  []float64 // fixes from the first credible one outside to the suspension
}

func (ta *tally) add(t testing.TB, x *Index, r Rules, w walk, fixes []Fix) {
	t.Helper()
	v := watch{tally: ta, exit: w.t[len(w.t)-1] + 1, waiting: -1}
	leaves := w.exit < len(w.t)
	if leaves {
		v.exit = w.t[w.exit]
	}
	for e, err := range r.Replay(x, each(fixes)) {
		if err != nil {
			t.Fatal(err)
		}
		v.see(t, e)
	}
	if v.open {
		t.Fatal("the visit never ended")
	}
	if ta.walks++; v.enters > 1 {
		ta.again++
	}
	ta.enters += v.enters
	if v.first != 0 && v.first < v.exit {
		ta.insideMS += v.exit - v.first
		ta.entered = append(ta.entered, float64(v.first-w.t[0])/1000)
	}
	if leaves && v.gone >= v.exit {
		ta.hidden = append(ta.hidden, float64(max(v.hid, v.exit)-v.exit)/1000)
		ta.gone = append(ta.gone, float64(v.gone-v.exit)/1000)
	}
}

// watch follows one walk; exit is when it truly left.
type watch struct {
	*tally
	enters                        int
	exit, first, shown, hid, gone int64
	open, visible                 bool
	waiting                       int // fixes since a credible one outside that hid nobody yet, or -1
}

func (v *watch) see(t testing.TB, e Event) {
	if e.Outcome.Accepted && !e.Place.Inside {
		t.Fatal("a fix outside was accepted")
	}
	if v.waiting >= 0 && e.Fix != nil {
		v.waiting++
	} else if v.visible && crediblyOut(e) {
		v.waiting = 0
	}
	for _, tr := range e.Outcome.Transitions() {
		switch tr.Kind {
		case Enter:
			if v.open {
				t.Fatal("entered twice")
			}
			if v.enters++; v.first == 0 {
				v.first = tr.T
			}
			v.open, v.visible, v.shown = true, true, tr.T
		case Resume:
			v.visible, v.shown = true, tr.T
		case Suspend:
			v.hide(tr.T)
			if tr.T < v.exit {
				v.hides++
			}
		case End:
			if !v.open {
				t.Fatal("ended without having entered")
			}
			v.hide(tr.T)
			if v.gone, v.open = tr.T, false; tr.T < v.exit {
				v.ends++
				if tr.Reason == Silent {
					v.silences++
				}
			}
		}
	}
}

func (v *watch) hide(now int64) {
	if !v.visible {
		return
	}
	v.visibleMS += max(0, min(now, v.exit)-v.shown)
	v.visible, v.hid = false, now
	if v.waiting >= 0 {
		v.late = append(v.late, float64(v.waiting))
		v.waiting = -1
	}
}

// crediblyOut is the published definition: judged, and farther out than min(accuracy, 15 m).
func crediblyOut(e Event) bool {
	judged := e.Outcome.Refused == RefusedOutside || e.Outcome.Refused == RefusedSpeed
	return e.Fix != nil && judged && e.Place.DistM > min(e.Fix.AccuracyM, 15)
}

func (ta *tally) hours() float64   { return float64(ta.insideMS) / 3.6e6 }
func (ta *tally) visible() float64 { return float64(ta.visibleMS) / float64(ta.insideMS) }

// String is a row of the table.
func (ta *tally) String() string {
	h := ta.hours()
	return fmt.Sprintf("%4.1f h │ enters %.3f │ falsely hidden %5.1f/h, ended %4.1f/h │ visible %.1f %% │ entered %2.0f s │ hidden %2.0f/%2.0f/%2.0f s, %.0f fixes late │ ended %2.0f/%2.0f/%2.0f s",
		h, float64(ta.enters)/float64(ta.walks), float64(ta.hides)/h, float64(ta.ends)/h, ta.visible()*100, quantile(ta.entered, 0.5),
		quantile(ta.hidden, 0.5), quantile(ta.hidden, 0.95), quantile(ta.hidden, 0.99), quantile(ta.late, 0.99),
		quantile(ta.gone, 0.5), quantile(ta.gone, 0.95), quantile(ta.gone, 0.99))
}

func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return -1
	}
	v = slices.Sorted(slices.Values(v))
	return v[int(q*float64(len(v)-1)+0.5)]
}
