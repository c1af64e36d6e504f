// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"math"
	"testing"
)

// Of more zones than a place holds the smallest are named, whatever the order they are met in; of equal
// ones those first by id; and their sizes are square metres.
func TestSmallestZonesAreNamed(t *testing.T) {
	features := []string{boundary}
	for i := range 6 { // ever smaller
		e, n := 3.0004+0.0001*float64(6-i), 54.0002+0.00004*float64(6-i)
		features = append(features, area4("unit", fmt.Sprintf("z%d", i), fmt.Sprintf("[[3.0001,54.0001],[%[1]v,54.0001],[%[1]v,%[2]v],[3.0001,%[2]v],[3.0001,54.0001]]", e, n)))
	}
	x := mustIndex(t, mustLoad(t, "nested", collection(features...)))
	at := x.Locate(LatLng{54.00012, 3.0002}, 0, true)
	got := ""
	for _, z := range at.Zones[:at.N] {
		got += z.ID + " "
	}
	if got != "z5 z4 z3 z2 " {
		t.Errorf("named %s", got)
	}
	kx, ky := metresPerDegree(54.0002)
	if want := 0.0004 * kx * 0.00014 * ky; math.Abs(at.Zones[0].AreaM2/want-1) > 0.001 {
		t.Errorf("%s has %.1f m², want %.1f", at.Zones[0].ID, at.Zones[0].AreaM2, want)
	}
	var p Place
	for _, z := range []*Zone{{ID: "e", AreaM2: 9}, {ID: "d", AreaM2: 8}, {ID: "c", AreaM2: 7}, {ID: "b", AreaM2: 7}, {ID: "a", AreaM2: 1}, {ID: "f", AreaM2: 10}} {
		p.addZone(z)
	}
	if got := p.Zones[0].ID + p.Zones[1].ID + p.Zones[2].ID + p.Zones[3].ID; got != "abcd" || p.N != 4 {
		t.Errorf("the smallest four are %s", got)
	}
}
