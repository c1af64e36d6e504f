// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// A floor of 711 zones takes less than 10 MB, and of the ground inside almost all is told in advance.
func TestIndexIsSmallAndMostlyTold(t *testing.T) {
	s := xixi(t, "B1.geojson")
	size := heapOf(func() any { return mustIndex(t, s) })
	if size > 10<<20 {
		t.Errorf("the index takes %d bytes", size)
	}
	x := mustIndex(t, s)
	l := &x.levels[0]
	rng := rand.New(rand.NewPCG(3, 3))
	b := l.near.area.box
	told, byCell, n := 0, 0, 0
	for range 20_000 {
		at := vec{b.lo.x + (b.hi.x-b.lo.x)*rng.Float64(), b.lo.y + (b.hi.y-b.lo.y)*rng.Float64()}
		p := x.plane.latLng(at)
		if !l.near.area.contains(p) {
			continue
		}
		n++
		if l.told[x.ground.at(at)] != untold {
			told++
		}
		info := l.cover.look(mustCell(t, p, x.res))
		exact := info.class == edgeCell
		for _, c := range info.zones {
			exact = exact || !c.whole
		}
		if !exact {
			byCell++
		}
	}
	t.Logf("resolution %d, %d cells, %d squares of %.2f m, %d kB; of the points inside squares tell everything for %.1f %%, cells would for %.1f %%",
		x.res, len(l.cover.cells), len(l.told), x.ground.side, size>>10, 100*float64(told)/float64(n), 100*float64(byCell)/float64(n))
	if float64(told) < 0.95*float64(n) {
		t.Errorf("only %d of %d points are told by their square", told, n)
	}
}

// 300 shops on one floor, the brief's measure: less than 10 MB, counting what is thrown away on the
// way. (The time it takes is BenchmarkNewIndex's: a test does not race the machine's other work.)
func TestIndexOf300Units(t *testing.T) {
	s := shops(300)
	x, err := NewIndex(s)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(x.levels[0].zones); n != 300 {
		t.Fatalf("%d zones", n)
	}
	kept := heapOf(func() any { return mustIndex(t, s) })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	mustIndex(t, s)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	all := after.TotalAlloc - before.TotalAlloc
	t.Logf("%v to build, %d kB allocated, %d kB kept", took, all>>10, kept>>10)
	if kept > 10<<20 || all > 10<<20 {
		t.Errorf("%d bytes allocated, %d kept", all, kept)
	}
}

// shops is a floor of n shops of 8 m by 12 m in rows of 20, back to back, with aisles of 6 m.
func shops(n int) *Site {
	f := NewFrame(LatLng{54, 3}, 75)
	rect := func(x0, y0, x1, y1 float64) MultiPolygon {
		return MultiPolygon{{{f.LatLng(x0, y0), f.LatLng(x1, y0), f.LatLng(x1, y1), f.LatLng(x0, y1), f.LatLng(x0, y0)}}}
	}
	l := Level{}
	top := 0.0
	for i := range n {
		row := i / 20
		x, y := 8*float64(i%20), 12*float64(row)+6*float64((row+1)/2)
		l.Zones = append(l.Zones, Zone{ID: fmt.Sprintf("shop-%03d", i), Shape: rect(x, y, x+8, y+12), AreaM2: 96, HalfWidthM: 4})
		top = y + 12
	}
	l.Boundary = rect(-6, -6, 166, top+6)
	return &Site{ID: "shops", Levels: []Level{l}}
}

// Locate allocates nothing of its own: h3-go's conversion is all there is, once at most however many
// levels, and not at all where a square is told.
func TestLocateAllocations(t *testing.T) {
	x := mustIndex(t, xixi(t, "*.geojson"))
	convert := testing.AllocsPerRun(200, func() { cellOf(x.plane.origin, finestRes) })
	bare, asking := 0, 0
	for _, p := range benchPoints(x)[:500] {
		for _, known := range []bool{true, false} {
			switch got := testing.AllocsPerRun(10, func() { x.Locate(p, 1, known) }); got {
			case 0:
				bare++
			case convert:
				asking++
			default:
				t.Errorf("%v: %v allocations, a conversion makes %v", p, got, convert)
			}
		}
	}
	t.Logf("%d times without any, %d times a conversion's %v", bare, asking, convert)
	if asking == 0 || bare < 4*asking {
		t.Errorf("%d conversions to %d answers without", asking, bare)
	}
	if got := testing.AllocsPerRun(200, func() { x.Locate(LatLng{}, 1, true) }); got > 0 {
		t.Errorf("far away: %v allocations", got)
	}
}

func TestDistinct(t *testing.T) {
	s := &Site{Levels: []Level{{Zones: []Zone{{HalfWidthM: 2, AreaM2: 10}, {HalfWidthM: 8, AreaM2: 30}}}}}
	for _, c := range []struct{ accuracy, count, area float64 }{{1, 1, 1}, {8, 0.5, 0.75}, {8.1, 0, 0}} {
		if n, a := s.Distinct(c.accuracy); n != c.count || a != c.area {
			t.Errorf("at %v m: %v and %v", c.accuracy, n, a)
		}
	}
	if n, a := new(Site).Distinct(5); n != 0 || a != 0 {
		t.Errorf("no zones: %v and %v", n, a)
	}
}
