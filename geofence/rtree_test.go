// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tidwall/rtree"
)

// treeIndex is the textbook way, to compare with: the exact boundary, and an R-tree over the zones'
// boxes whose hits are tested exactly. The polygons are the ones that Index falls back on, indexed
// inside; what is compared is the way to them.
type treeIndex struct{ levels []treeLevel }

type treeLevel struct {
	ordinal  int
	boundary *area
	zones    rtree.RTreeG[treeZone]
}

type treeZone struct {
	*Zone
	area *area
}

func newTreeIndex(s *Site) *treeIndex {
	pl := newPlane(s)
	t := &treeIndex{levels: make([]treeLevel, len(s.Levels))}
	for i := range s.Levels {
		l := &t.levels[i]
		l.ordinal, l.boundary = s.Levels[i].Ordinal, newArea(&pl, s.Levels[i].Boundary)
		for k := range s.Levels[i].Zones {
			z := treeZone{&s.Levels[i].Zones[k], newArea(&pl, s.Levels[i].Zones[k].Shape)}
			l.zones.Insert(z.area.box.lo.pair(), z.area.box.hi.pair(), z)
		}
	}
	return t
}

func (v vec) pair() [2]float64 { return [2]float64{v.x, v.y} }

// locate is Index.Locate. The distance goes through all edges: for outlines of less than some hundred
// corners that beats a tree of them.
func (t *treeIndex) locate(p LatLng, level int, hasLevel bool) Place {
	at := t.classify(p, level, hasLevel)
	at.DistM = math.Inf(1)
	for i := range t.levels {
		if l := &t.levels[i]; !at.LevelKnown || l.ordinal == at.Level {
			at.DistM = min(at.DistM, l.boundary.signed(p, l.boundary.plane.xy(p)))
		}
	}
	return at
}

// classify is locate without the distance.
func (t *treeIndex) classify(p LatLng, level int, hasLevel bool) (at Place) {
	at.Valid = inRange(p)
	for i := range t.levels {
		if o := t.levels[i].ordinal; len(t.levels) == 1 || hasLevel && o == level {
			at.Level, at.LevelKnown = o, true
		}
	}
	for i := range t.levels {
		l := &t.levels[i]
		if at.LevelKnown && l.ordinal != at.Level {
			continue
		}
		inside := l.boundary.contains(p)
		at.Inside = at.Inside || inside
		if !inside && !at.LevelKnown {
			continue
		}
		q := l.boundary.plane.xy(p).pair()
		l.zones.Search(q, q, func(_, _ [2]float64, z treeZone) bool {
			if z.area.contains(p) {
				at.addZone(z.Zone)
			}
			return true
		})
	}
	return at
}

// Both ways give the same answers, on every real map, level known or not, near edges too.
func TestRTreeAgrees(t *testing.T) {
	for id, pattern := range realMaps {
		t.Run(id, func(t *testing.T) {
			s := mustLoad(t, id, sources(t, pattern)...)
			x, tree := mustIndex(t, s), newTreeIndex(s)
			points := benchPoints(x)
			rng := rand.New(rand.NewPCG(2, 2))
			for _, l := range x.levels {
				for _, a := range append(l.areas, l.near.area) {
					for _, e := range a.segs { // within a hand's breadth of an edge
						u, off := rng.Float64(), vec{0.2*rng.Float64() - 0.1, 0.2*rng.Float64() - 0.1}
						points = append(points, x.plane.latLng(vec{e.a.x + u*(e.b.x-e.a.x) + off.x, e.a.y + u*(e.b.y-e.a.y) + off.y}))
					}
				}
			}
			for _, p := range points {
				for _, l := range append([]Level{{Ordinal: 99}}, s.Levels...) {
					got, want := x.Locate(p, l.Ordinal, true), tree.locate(p, l.Ordinal, true)
					fits := got.DistM < -nearExactM && want.DistM <= got.DistM || got.DistM > farExactM && want.DistM >= got.DistM || math.Abs(got.DistM-want.DistM) < 1e-6
					got.DistM = want.DistM
					if got != want || !fits {
						t.Fatalf("%v on level %d: %+v, the tree says %+v", p, l.Ordinal, got, want)
					}
				}
			}
			t.Logf("%d points on %d levels and on none", len(points), len(s.Levels))
		})
	}
}
