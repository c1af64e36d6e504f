// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The sweep visits the pairs whose boxes share ground, all of them, once; and it stops when its budget does.
func TestNearbyIsEveryPair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.IntRange(0, 6)
		corner := func() LatLng { return LatLng{float64(whole.Draw(t, "y")), float64(whole.Draw(t, "x"))} }
		var ring []LatLng
		for range rapid.IntRange(4, 12).Draw(t, "corners") {
			ring = append(ring, corner())
		}
		list := edges(MultiPolygon{{append(ring, ring[0])}})
		budget := 1_000
		seen := map[[2]int]int{}
		if !nearby(list, &budget, func(a, b edge) { seen[[2]int{min(a.i, b.i), max(a.i, b.i)}]++ }) {
			t.Fatal("stopped")
		}
		want := 0
		for i, a := range list {
			for _, b := range list[i+1:] {
				boxA, boxB := emptyBox(), emptyBox()
				for _, p := range []LatLng{a.a, a.b} {
					boxA.add(vec{p.Lng, p.Lat})
				}
				for _, p := range []LatLng{b.a, b.b} {
					boxB.add(vec{p.Lng, p.Lat})
				}
				if boxA.overlaps(boxB) {
					want++
					if n := seen[[2]int{min(a.i, b.i), max(a.i, b.i)}]; n != 1 {
						t.Fatalf("%v and %v were visited %d times", a, b, n)
					}
				}
			}
		}
		if len(seen) != want {
			t.Fatalf("%d pairs visited, %d share ground", len(seen), want)
		}
		spent := 1_000 - budget
		if exact := spent; !nearby(list, &exact, func(a, b edge) {}) {
			t.Fatalf("stopped at %d of %d steps", exact, spent)
		}
		if short := spent - 1; spent > 0 && nearby(list, &short, func(a, b edge) {}) {
			t.Fatal("went on without a budget")
		}
	})
}

// Two edges meet in a point that both have, and apart from each other in none: of one ring, of two rings and of two
// parts, whichever is named first and whichever way it runs.
func TestEdgesMeet(t *testing.T) {
	at := func(x, y float64) LatLng { return LatLng{y, x} }
	for _, c := range []struct {
		name       string
		a, b, c, d LatLng
		where      []LatLng // none: they do not meet
	}{
		{"crossing", at(0, 0), at(4, 4), at(0, 4), at(4, 0), []LatLng{at(2, 2)}},
		{"touching", at(0, 0), at(4, 0), at(1, 0), at(1, 3), []LatLng{at(1, 0)}},
		{"end to end", at(0, 0), at(4, 4), at(4, 4), at(9, 2), []LatLng{at(4, 4)}},
		{"one in the other", at(0, 0), at(9, 0), at(2, 0), at(5, 0), []LatLng{at(2, 0), at(5, 0)}},
		{"side by side", at(0, 0), at(4, 0), at(3, 0), at(7, 0), []LatLng{at(3, 0), at(4, 0)}},
		{"upright", at(0, 0), at(0, 4), at(0, 3), at(0, 7), []LatLng{at(0, 3), at(0, 4)}},
		{"in a line, apart", at(0, 0), at(2, 0), at(3, 0), at(7, 0), nil},
		{"upright, apart", at(0, 0), at(0, 2), at(0, 3), at(0, 7), nil},
		{"parallel", at(0, 0), at(4, 0), at(0, 1), at(4, 1), nil},
		{"short of it", at(0, 0), at(4, 0), at(1, 1), at(1, 3), nil},
		{"past it", at(0, 0), at(4, 0), at(5, -1), at(5, 3), nil},
	} {
		for turn := range 8 {
			e, g := edge{0, 0, 0, c.a, c.b}, edge{0, 0, 5, c.c, c.d}
			if turn&1 != 0 {
				e.a, e.b = e.b, e.a
			}
			if turn&2 != 0 {
				g.a, g.b = g.b, g.a
			}
			if turn&4 != 0 {
				e, g = g, e
			}
			box := func(e edge) box {
				return box{vec{e.left(), min(e.a.Lat, e.b.Lat)}, vec{e.right(), max(e.a.Lat, e.b.Lat)}}
			}
			for _, of := range [][2]int{{0, 0}, {0, 1}, {1, 0}} { // part and ring of the second
				g.part, g.ring = of[0], of[1]
				meet := e.meets(g, 20) && box(e).overlaps(box(g))
				if meet != (c.where != nil) {
					t.Errorf("%s, turned %d: meet %v", c.name, turn, meet)
				}
			}
			if at := e.meeting(g); c.where != nil && !slices.Contains(c.where, at) {
				t.Errorf("%s, turned %d: at %v", c.name, turn, at)
			}
		}
	}
}

