// SPDX-License-Identifier: Apache-2.0

package geofence

// zones decides which zones to name after an accepted fix.
//
//	certain   fixes stayed in it for ZoneMS, and the last one's accuracy is within its half-width and
//	          its level known: whoever may be on any of five floors is in no one shop of them
//	likely    otherwise: the smallest zone that the fix fell into, and the one before it while that
//	          was no more than LikelyMS ago. Someone between two counters is thus in either, and
//	          fixes that jump to and fro change nothing.
//
// A certain zone is kept until fixes have stayed out of it for ZoneLeaveMS, or another is certain.
func (r *Rules) zones(p *Presence, out *Outcome, f *Fix, at *Place, now int64) {
	p.follow(fitting(at, f.AccuracyM), at, f.T)
	if h := p.hint; h != nil && at.LevelKnown && f.AccuracyM <= h.HalfWidthM && f.T-p.hintSince >= r.ZoneMS {
		if !p.certain || !sameZone(p.shown[0], h) {
			p.show(out, [2]*Zone{h}, true, now)
			p.zoneSince = p.hintSince
		}
	}
	if p.certain {
		if holds(at, p.shown[0]) {
			p.shownAt[0] = f.T
			return
		}
		if f.T-p.shownAt[0] < r.ZoneLeaveMS {
			return
		}
	}
	r.likely(p, out, at, f.T, now)
}

// fitting is the smallest zone that the fix fell into and is accurate enough for; none if it may be on
// another level.
func fitting(at *Place, accuracy float64) *Zone {
	if !at.LevelKnown {
		return nil
	}
	for _, z := range at.Zones[:at.N] {
		if accuracy <= z.HalfWidthM {
			return z
		}
	}
	return nil
}

// follow keeps the hint while fixes stay in it, however accurate; after it the hint holds the fix or
// is nil. Once it is certain, a smaller zone may take over; a larger
// one around it does not, or a zone would flicker with the accuracy.
func (p *Presence) follow(fits *Zone, at *Place, t int64) {
	stays := p.hint != nil && holds(at, p.hint)
	within := p.certain && fits != nil && sameZone(p.shown[0], p.hint) && bySize(fits, p.hint) < 0
	if !stays || within {
		p.hint, p.hintSince = fits, t
	}
}

// likely names the smallest zone at the fix, and the last other one for a while.
func (r *Rules) likely(p *Presence, out *Outcome, at *Place, t, now int64) {
	var next [2]*Zone
	var when [2]int64
	n := 0
	keep := func(z *Zone, seen int64) {
		if z != nil && n < 2 && (n == 0 || !sameZone(z, next[0])) {
			next[n], when[n] = z, seen
			n++
		}
	}
	if at.N > 0 {
		keep(at.Zones[0], t)
	}
	for i, z := range p.shown {
		if !p.certain && t-p.shownAt[i] <= r.LikelyMS {
			keep(z, p.shownAt[i])
		}
	}
	p.show(out, next, false, now)
	p.shownAt = when
}

// show changes what is named and says so.
func (p *Presence) show(out *Outcome, next [2]*Zone, certain bool, now int64) {
	old, was := p.shown, p.certain
	for _, z := range old {
		if z != nil && !sameZone(z, next[0]) && !sameZone(z, next[1]) {
			out.add(Transition{Kind: ZoneExit, T: now, Zone: z, Certain: was})
		}
	}
	for _, z := range next {
		known := z != nil && (sameZone(z, old[0]) || sameZone(z, old[1]))
		if z != nil && (!known || certain && !was) {
			out.add(Transition{Kind: ZoneEnter, T: now, Zone: z, Certain: certain})
		}
	}
	p.shown, p.certain = next, certain
	if !certain {
		p.zoneSince = 0
	}
}

// sameZone compares by id, so that a new version of the map changes no zone that is in both.
func sameZone(a, b *Zone) bool { return a == b || a != nil && b != nil && a.ID == b.ID }

func holds(at *Place, z *Zone) bool {
	for _, y := range at.Zones[:at.N] {
		if sameZone(y, z) {
			return true
		}
	}
	return false
}

// CheckIn fixes the zone by a tag that was read in the store. It holds like any certain zone and
// renews nothing. Only a visit under way can check in: in any other state nothing happens, and the
// outcome is refused as outside.
func (r Rules) CheckIn(p Presence, z *Zone, now int64) (Presence, Outcome) {
	p, out := r.Tick(p, now)
	if p.State != Inside || z == nil {
		return p, out.refuse(RefusedOutside)
	}
	if !p.certain || !sameZone(p.shown[0], z) {
		p.show(&out, [2]*Zone{z}, true, now)
		p.zoneSince = now
	}
	p.shownAt = [2]int64{now}
	p.hint, p.hintSince = z, p.zoneSince
	return p, out
}
