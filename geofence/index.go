// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Place is where a point fell in a site.
//
// DistM is the signed distance in metres to the boundary, negative inside, right to a centimetre
// while it is no more than 60 m inside and 200 m outside. Beyond, it is a bound with the right sign:
// the point is at least that deep inside (DistM < -60) or at least that far outside (DistM > 200; at
// most 10 km is ever claimed).
//
// Without a known level a point is inside if it is inside on any level, DistM is the least of all
// levels', and the zones are those of every level it is inside of.
type Place struct {
	Valid      bool // the point is a number in range; nothing else holds otherwise
	Inside     bool // the edge counts as inside
	DistM      float64
	Level      int // the level that was used; holds only if LevelKnown
	LevelKnown bool
	N          int      // how many of Zones are set
	Zones      [4]*Zone // by least area, then id; if there are more than four, the smallest four
}

// Index answers where a point lies in one site: exactly, nearly always by one H3 conversion and a
// look-up. It is immutable, and safe for use by any number of goroutines.
type Index struct {
	site   *Site
	plane  plane
	levels []levelIndex // in the order of site.Levels
	reach  box          // all that any cover can know
}

type levelIndex struct {
	ordinal int
	cover   *cover
	near    *near
	zones   []*Zone // by least area, then id
	areas   []*area // of the same order
}

// NewIndex builds the index of a loaded site: about 0.1 s and 1 MB a level with hundreds of zones.
// It fails for a site without levels and for one that Load would have refused.
func NewIndex(s *Site) (*Index, error) { return newIndex(s, cellBudget) }

func newIndex(s *Site, budget float64) (*Index, error) {
	if s == nil || len(s.Levels) == 0 {
		return nil, errors.New("geofence: a site without levels cannot be indexed")
	}
	if err := indexable(s); err != nil {
		return nil, err
	}
	x := &Index{site: s, plane: newPlane(s), reach: emptyBox()}
	for i := range s.Levels {
		l, err := x.indexLevel(&s.Levels[i], budget)
		if err != nil {
			return nil, fmt.Errorf("level %d: %w", s.Levels[i].Ordinal, err)
		}
		x.levels = append(x.levels, l)
	}
	return x, nil
}

// indexable guards what the geometry below takes for granted, for sites that were built by hand.
func indexable(s *Site) error {
	for _, l := range s.Levels {
		if err := sound(l.Boundary); err != nil {
			return fmt.Errorf("geofence: boundary of level %d: %w", l.Ordinal, err)
		}
		for _, z := range l.Zones {
			if err := sound(z.Shape); err != nil {
				return fmt.Errorf("geofence: zone %q: %w", z.ID, err)
			}
		}
	}
	return nil
}

func sound(m MultiPolygon) error {
	if len(m) == 0 {
		return errors.New("has no area")
	}
	for _, part := range m {
		if len(part) == 0 {
			return errors.New("has an empty part")
		}
		for _, ring := range part {
			if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
				return errors.New("has a ring that is not closed or too short")
			}
			for _, p := range ring {
				if !inRange(p) {
					return errors.New("has a point out of range")
				}
			}
		}
	}
	return nil
}

func (x *Index) indexLevel(l *Level, budget float64) (levelIndex, error) {
	out := levelIndex{ordinal: l.Ordinal}
	for i := range l.Zones {
		out.zones = append(out.zones, &l.Zones[i])
	}
	slices.SortFunc(out.zones, bySize)
	out.near = newNear(newArea(&x.plane, l.Boundary))
	x.cover(out.near.area.box)
	var poking []MultiPolygon
	for _, z := range out.zones {
		a := newArea(&x.plane, z.Shape)
		out.areas = append(out.areas, a)
		x.cover(a.box)
		if a.pokesOut(out.near.area) {
			poking = append(poking, z.Shape)
		}
	}
	var err error
	out.cover, err = coverWithin(&x.plane, out.near, l.Boundary, out.areas, poking, budget)
	return out, err
}

