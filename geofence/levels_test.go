// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"testing"

	"github.com/peterstace/simplefeatures/geom"
	"pgregory.net/rapid"
)

// Without a level the answer is what all levels say together: inside on any, the least distance, the
// smallest zones of those that the point is inside of. Levels here are alike, as floors are.
func TestUnknownLevelIsAllLevels(t *testing.T) {
	several := 0
	rapid.Check(t, func(t *rapid.T) {
		shape := anyBoundary(t)
		s := &Site{ID: "random"}
		for i := range rapid.IntRange(2, 4).Draw(t, "levels") {
			m := shifted(shape, rapid.Float64Range(-3e-5, 3e-5).Draw(t, "by"))
			l := Level{Ordinal: 2*i - 1, Boundary: m}
			for k, part := range m {
				l.Zones = append(l.Zones, Zone{ID: string(rune('a'+i)) + string(rune('a'+k)), Shape: MultiPolygon{part[:1]}, AreaM2: float64((i * 7) % 3)})
			}
			s.Levels = append(s.Levels, l)
		}
		x, err := newIndex(s, 512)
		if err != nil {
			t.Fatal(err)
		}
		b := x.reach
		for range 100 {
			p := x.plane.latLng(vec{
				b.lo.x + (b.hi.x-b.lo.x)*rapid.Float64Range(-0.3, 1.3).Draw(t, "x"),
				b.lo.y + (b.hi.y-b.lo.y)*rapid.Float64Range(-0.3, 1.3).Draw(t, "y"),
			})
			at := x.Locate(p, 0, rapid.Bool().Draw(t, "a level that is none"))
			if at.LevelKnown {
				t.Fatalf("%v: level %d is known", p, at.Level)
			}
			if n := eachLevel(t, x, at, p); n > 1 {
				several++
			}
		}
	})
	if several == 0 {
		t.Error("no point was inside of several levels")
	}
}

// eachLevel holds a place against those of the levels, and counts the levels that p is inside of.
func eachLevel(t *rapid.T, x *Index, at Place, p LatLng) (inside int) {
	want := Place{Valid: true, DistM: math.Inf(1)}
	for _, l := range x.site.Levels {
		one := x.Locate(p, l.Ordinal, true)
		if !one.LevelKnown || one.Level != l.Ordinal {
			t.Fatalf("%v: level %d was asked for: %+v", p, l.Ordinal, one)
		}
		want.DistM = min(want.DistM, one.DistM)
		if one.Inside {
			inside++
			want.Inside = true
			for _, z := range one.Zones[:one.N] {
				want.addZone(z)
			}
		}
	}
	bound := at.DistM < -nearExactM && want.DistM < -nearExactM || at.DistM > farExactM && want.DistM > farExactM
	if !bound && math.Abs(at.DistM-want.DistM) > 1e-9 {
		t.Fatalf("%v: located at %v, the levels say %v", p, at.DistM, want.DistM)
	}
	at.DistM = want.DistM
	if at != want {
		t.Fatalf("%v: %+v, the levels say %+v", p, at, want)
	}
	return inside
}

// shifted moves an area north, by so little that it stays as valid as it is.
func shifted(m MultiPolygon, lat float64) MultiPolygon {
	return mapped(m, func(p LatLng) LatLng { return LatLng{p.Lat + lat, p.Lng} })
}

func mapped(m MultiPolygon, f func(LatLng) LatLng) (out MultiPolygon) {
	for _, part := range m {
		var rings Polygon
		for _, ring := range part {
			var r []LatLng
			for _, p := range ring {
				r = append(r, f(p))
			}
			rings = append(rings, r)
		}
		out = append(out, rings)
	}
	return out
}

