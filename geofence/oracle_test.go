// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"strings"
	"testing"
)

// Every row of every oracle file: boundary, zones and distance. Nothing is excused but points
// closer to an edge than a millimetre.
func TestOracle(t *testing.T) {
	for _, c := range []struct{ name, file string }{
		{"hz-xixi-intime-B1", "malls/hz-xixi-intime/floors/B1.geojson"},
		{"hz-xixi-intime-F1", "malls/hz-xixi-intime/floors/F1.geojson"},
		{"caserne-de-bonne-L0", "osm-indoor/caserne-de-bonne/floors/L0.geojson"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := mustIndex(t, mustLoad(t, strings.ToLower(c.name), sources(t, c.file)...))
			all := rows(t, "oracle", c.name+".csv.gz")
			if len(all) != 20_000 {
				t.Fatalf("%d rows, want 20,000", len(all))
			}
			excused := 0
			for _, r := range all {
				if !oracleRow(t, x, r) {
					excused++
				}
			}
			t.Logf("%d rows equal, %d within 1 mm of an edge", len(all)-excused, excused)
		})
	}
}

// oracleRow compares one row; false means that its point is too close to an edge to tell.
func oracleRow(t *testing.T, x *Index, r map[string]string) bool {
	t.Helper()
	p := LatLng{number(t, r["lat"]), number(t, r["lng"])}
	dist := number(t, r["dist_m"])
	at := x.Locate(p, x.site.Levels[0].Ordinal, true)
	if exact := x.Distance(p, 0, false); !distanceFits(exact, dist) {
		t.Errorf("%v: distance %.4f, oracle %.4f", p, exact, dist)
	}
	switch {
	case at.DistM >= -nearExactM && at.DistM <= farExactM:
		if !distanceFits(at.DistM, dist) {
			t.Errorf("%v: located at %.4f m, oracle %.4f", p, at.DistM, dist)
		}
	case at.DistM < -nearExactM && dist > at.DistM+0.05, at.DistM > farExactM && dist < at.DistM-0.05:
		t.Errorf("%v: located beyond %.4f m, oracle %.4f", p, at.DistM, dist)
	}
	if math.Abs(dist) < 0.001 || number(t, r["unit_edge_m"]) < 0.001 {
		return false
	}
	if at.Inside != (r["inside"] == "1") {
		t.Errorf("%v: inside %v, oracle %s (%s m)", p, at.Inside, r["inside"], r["dist_m"])
	}
	var got []string
	for _, z := range at.Zones[:at.N] {
		got = append(got, z.ID)
	}
	if s := strings.Join(got, ";"); s != r["units"] {
		t.Errorf("%v: zones %q, oracle %q", p, s, r["units"])
	}
	return true
}

// distanceFits is 5 cm near and 1 % far.
func distanceFits(got, want float64) bool {
	return math.Abs(got-want) <= max(0.05, math.Abs(want)/100)
}