func (x *Index) cover(b box) { x.reach.add(b.lo); x.reach.add(b.hi) }

func (a *area) pokesOut(b *area) bool {
	for _, s := range a.segs {
		if !b.contains(a.plane.latLng(s.a)) {
			return true
		}
	}
	return false
}

// bySize is the tie-break between zones that hold the same point.
func bySize(a, b *Zone) int {
	return cmp.Or(cmp.Compare(a.AreaM2, b.AreaM2), cmp.Compare(a.ID, b.ID))
}

// Site is the map this index was built from.
func (x *Index) Site() *Site { return x.site }

// Locate says where p lies on a level, or, if the level is not known or not the site's, on any. It
// takes about 1.5 µs, nearly all of it h3-go's conversion, which also makes the only allocation.
func (x *Index) Locate(p LatLng, level int, hasLevel bool) Place {
	if !inRange(p) {
		return Place{}
	}
	at := x.plane.xy(p)
	place := Place{Valid: true, DistM: math.Inf(1)}
	one := x.levelOf(level, hasLevel)
	if one >= 0 {
		place.Level, place.LevelKnown = x.levels[one].ordinal, true
	}
	cells := cellMemo{res: -1}
	inReach := x.reach.contains(at)
	for i := range x.levels {
		if one >= 0 && one != i {
			continue
		}
		l := &x.levels[i]
		var info *cellInfo
		if inReach {
			info = l.cover.look(cells.at(p, l.cover.res))
		}
		l.judge(&place, info, p, at, one >= 0)
	}
	return place
}

// levelOf is the index of the level to use, or -1 for any.
func (x *Index) levelOf(level int, has bool) int {
	if len(x.levels) == 1 {
		return 0
	}
	if has {
		for i := range x.levels {
			if x.levels[i].ordinal == level {
				return i
			}
		}
	}
	return -1
}

// cellMemo converts once for all levels of the same resolution.
type cellMemo struct {
	res  int
	cell uint64
}

func (m *cellMemo) at(p LatLng, res int) uint64 {
	if m.res != res {
		m.cell, _ = cellOf(p, res) // p is in range
		m.res = res
	}
	return m.cell
}

// judge adds what one level says. On a known level, zones that poke out of the boundary are named
// outside of it too; on an unknown one only where the fix fits.
func (l *levelIndex) judge(place *Place, info *cellInfo, p LatLng, at vec, known bool) {
	inside := info != nil && (info.class == insideCell || info.class == edgeCell && l.near.area.contains(p))
	d := l.near.edgeDist(at)
	if inside {
		d = -d
		place.Inside = true
	}
	place.DistM = min(place.DistM, d)
	if info == nil || !inside && !known {
		return
	}
	for _, c := range info.zones {
		if c.whole || l.areas[c.zone].contains(p) {
			place.addZone(l.zones[c.zone])
		}
	}
}

// addZone keeps the smallest four in order.
func (p *Place) addZone(z *Zone) {
	i := p.N
	for i > 0 && bySize(z, p.Zones[i-1]) < 0 {
		i--
	}
	if i == len(p.Zones) {
		return
	}
	copy(p.Zones[i+1:], p.Zones[i:])
	p.Zones[i] = z
	p.N = min(p.N+1, len(p.Zones))
}

// Distance is the exact signed distance in metres from p to the boundary, negative inside, under the
// same rule for levels as Locate. It goes through every edge. From 20 km on, where the flat map ends, it
// is the great-circle distance to the middle of the site instead. NaN out of range.
func (x *Index) Distance(p LatLng, level int, hasLevel bool) float64 {
	if !inRange(p) {
		return math.NaN()
	}
	if x.reach.dist(x.plane.xy(p)) > 2*roughM {
		return max(greatCircle(x.plane.origin, p), 2*roughM)
	}
	best, one := math.Inf(1), x.levelOf(level, hasLevel)
	for i := range x.levels {
		if one < 0 || one == i {
			best = min(best, x.levels[i].near.area.signed(p, x.plane.xy(p)))
		}
	}
	return best
}
