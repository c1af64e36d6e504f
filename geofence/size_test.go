// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math/rand/v2"
	"runtime"
	"testing"
)

// A floor of 711 zones takes less than 10 MB, and cells alone answer most questions.
func TestIndexIsSmallAndMostlyCells(t *testing.T) {
	s := xixi(t, "B1.geojson")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x := mustIndex(t, s)
	runtime.GC()
	runtime.ReadMemStats(&after)
	size := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if size > 10<<20 {
		t.Errorf("the index takes %d bytes", size)
	}
	l := &x.levels[0]
	rng := rand.New(rand.NewPCG(3, 3))
	b := l.near.area.box
	boundaryByCell, allByCell, n := 0, 0, 0
	for range 20_000 {
		p := x.plane.latLng(vec{b.lo.x + (b.hi.x-b.lo.x)*rng.Float64(), b.lo.y + (b.hi.y-b.lo.y)*rng.Float64()})
		if !l.near.area.contains(p) {
			continue
		}
		n++
		info := l.cover.look(mustCell(t, p, l.cover.res))
		exact := info.class == edgeCell
		if !exact {
			boundaryByCell++
		}
		for _, c := range info.zones {
			exact = exact || !c.whole
		}
		if !exact {
			allByCell++
		}
	}
	t.Logf("resolution %d, %d cells, %d kB; of the points inside cells alone tell the boundary for %.1f %%, zones as well for %.1f %%",
		l.cover.res, len(l.cover.cells), size>>10, 100*float64(boundaryByCell)/float64(n), 100*float64(allByCell)/float64(n))
	if float64(boundaryByCell) < 0.9*float64(n) {
		t.Errorf("only %d of %d points are told by cells alone", boundaryByCell, n)
	}
	runtime.KeepAlive(x)
}

// Locate allocates nothing of its own: h3-go's conversion is all there is.
func TestLocateAllocations(t *testing.T) {
	x := mustIndex(t, xixi(t, "*.geojson"))
	p := x.plane.latLng(vec{})
	base := testing.AllocsPerRun(200, func() { cellOf(p, finestRes) })
	for _, c := range []struct {
		level int
		has   bool
		cells float64 // conversions: one per resolution in use
	}{{1, true, 1}, {0, false, 1}} {
		if got := testing.AllocsPerRun(200, func() { x.Locate(p, c.level, c.has) }); got > base*c.cells {
			t.Errorf("level %d %v: %v allocations, a conversion makes %v", c.level, c.has, got, base)
		}
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
