// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"io"
	"math"
	"math/rand/v2"
	"time"
)

// Walker yields a walk fix by fix. It belongs to one goroutine.
type Walker struct {
	m     *Map // nil for a trace without a map
	plane plane
	opt   Options
	rnd   *rand.Rand
	legs  []leg
	drift noise

	elapsed time.Duration // of the walk, at the next fix
	legAt   time.Duration // when legs[0] began
	silent  time.Duration // no fix before this
	offline time.Duration // no network before this
}

// NewWalker plans a visit to a store.
func NewWalker(m *Map, opt Options) (*Walker, error) {
	opt = opt.filled()
	rnd := rand.New(rand.NewPCG(opt.Seed, 0x646f6f7273746570))
	legs, err := plan(m, opt, rnd)
	if err != nil {
		return nil, err
	}
	return &Walker{m: m, plane: m.plane, opt: opt, rnd: rnd, legs: legs}, nil
}

// NewTraceWalker walks a recorded trace: NDJSON lines {t, lat, lng, floor, accuracy_m}, with t in
// Unix milliseconds and accuracy_m null when unknown; or the tracks of a GPX file. Between its lines it walks straight; where it has
// none for more than 10 s, no fix comes. With a map and Plan.EndBy Exit, a trace that
// ends inside is carried out of the store; Plan.Inside has no meaning here. Times start at Options.Start.
func NewTraceWalker(r io.Reader, m *Map, opt Options) (*Walker, error) {
	opt = opt.filled()
	rnd := rand.New(rand.NewPCG(opt.Seed, 0x646f6f7273746570))
	var at plane
	if m != nil {
		at = m.plane
	}
	legs, at, err := readTrace(r, at)
	if err != nil {
		return nil, err
	}
	if m != nil && opt.Plan.EndBy == Exit {
		if legs, err = carryOut(m, legs, opt, &planner{rnd: rnd, opt: opt}); err != nil {
			return nil, err
		}
	}
	return &Walker{m: m, plane: at, opt: opt, rnd: rnd, legs: legs}, nil
}

// Length is how long the whole walk takes.
func (w *Walker) Length() time.Duration {
	total := w.legAt
	for _, l := range w.legs {
		total += l.takes
	}
	return total
}

// Next is the next fix, where the phone truly was, and whether there was one more. Fixes are
// Options.Every apart, but for gaps; it does not wait.
func (w *Walker) Next() (Fix, Truth, bool) {
	for {
		for len(w.legs) > 0 && w.elapsed >= w.legAt+w.legs[0].takes {
			if len(w.legs) == 1 && w.elapsed == w.legAt+w.legs[0].takes {
				break // the last step of all belongs to the walk
			}
			w.legAt += w.legs[0].takes
			w.legs = w.legs[1:]
		}
		if len(w.legs) == 0 {
			return Fix{}, Truth{}, false
		}
		at := w.elapsed
		w.elapsed += w.opt.Every
		if w.missing(at) {
			continue
		}
		truth, fix := w.look(w.legs[0], at)
		fix.Offline = w.lost(at) || w.legs[0].offline
		return fix, truth, true
	}
}

// missing reports whether no fix comes at this time. Gaps begin at random.
func (w *Walker) missing(at time.Duration) bool {
	n := w.opt.Noise
	if w.legs[0].gap || at < w.silent {
		return true
	}
	if n.GapsPerHour > 0 && n.Gap > 0 && w.rnd.Float64() < n.GapsPerHour*w.opt.Every.Hours() {
		w.silent = at + time.Duration(w.rnd.Float64()*float64(n.Gap))
		return true
	}
	return false
}

// lost reports whether there is no network at this time. Losses begin at random.
func (w *Walker) lost(at time.Duration) bool {
	n := w.opt.Noise
	if at >= w.offline && n.DropsPerHour > 0 && n.Drop > 0 && w.rnd.Float64() < n.DropsPerHour*w.opt.Every.Hours() {
		w.offline = at + time.Duration(w.rnd.Float64()*float64(n.Drop))
	}
	return at < w.offline
}

// look is the truth at a time within a leg, and what the phone makes of it.
func (w *Walker) look(l leg, at time.Duration) (Truth, Fix) {
	s := 1.0
	if l.takes > 0 {
		s = min(1, float64(at-w.legAt)/float64(l.takes))
	}
	place := l.from.to(l.to, s)
	when := w.opt.Start.Add(at)
	truth := Truth{T: when.UnixMilli(), Level: l.level, Synthetic: l.synthetic}
	truth.Lat, truth.Lng = w.plane.latLng(place)
	if area := w.area(l.level); area != nil {
		_, _, truth.BoundaryM = area.nearest(place)
		if truth.Inside = area.contains(place); truth.Inside {
			truth.BoundaryM = -truth.BoundaryM
		}
	}
	seen, accuracy := w.drift.distort(place, at, w.opt.Noise, w.opt.Every, w.rnd)
	if l.accuracyM > 0 {
		accuracy = l.accuracyM
	}
	fix := Fix{T: when.Add(w.opt.Noise.Skew).UnixMilli(), AccuracyM: accuracy, Level: l.level, HasLevel: true}
	fix.Lat, fix.Lng = w.plane.latLng(seen)
	if d := l.to.sub(l.from); d.len() > 0 && l.takes > 0 {
		fix.SpeedMPS, fix.HeadingDeg = d.len()/l.takes.Seconds(), d.compass()
	}
	return truth, fix
}

func (w *Walker) area(ordinal int) polygons {
	if w.m == nil {
		return nil
	}
	if l := w.m.level(ordinal); l != nil {
		return l.area
	}
	return nil
}

// noise is a phone's error as it goes: a first-order autoregression on each axis, and spikes.
type noise struct {
	begun bool
	off   xy
	last  time.Duration
	spike xy
	left  int // fixes that the spike still lasts
}

// distort moves a place, and claims an accuracy. Half of the spikes are owned up to.
func (n *noise) distort(place xy, at time.Duration, by Noise, every time.Duration, rnd *rand.Rand) (xy, float64) {
	keep := 0.0
	if n.begun && by.Correlation > 0 {
		keep = math.Exp(-float64(at-n.last) / float64(by.Correlation))
	}
	fresh := by.SigmaM * math.Sqrt(1-keep*keep)
	n.off = n.off.times(keep).add(xy{rnd.NormFloat64() * fresh, rnd.NormFloat64() * fresh})
	n.begun, n.last = true, at
	accuracy := by.AccuracyM
	if n.left == 0 && by.SpikesPerHour > 0 && rnd.Float64() < by.SpikesPerHour*every.Hours() {
		n.left = 1 + rnd.IntN(3)
		n.spike = direction(rnd.Float64() * 2 * math.Pi).times(by.SpikeM)
	}
	out := place.add(n.off)
	if n.left > 0 {
		n.left--
		out = out.add(n.spike)
		if rnd.IntN(2) == 0 {
			accuracy += by.SpikeM
		}
	}
	return out, accuracy
}