// Neighbours of a ring share a corner, which is no fault; running back on itself is one. Of other rings and parts a
// corner that is shared is a meeting, whatever their numbers.
func TestNeighbours(t *testing.T) {
	a, b := LatLng{0, 0}, LatLng{0, 4}
	for name, c := range map[string]struct {
		next LatLng
		back bool
	}{
		"turning": {LatLng{3, 4}, false}, "sharply": {LatLng{0.1, 0}, false}, "straight on": {LatLng{0, 9}, false},
		"back": {LatLng{0, 1}, true}, "back and beyond": {LatLng{0, -3}, true},
	} {
		for _, numbers := range [][2]int{{0, 1}, {2, 3}, {3, 0}} { // of a ring of four edges
			e, g := edge{0, 0, numbers[0], a, b}, edge{0, 0, numbers[1], b, c.next}
			if e.meets(g, 5) != c.back || g.meets(e, 5) != c.back {
				t.Errorf("%s, edges %v: meets %v and %v", name, numbers, e.meets(g, 5), g.meets(e, 5))
			}
			g.ring = 1
			other := g
			other.ring, other.part = 0, 1
			if !e.meets(g, 5) || !e.meets(other, 5) {
				t.Errorf("%s, edges %v of two rings or parts: do not meet", name, numbers)
			}
		}
	}
}

// The middle of a site is that of its box, whichever corner comes first, and across the antimeridian.
func TestMiddleOfASite(t *testing.T) {
	for _, lng := range []float64{3, -0.0004, 179.9996, -180} {
		ring := []LatLng{{54, lng}, {54, wrapLng(lng + 0.001)}, {54.0005, wrapLng(lng + 0.001)}, {54.0005, lng}}
		for range ring {
			s := &Site{Levels: []Level{{Boundary: MultiPolygon{{append(slices.Clone(ring), ring[0])}}}}}
			at := s.centre()
			if math.Abs(at.Lat-54.00025) > 1e-9 || math.Abs(wrapLng(at.Lng-lng-0.0005)) > 1e-9 || math.Abs(at.Lng) > 180 {
				t.Errorf("of %v: %v", ring, at)
			}
			ring = append(ring[1:], ring[0])
		}
	}
	if at := (&Site{Levels: []Level{{}, {Boundary: MultiPolygon{nil, {nil}, {{{1, 2}}}}}}}).centre(); at != (LatLng{1, 2}) {
		t.Errorf("of one point: %v", at)
	}
	if at := new(Site).centre(); at != (LatLng{}) {
		t.Errorf("of nothing: %v", at)
	}
}

// A door across the antimeridian is halfway between its ends, not on the other side of the earth.
func TestOpeningOnTheSeam(t *testing.T) {
	boundary := area4("boundary", "b", `[[179.9995,-17],[-179.9995,-17],[-179.9995,-16.9995],[179.9995,-16.9995],[179.9995,-17]]`)
	for line, want := range map[string]float64{
		"[[179.9999,-17],[-179.9999,-17]]": 180, "[[-179.9999,-17],[179.9999,-17]]": 180,
		"[[179.9998,-17],[-179.9999,-17]]": 179.99995, "[[-179.9998,-17],[179.9999,-17]]": 179.99995,
	} {
		s, _, err := Load("here", collection(boundary, `{"type":"Feature","properties":{"kind":"opening","floor":0},"geometry":{"type":"LineString","coordinates":`+line+`}}`))
		if err != nil || len(s.Doors) != 1 || math.Abs(math.Abs(s.Doors[0].At.Lng)-want) > 1e-9 || s.Doors[0].At.Lat != -17 {
			t.Errorf("%s: %+v, %v", line, s, err)
		}
	}
}
