// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"errors"
	"math"
	"testing"

	"github.com/uber/h3-go/v4"
	"pgregory.net/rapid"
)

// What h3-go lets through or panics on, and what stands before it here.
func TestH3Guards(t *testing.T) {
	for _, p := range []LatLng{{120, 0}, {0, 500}, {-90.0001, 0}, {0, -180.0001}, {math.NaN(), 0}, {0, math.NaN()}, {math.Inf(1), 0}} {
		if _, ok := cellOf(p, 10); ok {
			t.Errorf("%v got a cell", p)
		}
	}
	for _, p := range []LatLng{{90, 0}, {-90, 180}, {0, -180}, {54, 3}} {
		if c, ok := cellOf(p, 10); !ok || !h3.Cell(c).IsValid() {
			t.Errorf("%v got no cell", p)
		}
	}
	square := Polygon{{{54, 3}, {54, 3.001}, {54.001, 3.001}, {54.001, 3}, {54, 3}}}
	for name, part := range map[string]Polygon{
		"nothing": {}, "empty ring": {{}}, "too short": {square[0][:3]},
		"NaN": {{{math.NaN(), 3}, {54, 3.001}, {54.001, 3.001}, {math.NaN(), 3}}},
		"120": {{{120, 3}, {54, 3.001}, {54.001, 3.001}, {120, 3}}},
	} {
		if _, err := overlapping(part, 12, 1000); err == nil {
			t.Errorf("%s was covered", name)
		}
	}
	if _, err := overlapping(square, 15, 10); !errors.Is(err, errTooManyCells) {
		t.Errorf("the limit on cells does not hold: %v", err)
	}
	country := Polygon{{{50, 3}, {50, 10}, {58, 10}, {58, 3}, {50, 3}}}
	if _, err := overlapping(country, 15, 1000); !errors.Is(err, errTooManyCells) {
		t.Errorf("a country at resolution 15: %v", err)
	}
	compact(map[uint64]uint32{}, 0) // the library's own panics
}

func TestParentIsTheLibrarys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := LatLng{rapid.Float64Range(-90, 90).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lng")}
		res := rapid.IntRange(1, 15).Draw(t, "res")
		up := rapid.IntRange(0, res).Draw(t, "up")
		c, ok := cellOf(p, res)
		if !ok {
			t.Fatal("no cell")
		}
		want, err := h3.Cell(c).Parent(up)
		if err != nil {
			t.Fatal(err)
		}
		if got := parentOf(c, up); got != uint64(want) || resOf(got) != up || resOf(c) != res {
			t.Fatalf("parent of %x at %d is %x, want %x", c, up, got, uint64(want))
		}
	})
}

// Merging is what h3's CompactCells does, and stands for the same cells, also around a pentagon.
func TestCompactIsTheLibrarys(t *testing.T) {
	pentagons, err := h3.Pentagons(8)
	if err != nil {
		t.Fatal(err)
	}
	for _, centre := range []h3.Cell{h3.Cell(mustCell(t, LatLng{54, 3}, 8)), pentagons[3]} {
		disk, err := h3.GridDisk(centre, 20)
		if err != nil {
			t.Fatal(err)
		}
		cells := map[uint64]uint32{}
		for _, c := range disk {
			cells[uint64(c)] = 1
		}
		compact(cells, 4)
		want, err := h3.CompactCells(disk)
		if err != nil {
			t.Fatal(err)
		}
		var merged []h3.Cell
		for c := range cells {
			merged = append(merged, h3.Cell(c))
		}
		back, err := h3.UncompactCells(merged, 8)
		if err != nil {
			t.Fatal(err)
		}
		if len(back) != len(disk) {
			t.Errorf("%d cells became %d", len(disk), len(back))
		}
		if len(cells) < len(want) || !centre.IsPentagon() && len(cells) != len(want) {
			t.Errorf("%d merged cells, the library has %d", len(cells), len(want))
		}
	}
}

func mustCell(t testing.TB, p LatLng, res int) uint64 {
	t.Helper()
	c, ok := cellOf(p, res)
	if !ok {
		t.Fatalf("%v has no cell", p)
	}
	return c
}

// Our inside cells are among those that H3 calls fully contained: measuring is the stricter test.
func TestInsideCellsAreFullyContained(t *testing.T) {
	s := mustLoad(t, "f1", sources(t, "malls/hz-xixi-intime/floors/F1.geojson")...)
	x := mustIndex(t, s)
	l := &x.levels[0]
	full := map[uint64]bool{}
	for _, part := range s.Levels[0].Boundary {
		gp := h3.GeoPolygon{GeoLoop: loop(part[0])}
		for _, hole := range part[1:] {
			gp.Holes = append(gp.Holes, loop(hole))
		}
		cells, err := h3.PolygonToCellsExperimental(gp, l.cover.res, h3.ContainmentFull, 100_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cells {
			full[uint64(c)] = true
		}
	}
	loose, err := newBuilder(&x.plane, l.near, l.areas).fill(x.res, s.Levels[0].Boundary)
	if err != nil {
		t.Fatal(err)
	}
	inside := 0
	for c, i := range loose.cells {
		if loose.infos[i].class == insideCell {
			inside++
			if !full[c] {
				t.Errorf("%x is not fully contained", c)
			}
		}
	}
	if inside < len(full)*9/10 {
		t.Errorf("only %d of %d contained cells are used as such", inside, len(full))
	}
	t.Logf("resolution %d: %d cells, %d merged, %d inside, of %d contained", l.cover.res, len(loose.cells), len(l.cover.cells), inside, len(full))
}
