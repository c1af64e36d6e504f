// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// What a square says bounds the distance of all of its points; up to the limits the distance itself is told. The least
// of several levels is found whichever comes first.
func TestNearBoundsDistances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := anyBoundary(t)
		s := &Site{Levels: []Level{{Boundary: shape}}}
		pl := newPlane(s)
		a := newArea(&pl, shape)
		n := newNear(a)
		for range 40 {
			b := a.box.grown(rapid.SampledFrom([]float64{0, 10, 190, 400}).Draw(t, "around"))
			at := vec{b.lo.x + (b.hi.x-b.lo.x)*rapid.Float64Range(0, 1).Draw(t, "x"), b.lo.y + (b.hi.y-b.lo.y)*rapid.Float64Range(0, 1).Draw(t, "y")}
			exact, signed := a.edgeDist(at), a.signed(pl.latLng(at), at)
			square := n.at(at)
			if square >= 0 && (n.least(square) > exact || n.most(square) < exact) {
				t.Fatalf("%v: %v m, the square says %v to %v", at, exact, n.least(square), n.most(square))
			}
			got := n.edgeDist(at)
			if inside := signed < 0; got > exact+1e-9 || got < exact-1e-9 && exact <= map[bool]float64{true: nearExactM, false: farExactM}[inside] {
				t.Fatalf("%v: %v m by the table, %v by every edge", at, got, exact)
			}
			least := -got
			if signed >= 0 {
				least = got
			}
			for _, other := range []float64{-80, -1, least - 1e-6, least + 1e-6, 0, 1, 300, math.Inf(1)} {
				if u, want := n.under(other, at, signed < 0), min(other, least); u != want && (want > -nearExactM && want < farExactM || math.Signbit(u) != math.Signbit(want)) {
					t.Fatalf("%v: the lesser of %v and %v is %v?", at, other, least, u)
				}
			}
		}
	})
}

// Far away a bound is told: less than the distance, and ten kilometres at most.
func TestPlaceFarAway(t *testing.T) {
	x := mustIndex(t, mustLoad(t, "small", collection(boundary)))
	f := NewFrame(x.plane.origin, 90)
	for _, c := range []struct{ metres, least, most float64 }{
		{300, 200, 300}, {3_000, 2_800, 3_000}, {10_050, 9_800, 10_000}, {10_400, 10_000, 10_000}, {50_000, 10_000, 10_000}, {2_000_000, 10_000, 10_000},
	} {
		for _, p := range []LatLng{f.LatLng(0, c.metres+28), f.LatLng(0, -c.metres-28), f.LatLng(c.metres+50, 0), f.LatLng(-c.metres-50, 0)} {
			if at := x.Locate(p, 0, true); at.Inside || at.DistM < c.least || at.DistM > c.most || at.DistM > x.Distance(p, 0, true) {
				t.Errorf("%v, %v m away: %+v", p, c.metres, at)
			}
		}
	}
}

// A square edge is shared by no two: any point of the ground lies in one square, and in none beyond it.
func TestGrid(t *testing.T) {
	g := newGrid(box{vec{-10, 5}, vec{30, 15}}, 64, 0)
	if g.side != 2.5 || g.nx != 17 || g.ny != 5 {
		t.Fatalf("%+v", g)
	}
	for p, want := range map[vec]int{
		{-10, 5}: 0, {-7.6, 5}: 0, {-7.5, 5}: 1, {-10, 7.5}: 17, {30, 5}: 16, {30, 15}: 4*17 + 16,
		{-10.1, 5}: -1, {-10, 4.9}: -1, {32.5, 5}: -1, {32.4, 5}: 16, {-10, 17.5}: -1, {math.NaN(), 5}: -1, {0, math.Inf(1)}: -1,
	} {
		if got := g.at(p); got != want {
			t.Errorf("%v: square %d, want %d", p, got, want)
		}
	}
	seen := map[int]int{}
	var walk func(b block)
	walk = func(b block) {
		if b.n > 1 {
			g.quarters(b, walk)
			return
		}
		at, half := g.middle(b)
		if half != 1.25 || g.at(at) != b.y*g.nx+b.x {
			t.Errorf("%+v: the middle %v lies in square %d", b, at, g.at(at))
		}
		g.squares(b, func(s int) { seen[s]++ })
	}
	walk(g.whole())
	all := 0
	g.squares(g.whole(), func(s int) { all += seen[s] })
	if len(seen) != 85 || all != 85 {
		t.Errorf("%d squares, seen %d times", len(seen), all)
	}
	if coarse := newGrid(box{vec{0, 0}, vec{1, 1}}, 64, 0.5); coarse.side != 0.5 {
		t.Errorf("%+v", coarse)
	}
}
