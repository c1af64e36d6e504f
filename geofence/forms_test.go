// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// disk is a store of n corners, its zones of 200 corners each.
func disk(radius float64, n, zones int) *Site {
	f := NewFrame(LatLng{54, 3}, 0)
	ring := func(x, y, radius float64, n int) MultiPolygon {
		var r []LatLng
		for i := range n + 1 {
			s, c := math.Sincos(2 * math.Pi * float64(i%n) / float64(n))
			r = append(r, f.LatLng(x+radius*c, y+radius*s))
		}
		return MultiPolygon{{r}}
	}
	l := Level{Name: "Ground", Boundary: ring(0, 0, radius, n)}
	for i := range zones {
		l.Zones = append(l.Zones, Zone{ID: fmt.Sprint("z", i), Shape: ring(float64(12*(i%6)), float64(12*(i/6)), 5, 200), AreaM2: 78, HalfWidthM: 5})
	}
	return &Site{ID: "disk", Levels: []Level{l}}
}

// What a fence leaves out as stores get larger, in this order: degrees, zones, fine cells, cells. Each store here
// would be said in the form before if that fitted.
func TestFenceForms(t *testing.T) {
	for _, c := range []struct {
		corners, zones int
		form           string
	}{
		{60, 9, "cells, zones in degrees"},
		{60, 14, "cells, zones in differences"},
		{60, 36, "cells in degrees"},
		{2_500, 1, "cells, zones in differences"},
		{3_200, 36, "cells in differences"},
		{6_100, 1, "cells in differences"},    // coarser ones: fine ones and the boundary would be too long
		{6_500, 1, "no cells in differences"}, // and too long: there is nothing more to leave out
	} {
		f, data := readFence(t, mustIndex(t, disk(200, c.corners, c.zones)))
		var form strings.Builder
		form.WriteString(map[bool]string{true: "cells", false: "no cells"}[f.Cells != nil])
		if len(f.Zones) > 0 {
			form.WriteString(", zones")
		}
		form.WriteString(map[bool]string{true: " in differences", false: " in degrees"}[f.PerDegree > 0])
		if form.String() != c.form {
			t.Errorf("%d corners, %d zones: %s, want %s", c.corners, c.zones, form.String(), c.form)
		}
		if n := len(f.Zones); n != 0 && n != c.zones {
			t.Errorf("%d corners, %d zones: only %d are said", c.corners, c.zones, n)
		}
		if f.Cells != nil && f.PerDegree > 0 && len(f.Zones) == 0 && f.Cells.Res < 12 != (c.corners > 5_000) {
			t.Errorf("%d corners, %d zones: cells of resolution %d", c.corners, c.zones, f.Cells.Res)
		}
		t.Logf("%d corners, %d zones: %d bytes, %s", c.corners, c.zones, len(data), form.String())
	}
}

// Cells are merged as far as phones look for them, four resolutions up, and no farther.
func TestFenceMergesFourUp(t *testing.T) {
	f, _ := readFence(t, mustIndex(t, disk(2_400, 60, 0)))
	coarsest := f.Cells.Res
	for _, name := range f.Cells.Inside {
		var c uint64
		if _, err := fmt.Sscanf(name, "%x", &c); err != nil {
			t.Fatal(err)
		}
		coarsest = min(coarsest, resOf(c))
	}
	if coarsest != f.Cells.Res-4 {
		t.Errorf("the coarsest has resolution %d, all were of %d", coarsest, f.Cells.Res)
	}
}
