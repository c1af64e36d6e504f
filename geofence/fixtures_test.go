// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// asBoundary wraps a geometry into a map.
func asBoundary(name string, geometry json.RawMessage) Source {
	return Source{name, fmt.Appendf(nil, `{"type":"FeatureCollection","features":[{"type":"Feature","id":"b","properties":{"kind":"boundary"},"geometry":%s}]}`, geometry)}
}

// GEOS's own cases: what it calls valid loads, what it calls invalid is refused.
func TestGEOSValidity(t *testing.T) {
	src := source(t, "fixtures/geos-polygon-validity/cases.ndjson")
	valid, invalid := 0, 0
	for sc := bufio.NewScanner(bytes.NewReader(src.Data)); sc.Scan(); {
		var c struct {
			ID, Desc, Reason string
			ExpectedValid    bool `json:"expected_valid"`
			Geometry         json.RawMessage
		}
		if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		_, _, err := Load("case", asBoundary(c.ID, c.Geometry))
		if (err == nil) != c.ExpectedValid {
			t.Errorf("%s %s: valid %v (%s), got %v", c.ID, c.Desc, c.ExpectedValid, c.Reason, err)
			continue
		}
		if err != nil {
			invalid++
			continue
		}
		valid++
	}
	if valid < 10 || invalid < 10 {
		t.Fatalf("only %d valid and %d invalid cases", valid, invalid)
	}
	t.Logf("%d valid, %d invalid", valid, invalid)
}

// Broken GeoJSON is refused, never a panic, whole and as the geometry of a boundary.
func TestBrokenGeoJSON(t *testing.T) {
	n := 0
	for _, pattern := range []string{"fixtures/geojsonhint/bad/*.geojson", "fixtures/antimeridian/input/*.json"} {
		for _, src := range sources(t, pattern) {
			n++
			for _, s := range []Source{src, asBoundary(src.Name, src.Data)} {
				if _, _, err := Load("bad", s); err == nil {
					t.Errorf("%s was loaded", src.Name)
				}
			}
		}
	}
	if n < 20 {
		t.Fatalf("only %d files", n)
	}
}

// Turf's invalid areas, brought to the size of a store by a power of two, which changes no topology.
func TestInvalidAreas(t *testing.T) {
	n := 0
	for _, pattern := range []string{"fixtures/turf/boolean-valid/*/*.geojson", "fixtures/turf/unkink-polygon/hourglass.geojson", "fixtures/turf/unkink-polygon/complex.geojson"} {
		names, err := filepath.Glob(filepath.Join(dataDir(t), filepath.FromSlash(pattern)))
		if err != nil || len(names) == 0 {
			t.Fatalf("nothing matches %s: %v", pattern, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			valid := filepath.Base(filepath.Dir(name)) == "true"
			for _, g := range geometries(t, data) {
				n++
				_, report, err := Load("turf", asBoundary(filepath.Base(name), g))
				mended := err == nil && len(report.Notes) > 0
				if valid != (err == nil) && !mended {
					t.Errorf("%s: valid %v, got %v", name, valid, err)
				}
			}
		}
	}
	if n < 10 {
		t.Fatalf("only %d areas", n)
	}
}

// geometries are the shrunk areas of a file.
func geometries(t *testing.T, data []byte) (out []json.RawMessage) {
	t.Helper()
	var doc struct {
		Geometry any
		Features []struct{ Geometry any }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for _, f := range append(doc.Features, struct{ Geometry any }{doc.Geometry}) {
		if f.Geometry == nil {
			continue
		}
		g, err := json.Marshal(shrink(f.Geometry))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, g)
	}
	return out
}

func shrink(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = shrink(v[k])
		}
	case []any:
		for i := range v {
			v[i] = shrink(v[i])
		}
	case float64:
		return v / (1 << 13)
	}
	return v
}

// Earcut's awkward polygons: holes touching, near-degenerate rings. The valid ones load and every
// point of their oracle is answered.
func TestEarcutOracle(t *testing.T) {
	var fc struct {
		Features []struct {
			ID         string
			Properties struct{ Valid bool }
			Geometry   json.RawMessage
		}
	}
	if err := json.Unmarshal(source(t, "fixtures/earcut-awkward/polygons.geojson").Data, &fc); err != nil {
		t.Fatal(err)
	}
	index := map[string]*Index{}
	for _, f := range fc.Features {
		s, _, err := Load("awkward", asBoundary(f.ID, f.Geometry))
		switch {
		case f.Properties.Valid && err != nil:
			t.Errorf("%s: %v", f.ID, err)
		case !f.Properties.Valid && err == nil:
			t.Errorf("%s is invalid and was loaded", f.ID)
		case err == nil:
			index[f.ID] = mustIndex(t, s)
		}
	}
	asked, excused := 0, 0
	for _, r := range rows(t, "fixtures/earcut-awkward/oracle.csv.gz") {
		x := index[r["polygon"]]
		if x == nil {
			continue
		}
		p := LatLng{number(t, r["lat"]), number(t, r["lng"])}
		at := x.Locate(p, 0, true)
		if d := at.DistM; d < 0.001 && d > -0.001 {
			excused++
			continue
		}
		asked++
		if at.Inside != (r["inside"] == "1") {
			t.Errorf("%s %v: inside %v, oracle %s (%v m)", r["polygon"], p, at.Inside, r["inside"], at.DistM)
		}
	}
	if asked < 1000 {
		t.Fatalf("only %d points of %d polygons asked", asked, len(index))
	}
	t.Logf("%d polygons, %d points, %d within 1 mm of an edge", len(index), asked, excused)
}

// The H3 project's own list of cells and their middles.
func TestH3Fixtures(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(dataDir(t), "fixtures/h3/latlng-to-cell/*.csv.gz"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, n := range names {
		for _, r := range rows(t, "fixtures/h3/latlng-to-cell", filepath.Base(n)) {
			p := LatLng{number(t, r["lat"]), number(t, r["lng"])}
			var want uint64
			if _, err := fmt.Sscanf(r["cell"], "%x", &want); err != nil {
				t.Fatal(err)
			}
			if got, ok := cellOf(p, resOf(want)); !ok || got != want {
				t.Fatalf("%v is in %x, want %x", p, got, want)
			}
		}
	}
}
