// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// A zone drawn over a hole of the boundary is named there too, wherever in the hole, by the cells as by the
// squares: far from every edge no cell is at an edge, and in a site of two distant buildings the squares
// are coarse.
func TestZoneOverAHole(t *testing.T) {
	f := NewFrame(LatLng{Lat: 54, Lng: 3}, 0)
	square := func(x, y, half float64) []LatLng {
		at := func(dx, dy float64) LatLng { return f.LatLng(x+dx*half, y+dy*half) }
		return []LatLng{at(-1, -1), at(1, -1), at(1, 1), at(-1, 1), at(-1, -1)}
	}
	hole := square(0, 0, 20)
	for a, b := 0, len(hole)-1; a < b; a, b = a+1, b-1 {
		hole[a], hole[b] = hole[b], hole[a]
	}
	x := mustIndex(t, &Site{ID: "atrium", Levels: []Level{{
		Boundary: MultiPolygon{{square(0, 0, 30), hole}, {square(1500, 1500, 30)}},
		Zones:    []Zone{{ID: "hall", Shape: MultiPolygon{{square(0, 0, 30)}}}},
	}}})
	for m := -19.5; m < 20; m += 0.5 {
		p := f.LatLng(m, 0.3*m)
		at := x.Locate(p, 0, true)
		info := x.levels[0].cover.look(mustCell(t, p, x.res))
		if at.Inside || at.N != 1 || info == nil || len(info.zones) != 1 {
			t.Errorf("%.1f m from the middle of the hole: %+v, its cell says %+v", m, at, info)
		}
	}
}

// What stands in the boundary as a hole, such as a pillar or an atrium, does not make a zone around it
// reach out of the store: it is accepted, and told. A corner in the hole does.
func TestHolesUnderZones(t *testing.T) {
	ring := func(w, s, e, n string) string {
		return fmt.Sprintf(`[[%[1]s,%[2]s],[%[3]s,%[2]s],[%[3]s,%[4]s],[%[1]s,%[4]s],[%[1]s,%[2]s]]`, w, s, e, n)
	}
	hole := func(w, s, e, n string) string {
		return fmt.Sprintf(`[[%[1]s,%[2]s],[%[1]s,%[4]s],[%[3]s,%[4]s],[%[3]s,%[2]s],[%[1]s,%[2]s]]`, w, s, e, n)
	}
	zone := area4("unit", "z", ring("3.0003", "54.0001", "3.0012", "54.0004"))
	for name, in := range map[string]string{
		"pillar": hole("3.00075", "54.00025", "3.00076", "54.00026"),
		"atrium": hole("3.0006", "54.00015", "3.0011", "54.00035"),
	} {
		s, report, err := Load("here", collection(area4("boundary", "b", square+","+in), zone))
		if err != nil || len(s.Levels[0].Zones) != 1 || len(report.Notes) != 1 {
			t.Errorf("%s: %v, %v", name, report.Notes, err)
			continue
		}
		if note := report.Notes[0]; note.Where.Feature != 1 || !strings.Contains(note.Text, "over a hole of the boundary of level 0") {
			t.Errorf("%s: %v", name, note)
		}
	}
	into := collection(area4("boundary", "b", square+","+hole("3.001", "54.0002", "3.0014", "54.0003")), area4("unit", "z", ring("3.0003", "54.00022", "3.0012", "54.00028")))
	if e := firstErrorOf(Load("here", into)); e == nil || e.Where.Feature != 1 || !strings.Contains(e.Problem, "reaches") {
		t.Errorf("a zone whose end is in a hole: %v", e)
	}
}

// An edge that rises by the least that numbers can hold is an edge like others: nobody beside it is
// inside.
func TestEdgeThatHardlyRises(t *testing.T) {
	up := math.Nextafter(54, 55)
	for _, south := range [][2]float64{{54, up}, {up, 54}, {54, math.Nextafter(up, 55)}} {
		ring := []LatLng{{south[0], 3.0002}, {south[1], 3.0008}, {54.0005, 3.001}, {54.0005, 3}, {south[0], 3.0002}}
		x := mustIndex(t, &Site{ID: "ramp", Levels: []Level{{Boundary: MultiPolygon{{ring}}}}})
		for _, lat := range south {
			for lng, inside := range map[float64]bool{3.0001: false, 3.00019: false, 3.0005: true, 3.00081: false, 3.0009: false} {
				p := LatLng{lat, lng}
				if at := x.Locate(p, 0, true); at.Inside != inside || x.levels[0].near.area.contains(p) != inside {
					t.Errorf("%v beside the edge from %v: inside %v", p, south, at.Inside)
				}
			}
		}
	}
}
