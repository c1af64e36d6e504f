// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// oracleFile is a file of points with their answers, and the floor that it is about.
type oracleFile struct{ name, file, floor string }

// oracles are all of the data folder, each by the name of its map and floor: oracle/MAP-FLOOR.csv.gz is about
// …/MAP/floors/FLOOR.geojson. One without a floor is an error: it would not be run.
func oracles(t testing.TB) (out []oracleFile) {
	t.Helper()
	floors := map[string]string{}
	for _, depth := range []string{"*", "*/*"} {
		for _, f := range glob(t, depth+"/floors/*.geojson") {
			site := filepath.Base(filepath.Dir(filepath.Dir(f)))
			floors[site+"-"+strings.TrimSuffix(filepath.Base(f), ".geojson")] = f
		}
	}
	for _, f := range glob(t, "oracle/*.csv.gz") {
		name := strings.TrimSuffix(filepath.Base(f), ".csv.gz")
		floor, ok := floors[name]
		if !ok {
			t.Fatalf("no floor for the oracle %s", name)
		}
		out = append(out, oracleFile{name, f, floor})
	}
	if len(out) < 3 {
		t.Fatalf("only %d oracle files", len(out))
	}
	return out
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dataDir(t), filepath.FromSlash(pattern)))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func (o oracleFile) source(t testing.TB) Source {
	t.Helper()
	data, err := os.ReadFile(o.floor)
	if err != nil {
		t.Fatal(err)
	}
	return Source{Name: filepath.Base(o.floor), Data: data}
}

func (o oracleFile) rows(t testing.TB) []map[string]string {
	t.Helper()
	return rows(t, "oracle", filepath.Base(o.file))
}

// Every row of every oracle file: boundary, zones and distance. Nothing is excused but points
// closer to an edge than a millimetre.
func TestOracle(t *testing.T) {
	for _, o := range oracles(t) {
		t.Run(o.name, func(t *testing.T) {
			x := mustIndex(t, mustLoad(t, strings.ToLower(o.name), o.source(t)))
			all := o.rows(t)
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
