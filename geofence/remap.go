// SPDX-License-Identifier: Apache-2.0

package geofence

// Remap takes a visit over to another map of its store, between two fixes: from here on only the new
// map judges it. Zones that the new map has under the same id go on, as it draws them (what it calls
// sensitive is sensitive at once); the others are left. What was gathered against the old boundary,
// toward entering, suspending, ending or resuming, is forgotten. Whether the visit is still inside is
// for the next fix to say.
func (r Rules) Remap(p Presence, next *Site, now int64) (Presence, Outcome) {
	var out Outcome
	p.breakRow()
	p.score, p.sure, p.hint = 0, 0, nil
	if p.State == Suspended {
		p.row = 0
	}
	var keep [2]*Zone
	n := 0
	for i, z := range p.shown {
		if z = next.zone(z); z != nil {
			keep[n], p.shownAt[n] = z, p.shownAt[i]
			n++
		}
	}
	p.show(&out, keep, p.certain && n > 0, now)
	return p, out
}

// zone is this map's zone of the same id; nil if it has none.
func (s *Site) zone(old *Zone) *Zone {
	if old == nil {
		return nil
	}
	for i := range s.Levels {
		for j := range s.Levels[i].Zones {
			if z := &s.Levels[i].Zones[j]; sameZone(z, old) {
				return z
			}
		}
	}
	return nil
}
