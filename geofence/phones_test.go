// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"math/rand/v2"
)

// phone is a model of how a phone errs indoors. Lengths are metres along each axis, times seconds,
// rates an hour.
type phone struct {
	name   string
	bias   float64    // constant over a walk
	place  float64    // constant at a place, changing over some 15 m, as radio maps err
	pull   float64    // share of the way to the middle of the building that fixes are drawn, 6 m at most
	drift  float64    // first-order, with the memory
	memory float64    //
	white  float64    // afresh in every fix
	jumps  float64    // to a wrong spot 20–60 m away, for 5 s up to stay; half of them admit it
	stay   float64    //
	pace   [2]float64 // between fixes, from–to; else one a second
	gaps   float64    // of 5–20 s without a fix
	within float64    // share of the fixes that lie within their stated accuracy
	vague  float64    // share of the fixes that state 50–900 m
	states float64    // if set: the accuracy that all state instead
	twice  float64    // share of the fixes that are delivered twice
}

// likePhones err about as the recordings did that the published table of rules was made from:
// TestPublishedRules holds them to it. The others are worse, each in a way of its own.
var (
	likePhones = []phone{
		{name: "like A", bias: 2.5, place: 4, pull: 0.15, drift: 2.5, memory: 8, white: 0.5, jumps: 1, stay: 15, within: 0.61, vague: 0.03, twice: 0.5},
		{name: "like B", bias: 3, place: 4.5, pull: 0.3, drift: 3, memory: 8, white: 0.5, jumps: 1, stay: 15, within: 0.61, vague: 0.03, twice: 0.5},
		{name: "like C", bias: 3, place: 4, pull: 0.4, drift: 4, memory: 20, white: 0.5, jumps: 1, stay: 15, pace: [2]float64{1, 2}, within: 0.64, vague: 0.05, twice: 0.5, gaps: 5},
	}
	worsePhones = []phone{
		{name: "biased, slow", bias: 4, place: 2, drift: 4, memory: 30, white: 0.5, jumps: 1, stay: 15, pace: [2]float64{1, 2}, within: 0.6, vague: 0.03, twice: 0.5},
		{name: "quick, gaps", bias: 2, place: 2, drift: 4, memory: 5, white: 1, jumps: 3, stay: 20, pace: [2]float64{1, 5}, within: 0.63, vague: 0.05, twice: 0.5, gaps: 10},
		{name: "jumpy", bias: 2, place: 3, pull: 0.1, drift: 2.5, memory: 12, white: 0.5, jumps: 20, stay: 30, within: 0.58, vague: 0.08, twice: 0.5, gaps: 10},
		{name: "drifting 8 m", drift: 5.66, memory: 10, within: 0.6, twice: 0.4},
	}
)

// fixes reports all walks. The same seed gives the same fixes.
func (ph phone) fixes(x *Index, walks []walk, seed uint64) [][]Fix {
	out, errs, ratios := make([][]Fix, len(walks)), make([][]float64, len(walks)), []float64(nil)
	for i, w := range walks {
		s := &stumble{phone: ph, rng: rand.New(rand.NewPCG(seed, uint64(i))), seed: seed}
		out[i], errs[i] = s.walk(&x.plane, w)
		for j, f := range out[i] {
			ratios = append(ratios, errs[i][j]/f.AccuracyM)
		}
	}
	scale := quantile(ratios, ph.within)
	for i := range out {
		out[i] = ph.deliver(out[i], scale, rand.New(rand.NewPCG(seed+1, uint64(i))))
	}
	return out
}

// stumble is one phone's error as a walk goes on.
type stumble struct {
	phone
	rng        *rand.Rand
	seed       uint64
	always     vec // the walk's bias
	drifted    vec
	wrong      vec     // while t < wrongUntil
	wrongUntil float64 //
	admits     bool    // does the stated accuracy know of it?
	mood       float64 // of the stated accuracy
	silent     float64 // until
	t, next    float64
}

