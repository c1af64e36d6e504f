// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// leg is a straight piece of a walk, or a pause when it goes nowhere.
type leg struct {
	from, to  xy
	takes     time.Duration
	level     int
	accuracyM float64 // as recorded; 0: the noise's
	gap       bool    // nothing was recorded here
	offline   bool    // there was no network here
	synthetic bool
}

// planner lays legs one after another.
type planner struct {
	rnd   *rand.Rand
	opt   Options
	level *level
	legs  []leg
	at    xy
	trail []xy // the way back to the threshold, each step of it clear
	homeM float64
}

// plan is a visit: up to a door, in, around, out of a door, away.
func plan(m *Map, opt Options, rnd *rand.Rand) ([]leg, error) {
	l, entry, out, err := entrance(m, opt, rnd)
	if err != nil {
		return nil, err
	}
	p := &planner{rnd: rnd, opt: opt, level: l, at: entry.add(out.times(opt.ApproachM))}
	p.walk(entry)
	inward := entry.add(out.times(-1.5))
	if !l.area.contains(inward) {
		return nil, fmt.Errorf("%w: there is no room behind the door", ErrMap)
	}
	p.trail = []xy{entry}
	p.step(inward)
	p.wander(opt.Plan.Inside - p.pace(1.5))
	if opt.Plan.EndBy == Exit {
		p.leave(entry, out)
	}
	return p.legs, nil
}

// entrance picks a door, or a point of the boundary if there is none, and the way out of it.
func entrance(m *Map, opt Options, rnd *rand.Rand) (l *level, at, out xy, err error) {
	var doors []door
	for _, d := range m.doors {
		if opt.Level == nil || d.level == *opt.Level {
			doors = append(doors, d)
		}
	}
	l = m.lowest()
	if opt.Level != nil {
		if l = m.level(*opt.Level); l == nil {
			return nil, at, out, fmt.Errorf("%w: there is no level %d", ErrMap, *opt.Level)
		}
	}
	if len(doors) > 0 {
		d := doors[rnd.IntN(len(doors))]
		l, at = m.level(d.level), d.at
	} else if at, err = somewhere(l, rnd); err != nil {
		return nil, at, out, err
	}
	for range 64 { // a corner or a niche may have no way out: then another point of the boundary has
		at, _, _ = l.area.nearest(at)
		if out, ok := wayOut(l.area, at, opt.OutM); ok && l.area.contains(at.add(out.times(-1.5))) {
			return l, at, out, nil
		}
		if at, err = somewhere(l, rnd); err != nil {
			return nil, at, out, err
		}
	}
	return nil, at, out, fmt.Errorf("%w: no way leads out", ErrMap)
}

// somewhere is a random point inside.
func somewhere(l *level, rnd *rand.Rand) (xy, error) {
	b := l.area.box()
	for range 10_000 {
		p := xy{b.min.x + rnd.Float64()*(b.max.x-b.min.x), b.min.y + rnd.Float64()*(b.max.y-b.min.y)}
		if l.area.contains(p) {
			return p, nil
		}
	}
	return xy{}, fmt.Errorf("%w: level %d has no room", ErrMap, l.ordinal)
}

// wayOut is the straight direction, from a point of the boundary, that leaves the area for good:
// square to the edge if possible, else turned by as little as can be.
func wayOut(area polygons, at xy, outM float64) (xy, bool) {
	_, along, _ := area.nearest(at)
	square := math.Atan2(-along.x, along.y) // along turned to its right
	for turn := 0.0; turn < math.Pi/2; turn += math.Pi / 24 {
		for _, a := range []float64{square + turn, square - turn, square + math.Pi + turn, square + math.Pi - turn} {
			if d := direction(a); leaves(area, at, d, outM) {
				return d, true
			}
		}
	}
	return xy{}, false
}

// leaves reports whether the way from at in direction d is outside from 10 cm on, up to outM from the area.
func leaves(area polygons, at, d xy, outM float64) bool {
	end, ok := far(area, at, d, outM)
	return ok && !area.contains(at.add(d.times(0.1))) && area.clear(at.add(d.times(0.1)), end)
}