// The same area, once with rings that run across the antimeridian and once cut there (by
// simplefeatures), is the same store.
func TestCutAtTheSeamIsTheSameStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := boundaryAt(t, 180) // the middle of a star: some corners are on each side
		if !crossesSeam(shape) {
			t.Fatalf("%v is not at the antimeridian", shape)
		}
		cut := cutAtSeam(t, shape)
		a, err := newIndex(&Site{ID: "whole", Levels: []Level{{Boundary: shape}}}, 512)
		if err != nil {
			t.Fatal(err)
		}
		b, err := newIndex(&Site{ID: "cut", Levels: []Level{{Boundary: cut}}}, 512)
		if err != nil {
			t.Fatal(err)
		}
		box := a.reach
		for range 60 {
			p := a.plane.latLng(vec{
				box.lo.x + (box.hi.x-box.lo.x)*rapid.Float64Range(-0.2, 1.2).Draw(t, "x"),
				box.lo.y + (box.hi.y-box.lo.y)*rapid.Float64Range(-0.2, 1.2).Draw(t, "y"),
			})
			one, other := a.Locate(p, 0, true), b.Locate(p, 0, true)
			if math.Abs(one.DistM) < 0.001 {
				continue
			}
			if one.Inside != other.Inside || math.Abs(a.Distance(p, 0, true)-b.Distance(p, 0, true)) > 0.01 {
				t.Fatalf("%v: whole %+v, cut %+v", p, one, other)
			}
		}
	})
}

func cutAtSeam(t *rapid.T, m MultiPolygon) (out MultiPolygon) {
	for _, side := range []struct{ west, east, shift float64 }{{90, 180, 0}, {180, 270, -360}} {
		half := geom.NewEnvelope(geom.XY{X: side.west, Y: -89}, geom.XY{X: side.east, Y: 89}).AsGeometry()
		for _, part := range mapped(m, func(p LatLng) LatLng { return LatLng{p.Lat, math.Mod(p.Lng+360, 360)} }) {
			g, err := geom.Intersection(geomPolygon(part).AsGeometry(), half)
			if err != nil {
				t.Fatal(err)
			}
			for _, piece := range pieces(g) {
				out = append(out, mapped(MultiPolygon{piece}, func(p LatLng) LatLng { return LatLng{p.Lat, p.Lng + side.shift} })...)
			}
		}
	}
	return out
}

// pieces are the polygons of an overlay's result.
func pieces(g geom.Geometry) (out MultiPolygon) {
	for _, one := range g.Dump() {
		p, ok := one.AsPolygon()
		if !ok || p.IsEmpty() {
			continue
		}
		var rings Polygon
		for _, r := range p.DumpRings() {
			var ring []LatLng
			for c := range r.Coordinates().Length() {
				xy := r.Coordinates().GetXY(c)
				ring = append(ring, LatLng{xy.Y, xy.X})
			}
			rings = append(rings, ring)
		}
		out = append(out, rings)
	}
	return out
}

// The generator makes what it is meant to: without this, the properties above could hold of plain
// squares only.
func TestAnyBoundaryIsAwkward(t *testing.T) {
	const n = 400
	count := map[string]int{}
	gen := rapid.Custom(anyBoundary)
	for i := range n {
		m := gen.Example(i)
		s := &Site{Levels: []Level{{Boundary: m}}}
		pl := newPlane(s)
		a := newArea(&pl, m)
		_, wide := a.inscribed()
		for name, is := range map[string]bool{
			"sliver":       wide < (a.box.hi.x-a.box.lo.x+a.box.hi.y-a.box.lo.y)/80,
			"hole":         len(m[0]) > 1,
			"multipolygon": len(m) > 1,
			"antimeridian": crossesSeam(m),
			"high":         math.Abs(m[0][0][0].Lat) > 66,
		} {
			if is {
				count[name]++
			}
		}
	}
	t.Logf("of %d: %v", n, count)
	for _, name := range []string{"sliver", "hole", "multipolygon", "antimeridian", "high"} {
		if count[name] < n/20 {
			t.Errorf("%d of %d are %s", count[name], n, name)
		}
	}
}
