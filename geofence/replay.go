// SPDX-License-Identifier: Apache-2.0

package geofence

import "iter"

// Event is one step of a replay: a fix and what it did or, with Fix nil, the passing of time when
// that did something.
type Event struct {
	T        int64 // the clock, Unix milliseconds
	Fix      *Fix
	Place    Place
	Outcome  Outcome
	Presence Presence // after the step
}

// Replay runs fixes through the index and the rules one by one, holding none. The clock is the fixes'
// own T, and never goes back: a fix out of order is as late as it would have been. Between fixes, and
// after the last one, time runs out where it does. A fix without a sequence number gets the next.
// After an end the next fix begins a new visit (see Presence.Next), as an app's next session would. The first error of
// fixes is handed on and stops the replay, as does a caller that stops listening.
func (r Rules) Replay(x *Index, fixes iter.Seq2[Fix, error]) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		p := player{rules: r, index: x, yield: yield}
		for f, err := range fixes {
			if err != nil {
				yield(Event{T: p.clock}, err)
				return
			}
			if !p.until(f.T) || !p.fix(f) {
				return
			}
		}
		p.until(p.clock + r.LeaseMS + r.SuspendMS)
	}
}

type player struct {
	rules Rules
	index *Index
	yield func(Event, error) bool
	visit Presence
	clock int64
	seq   int64
}

// until lets time pass, stopping where the lease runs out.
func (p *player) until(t int64) bool {
	if end := p.visit.LeaseUntil(); end != 0 && end <= t {
		p.clock = max(p.clock, end)
		var out Outcome
		p.visit, out = p.rules.Tick(p.visit, p.clock)
		if out.n > 0 && !p.yield(Event{T: p.clock, Outcome: out, Presence: p.visit}, nil) {
			return false
		}
	}
	p.clock = max(p.clock, t)
	return true
}

func (p *player) fix(f Fix) bool {
	if f.Seq == 0 {
		f.Seq = p.seq + 1
	}
	p.seq = max(p.seq, f.Seq)
	if p.visit.State == Ended {
		p.visit = p.visit.Next()
	}
	at := p.index.Locate(f.At, f.Level, f.HasLevel)
	var out Outcome
	p.visit, out = p.rules.Step(p.visit, f, at, p.clock)
	return p.yield(Event{T: p.clock, Fix: &f, Place: at, Outcome: out, Presence: p.visit}, nil)
}