// walk gives a walk's fixes and how far off each is. Accuracies still lack their scale.
func (s *stumble) walk(pl *plane, w walk) (out []Fix, errs []float64) {
	s.always, s.drifted, s.mood = s.normal(s.bias), s.normal(s.drift), s.rng.NormFloat64()
	for i := range w.at {
		s.pass(float64(w.t[i]-w.t[0]) / 1000)
		d := s.off(pl.xy(w.recordedAt(i)), pl.xy(w.middle))
		if s.t < s.next || s.t < s.silent {
			continue
		}
		s.next = s.t + s.pace[0] + s.rng.Float64()*(s.pace[1]-s.pace[0])
		p, far := pl.xy(w.at[i]), math.Hypot(d.x, d.y)
		out = append(out, Fix{T: w.t[i], At: pl.latLng(vec{p.x + d.x, p.y + d.y}), AccuracyM: s.shape(far), Level: w.level, HasLevel: true, Precise: true})
		errs = append(errs, far)
	}
	return out, errs
}

// pass lets time pass, to t seconds after the start.
func (s *stumble) pass(t float64) {
	dt := t - s.t
	s.t = t
	fade := func(memory float64) (keep, fresh float64) {
		keep = math.Exp(-dt / max(memory, 0.01))
		return keep, math.Sqrt(1 - keep*keep)
	}
	keep, fresh := fade(s.memory)
	n := s.normal(s.drift * fresh)
	s.drifted = vec{s.drifted.x*keep + n.x, s.drifted.y*keep + n.y}
	keep, fresh = fade(15)
	s.mood = s.mood*keep + s.rng.NormFloat64()*fresh
	if t > s.wrongUntil && s.rng.Float64() < dt*s.jumps/3600 {
		a, d := s.rng.Float64()*2*math.Pi, 20+40*s.rng.Float64()
		s.wrong, s.wrongUntil, s.admits = vec{d * math.Cos(a), d * math.Sin(a)}, t+5+(s.stay-5)*s.rng.Float64(), s.rng.IntN(2) == 0
	}
	if s.rng.Float64() < dt*s.gaps/3600 {
		s.silent = t + 5 + 15*s.rng.Float64()
	}
}

// off is the error at a place.
func (s *stumble) off(at, middle vec) vec {
	w, f := s.normal(s.white), s.field(at)
	d := vec{s.always.x + s.drifted.x + w.x + f.x, s.always.y + s.drifted.y + w.y + f.y}
	pull := min(s.pull, 6/max(1, math.Hypot(middle.x-at.x, middle.y-at.y)))
	d = vec{d.x + pull*(middle.x-at.x), d.y + pull*(middle.y-at.y)}
	if s.t < s.wrongUntil {
		d = vec{d.x + s.wrong.x, d.y + s.wrong.y}
	}
	return d
}

// field is the error that belongs to a place: random at the corners of a grid of 15 m, straight in between.
func (s *stumble) field(p vec) (sum vec) {
	const m = 15
	if s.place == 0 {
		return sum
	}
	fx, fy := math.Floor(p.x/m), math.Floor(p.y/m)
	for i := range 4 {
		cx, cy := fx+float64(i&1), fy+float64(i>>1)
		rng := rand.New(rand.NewPCG(s.seed^uint64(int64(cx)), uint64(int64(cy))))
		share := (1 - math.Abs(p.x/m-cx)) * (1 - math.Abs(p.y/m-cy)) * 1.4 * s.place
		sum = vec{sum.x + share*rng.NormFloat64(), sum.y + share*rng.NormFloat64()}
	}
	return sum
}

// shape is a stated accuracy but for its scale: it knows a little of the true error, unless that is a
// jump that the phone does not admit.
func (s *stumble) shape(far float64) float64 {
	usual := math.Sqrt(s.bias*s.bias + s.place*s.place + s.drift*s.drift + s.white*s.white)
	if s.t < s.wrongUntil && !s.admits {
		far = usual
	}
	return math.Pow(max(usual, 1), 0.6) * math.Pow(max(far, 1), 0.4) * math.Exp(0.35*s.mood)
}

func (s *stumble) normal(m float64) vec { return vec{s.rng.NormFloat64() * m, s.rng.NormFloat64() * m} }

// deliver states the accuracies, numbers the fixes, and hands some over twice.
func (ph phone) deliver(fixes []Fix, scale float64, rng *rand.Rand) (out []Fix) {
	for _, f := range fixes {
		f.AccuracyM = max(4, f.AccuracyM*scale)
		if ph.states > 0 {
			f.AccuracyM = ph.states
		}
		if rng.Float64() < ph.vague {
			f.AccuracyM = 50 * math.Pow(18, rng.Float64())
		}
		f.Seq = int64(len(out) + 1)
		if out = append(out, f); rng.Float64() < ph.twice {
			f.Seq++
			out = append(out, f)
		}
	}
	return out
}