// far is the first point, in steps of 5 m, that is outM from the area.
func far(area polygons, at, d xy, outM float64) (xy, bool) {
	for s := outM; s <= outM+1000; s += 5 {
		p := at.add(d.times(s))
		if _, _, m := area.nearest(p); m >= outM && !area.contains(p) {
			return p, true
		}
	}
	return xy{}, false
}

func (p *planner) pace(m float64) time.Duration {
	return time.Duration(m / p.opt.SpeedMPS * float64(time.Second))
}

// walk goes straight to q.
func (p *planner) walk(q xy) {
	p.legs = append(p.legs, leg{from: p.at, to: q, takes: p.pace(distance(p.at, q)), level: p.level.ordinal, synthetic: true})
	p.at = q
}

func (p *planner) pause(d time.Duration) {
	if d > 0 {
		p.legs = append(p.legs, leg{from: p.at, to: p.at, takes: d, level: p.level.ordinal, synthetic: true})
	}
}

// step walks to q and remembers how to get back: straight to the threshold if that is clear, else
// by the way it came.
func (p *planner) step(q xy) {
	came := p.at
	p.walk(q)
	threshold := p.trail[0]
	if p.level.area.clear(q, threshold.to(q, 0.01)) {
		p.trail = p.trail[:1]
		p.homeM = distance(q, threshold)
		return
	}
	p.trail = append(p.trail, came)
	p.homeM += distance(came, q)
}

// wander fills the time that is left, keeping enough of it for the way back.
func (p *planner) wander(left time.Duration) {
	for {
		spare := p.spare(left)
		q, ok := p.next(spare)
		if spare < p.pace(1) || !ok {
			p.pause(spare)
			return
		}
		left -= p.pace(distance(p.at, q))
		p.step(q)
		rest := p.rest(p.spare(left))
		p.pause(rest)
		left -= rest
	}
}

// spare is what the way back leaves of the time left.
func (p *planner) spare(left time.Duration) time.Duration {
	if p.opt.Plan.EndBy == Exit {
		left -= p.pace(p.homeM)
	}
	return left
}

// rest is how long somebody stands in front of a shelf; on a short visit they do not.
func (p *planner) rest(spare time.Duration) time.Duration {
	if spare < 2*time.Minute {
		return 0
	}
	return min(time.Minute, time.Duration(p.rnd.ExpFloat64()*float64(12*time.Second)))
}

// next is a point to walk to, from where there is time to get back: in a zone if possible.
func (p *planner) next(spare time.Duration) (xy, bool) {
	reach := spare.Seconds() * p.opt.SpeedMPS
	for try := range 200 {
		q := p.candidate(try, reach/2)
		step := distance(p.at, q)
		if step < 0.5 || !p.level.area.contains(q) || !p.level.area.clear(p.at, q) {
			continue
		}
		back := p.homeM + step
		if p.level.area.clear(q, p.trail[0].to(q, 0.01)) {
			back = distance(q, p.trail[0])
		}
		if p.opt.Plan.EndBy == Exit && step+back-p.homeM > reach || p.opt.Plan.EndBy != Exit && step > reach {
			continue
		}
		return q, true
	}
	return xy{}, false
}

// candidate is a point of some zone at first, and later one nearby.
func (p *planner) candidate(try int, near float64) xy {
	if zones := p.level.zones; len(zones) > 0 && try < 100 {
		b := zones[p.rnd.IntN(len(zones))]
		q := xy{}
		for range 20 {
			x := b.box()
			q = xy{x.min.x + p.rnd.Float64()*(x.max.x-x.min.x), x.min.y + p.rnd.Float64()*(x.max.y-x.min.y)}
			if b.contains(q) {
				break
			}
		}
		return q
	}
	r := min(near, 40) * math.Sqrt(p.rnd.Float64())
	return p.at.add(direction(p.rnd.Float64() * 2 * math.Pi).times(r))
}

// leave goes back over the threshold and away.
func (p *planner) leave(entry, out xy) {
	for i := len(p.trail) - 1; i >= 0; i-- {
		p.walk(p.trail[i])
	}
	p.at = entry
	p.goAway(out)
}

func (p *planner) goAway(out xy) {
	if end, ok := far(p.level.area, p.at, out, p.opt.OutM); ok {
		p.walk(end)
	}
}
