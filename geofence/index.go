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
// DistM is the signed distance in metres to the boundary, negative inside, right to two centimetres
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

// Index answers where a point lies in one site: exactly, nearly always by a look-up, at an edge by an H3
// conversion, a second look-up and, in the end, the polygon. It is immutable, and safe for use by any
// number of goroutines.
type Index struct {
	site   *Site
	plane  plane
	levels []levelIndex // in the order of site.Levels
	reach  box          // all that any cover can know
	ground grid         // of reach: the squares of all levels' told
	res    int          // of all levels' covers
}

type levelIndex struct {
	ordinal int
	shapes  []MultiPolygon // the boundary, and the zones that poke out of it
	told    []uint16       // see builder.tell
	cover   *cover
	near    *near
	zones   []*Zone // by least area, then id
	areas   []*area // of the same order
}

// NewIndex builds the index of a loaded site: about 0.2 s and 1 MB a level with hundreds of zones.
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
		x.levels = append(x.levels, x.newLevel(&s.Levels[i]))
	}
	x.ground = newGrid(x.reach.grown(noticeM), toldSquares, leastSquareM)
	for x.res = x.pickRes(budget); ; x.res-- {
		err := x.fill()
		if err == nil {
			return x, nil
		}
		if !errors.Is(err, errTooManyCells) {
			return nil, err
		}
		if x.res == coarsestRes {
			return nil, fmt.Errorf("geofence: the site is too large to index: %w", err)
		}
	}
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

func (x *Index) newLevel(l *Level) levelIndex {
	out := levelIndex{ordinal: l.Ordinal, shapes: []MultiPolygon{l.Boundary}}
	for i := range l.Zones {
		out.zones = append(out.zones, &l.Zones[i])
	}
	slices.SortFunc(out.zones, bySize)
	out.near = newNear(newArea(&x.plane, l.Boundary))
	x.cover(out.near.area.box)
	for _, z := range out.zones {
		a := newArea(&x.plane, z.Shape)
		out.areas = append(out.areas, a)
		x.cover(a.box)
		if a.pokesOut(out.near.area) {
			out.shapes = append(out.shapes, z.Shape)
		}
	}
	return out
}

func (x *Index) cover(b box) { x.reach.add(b.lo); x.reach.add(b.hi) }

// pickRes is the coarsest of the levels' picks, so that one conversion serves them all.
func (x *Index) pickRes(budget float64) int {
	res := finestRes
	for _, l := range x.levels {
		res = min(res, pickRes(&x.plane, l.shapes[0], l.near.area, budget))
	}
	return res
}

// discs is room for the cells that the levels have in common, nil if there is only one.
func (x *Index) discs() discs {
	if len(x.levels) == 1 {
		return nil
	}
	return discs{}
}

// fill makes the tables of all levels.
func (x *Index) fill() error {
	shared := x.discs()
	for i := range x.levels {
		l := &x.levels[i]
		b := newBuilder(&x.plane, l.near, l.areas)
		b.discs = shared
		c, err := b.fill(x.res, l.shapes...)
		if err != nil {
			return fmt.Errorf("level %d: %w", l.ordinal, err)
		}
		compact(c.cells, c.coarsest)
		l.cover, l.told = c, b.tell(&x.ground)
	}
	return nil
}

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
// takes 0.1 to 0.2 µs on a level, and h3-go's conversion besides (1 µs; it alone allocates, 24 bytes) for
// the 1 to 3 in 100 points of a real floor that are near an edge of the boundary.
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
	k := asked{p: p, square: x.ground.at(at)}
	for i := range x.levels {
		if one < 0 || one == i {
			l := &x.levels[i]
			l.judge(&place, k.of(l), p, at, one >= 0)
		}
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

// asked is one point on its way through the levels' tables.
type asked struct {
	p      LatLng
	square int    // -1 off the ground
	cell   uint64 // 0 until a square leaves it to the cells; then it serves all levels
}

// of is what a level's tables know of the point, nil for nothing.
func (k *asked) of(l *levelIndex) *cellInfo {
	if k.square < 0 {
		return nil
	}
	if i := l.told[k.square]; i != untold {
		return &l.cover.infos[i-1]
	}
	if k.cell == 0 {
		k.cell, _ = cellOf(k.p, l.cover.res) // p is in range
	}
	return l.cover.look(k.cell)
}

// judge adds what one level says. On a known level, zones that poke out of the boundary are named
// outside of it too; on an unknown one only where the fix fits.
func (l *levelIndex) judge(place *Place, info *cellInfo, p LatLng, at vec, known bool) {
	inside := info != nil && (info.class == insideCell || info.class == edgeCell && l.near.area.contains(p))
	place.Inside = place.Inside || inside
	place.DistM = l.near.under(place.DistM, at, inside)
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

// Distance is the signed distance in metres from p to the boundary, negative inside, under the same rule
// for levels as Locate: right to two centimetres near the boundary, to 0.1 % anywhere else on earth. It goes
// through every edge. NaN out of range.
func (x *Index) Distance(p LatLng, level int, hasLevel bool) float64 {
	if !inRange(p) {
		return math.NaN()
	}
	best, one := math.Inf(1), x.levelOf(level, hasLevel)
	for i := range x.levels {
		if one < 0 || one == i {
			best = min(best, x.levels[i].near.area.signedFar(p))
		}
	}
	return best
}
