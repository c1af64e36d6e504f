// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asBoundary wraps a geometry into a map.
func asBoundary(name string, geometry json.RawMessage) Source {
	return Source{name, fmt.Appendf(nil, `{"type":"FeatureCollection","features":[{"type":"Feature","id":"b","properties":{"kind":"boundary"},"geometry":%s}]}`, geometry)}
}

// checkPlaces holds every error to a remedy and to a place that is there: feature, ring and coordinate
// of the geometry that was refused.
func checkPlaces(t *testing.T, err error, geometry json.RawMessage) {
	t.Helper()
	var g struct{ Coordinates any }
	if e := json.Unmarshal(geometry, &g); e != nil {
		t.Fatal(e)
	}
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		var e *Error
		if !errors.As(err, &e) || e.Remedy == "" || e.Where.Feature != 0 || e.Where.Ring == None || e.Where.Coordinate == None {
			t.Errorf("no feature, ring, coordinate or remedy: %v", err)
			continue
		}
		v := g.Coordinates
		for _, i := range []int{e.Where.Part, e.Where.Ring, e.Where.Coordinate} {
			list, ok := v.([]any)
			switch {
			case i == None:
			case !ok || i >= len(list):
				t.Fatalf("names a place that is not in the file: %v", err)
			default:
				v = list[i]
			}
		}
	}
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
			checkPlaces(t, err, c.Geometry)
			continue
		}
		valid++
	}
	if valid < 10 || invalid < 10 {
		t.Fatalf("only %d valid and %d invalid cases", valid, invalid)
	}
	t.Logf("%d valid, %d invalid", valid, invalid)
}

// What is wrong with each of geojsonhint's broken files, brought to the size of a store where it is an
// area. What is no fault of a map (a style, a point beside it) is told as what it is: no boundary.
var hints = map[string]string{
	"bad-duplicate-properties":        `line 3, column 9: member "type" is there twice`,
	"bad-json":                        "line 3, column 5: invalid character",
	"bad-polygon-interiorring-rhr":    "mended: feature 0, ring 1: rings that ran the wrong way round",
	"bad-properties-as-array":         "feature 0: properties is not an object",
	"badcoordtype":                    "feature 0, part 0, ring 0, coordinate 0: ",
	"badfeatureid":                    "feature 0: its id is neither text nor a number",
	"bbox-contains-string":            "bbox is not a list of four or six numbers",
	"different-first-last":            "mended: feature 0, ring 0, coordinate 3: the ring was not closed",
	"excessive_precision_truncated":   "no feature is a boundary",
	"false":                           `feature 0: its GeometryCollection has no list of "geometries"`,
	"featurecollection":               `without a list of "features"`,
	"featurecollection-obj":           `without a list of "features"`,
	"geometry_changed_semantics":      "no feature is a boundary",
	"geometrycollection_single":       "no feature is a boundary",
	"multipoint-multidimension":       "feature 0, coordinate 0: ",
	"nofeaturetype":                   `feature 0: type "Featre" is not Feature`,
	"point":                           `feature 0: its geometry has no list of "coordinates"`,
	"point-labeled-as-a-multipolygon": "feature 0, part 0: is not a list of positions",
	"point-toofew":                    "is not a position",
	"rootstring":                      "is not an object",
	"short-linearring":                "mended: feature 0, ring 0, coordinate 2: the ring was not closed",
	"stringcoord":                     `feature 0: [`,
}

func TestGeoJSONHint(t *testing.T) {
	n := 0
	for _, src := range sources(t, "fixtures/geojsonhint/bad/*.geojson") {
		name := strings.TrimSuffix(src.Name, ".geojson")
		want, ok := hints[name]
		if !ok {
			t.Errorf("%s: nothing is expected of it", name)
		}
		n++
		if strings.HasPrefix(want, "mended: ") {
			src.Data = shrunk(t, src.Data)
		}
		_, report, err := Load("bad", src)
		if want, mended := strings.CutPrefix(want, "mended: "); mended {
			if err != nil || !strings.Contains(fmt.Sprint(report.Notes), want) {
				t.Errorf("%s: notes %v, error %v, want a note with %q", name, report.Notes, err, want)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), src.Name+": ") {
			t.Errorf("%s: said %v, want %q", name, err, want)
		}
	}
	if n != len(hints) {
		t.Fatalf("%d files, expected %d", n, len(hints))
	}
}

// Good GeoJSON that is no map is told that it has no boundary, or that it is no store's size; nothing
// else is found wrong with it.
func TestGoodGeoJSON(t *testing.T) {
	n := 0
	for _, src := range sources(t, "fixtures/geojsonhint/good/*.geojson") {
		n++
		_, _, err := Load("good", src)
		for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
			if text := e.Error(); !strings.Contains(text, "no feature is a boundary") && !strings.Contains(text, "too large") && !strings.Contains(text, "out of range") {
				t.Error(text)
			}
		}
	}
	if n < 5 {
		t.Fatalf("only %d files", n)
	}
}

// Turf's areas, brought to the size of a store.
func TestTurf(t *testing.T) {
	valid, mended, refused := 0, 0, 0
	for _, pattern := range []string{"boolean-valid/*/*.geojson", "unkink-polygon/*.geojson", "point-to-polygon-distance/*.geojson"} {
		names, err := filepath.Glob(filepath.Join(dataDir(t), "fixtures", "turf", filepath.FromSlash(pattern)))
		if err != nil || len(names) == 0 {
			t.Fatalf("nothing matches %s: %v", pattern, err)
		}
		for _, name := range names {
			bad := filepath.Base(filepath.Dir(name)) == "false" || filepath.Base(filepath.Dir(name)) == "unkink-polygon" && filepath.Base(name) != "polygon.geojson"
			for i, g := range areas(t, shrunk(t, fileBytes(t, name))) {
				_, report, err := Load("turf", asBoundary(filepath.Base(name), g))
				if err != nil && strings.Contains(err.Error(), "smaller than") { // it had a store's size
					_, report, err = Load("turf", asBoundary(filepath.Base(name), areas(t, fileBytes(t, name))[i]))
				}
				switch {
				case err != nil && !bad:
					t.Errorf("%s is valid: %v", name, err)
				case err != nil:
					refused++
					checkPlaces(t, err, g)
				case bad && len(report.Notes) == 0:
					t.Errorf("%s is invalid, and was loaded without a word", name)
				case bad:
					mended++
				default:
					valid++
				}
			}
		}
	}
	if valid < 5 || mended == 0 || refused < 10 {
		t.Fatalf("only %d valid, %d mended and %d refused areas", valid, mended, refused)
	}
	t.Logf("%d valid, %d mended, %d refused", valid, mended, refused)
}

// As they come, Turf's valid areas are as large as countries: no store, and sound all the same for who only
// wants to know that.
func TestAnySize(t *testing.T) {
	n := 0
	for _, src := range sources(t, "fixtures/turf/boolean-valid/true/*.geojson") {
		for _, g := range areas(t, src.Data) {
			s := asBoundary(src.Name, g)
			if _, _, err := LoadWith("turf", Options{AnySize: true}, s); err != nil {
				t.Errorf("%s: %v", src.Name, err)
			}
			if _, _, err := Load("turf", s); err == nil || !strings.Contains(err.Error(), "too large") && !strings.Contains(err.Error(), "too close to a pole") {
				t.Errorf("%s: taken as a store: %v", src.Name, err)
			}
			n++
		}
	}
	if n < 5 {
		t.Fatalf("only %d areas", n)
	}
}

// shrunk divides a document's numbers by a power of two, which changes no topology.
func shrunk(t *testing.T, data []byte) []byte {
	t.Helper()
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(scaled(doc, func(x, y float64) (float64, float64) { return x / (1 << 13), y / (1 << 13) }))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// scaled moves every position of a document.
func scaled(v any, move func(x, y float64) (float64, float64)) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = scaled(v[k], move)
		}
	case []any:
		if len(v) >= 2 && allNumbers(v) {
			v[0], v[1] = move2(v, move)
			return v
		}
		for i := range v {
			v[i] = scaled(v[i], move)
		}
	}
	return v
}

func move2(v []any, move func(x, y float64) (float64, float64)) (any, any) {
	x, y := move(v[0].(float64), v[1].(float64))
	return x, y
}

// areas are the polygons of a document.
func areas(t *testing.T, data []byte) (out []json.RawMessage) {
	t.Helper()
	var doc struct {
		Type     string
		Geometry json.RawMessage
		Features []struct{ Geometry json.RawMessage }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	all := []json.RawMessage{doc.Geometry}
	for _, f := range doc.Features {
		all = append(all, f.Geometry)
	}
	if isArea(doc.Type) {
		all = append(all, data)
	}
	for _, g := range all {
		var typed struct{ Type string }
		if json.Unmarshal(g, &typed) == nil && isArea(typed.Type) {
			out = append(out, g)
		}
	}
	return out
}

// The antimeridian project's areas, which run across the seam, and what it makes of them: the same areas
// cut at the seam. Moved to the equator and shrunk to stores, both load and hold the same ground.
func TestAntimeridian(t *testing.T) {
	n, same := 0, 0
	for _, src := range sources(t, "fixtures/antimeridian/input/*.json") {
		n++
		if _, _, err := Load("seam", src); err == nil {
			t.Errorf("%s spans tens of degrees, and was loaded", src.Name)
		}
		if strings.Contains(src.Name, "pole") || src.Name == "line.json" || src.Name == "overlap.json" {
			continue // not an area, or one that goes round a pole
		}
		whole, _, err := Load("seam", Source{src.Name, atSeam(t, src.Data)})
		if err != nil {
			t.Error(err)
			continue
		}
		flat, err := os.ReadFile(filepath.Join(dataDir(t), "fixtures/antimeridian/expected-flat", src.Name))
		if err != nil {
			continue // upstream expects the same of it as of another
		}
		cut, _, err := Load("seam", Source{src.Name, atSeam(t, flat)})
		if err != nil { // upstream cuts ring by ring, and some rings then touch themselves on the seam
			if !strings.Contains(err.Error(), "touches itself") || !strings.Contains(err.Error(), "at [180.0000000, ") {
				t.Error(err)
			}
			continue
		}
		a, b := siteArea(whole), siteArea(cut)
		if math.Abs(a-b) > 0.02*math.Max(a, b) { // a cut is interpolated on a sphere
			t.Errorf("%s: %.0f m², cut %.0f m²", src.Name, a, b)
			continue
		}
		same++
	}
	if n < 10 || same < 8 {
		t.Fatalf("%d files, %d compared", n, same)
	}
	t.Logf("%d files, %d the same as cut", n, same)
}

// atSeam shrinks positions toward the antimeridian at the equator.
func atSeam(t *testing.T, data []byte) []byte {
	t.Helper()
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(scaled(doc, func(x, y float64) (float64, float64) {
		switch {
		case x == 180 || x == -180:
			return x, y / (1 << 13)
		case x < 0:
			return -180 + (180+x)/(1<<13), y / (1 << 13)
		default:
			return 180 - (180-x)/(1<<13), y / (1 << 13)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func siteArea(s *Site) (sum float64) {
	pl := newPlane(s)
	for _, l := range s.Levels {
		sum += m2(&pl, l.Boundary)
	}
	return sum
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
	refused := 0
	for _, f := range fc.Features {
		s, _, err := Load("awkward", asBoundary(f.ID, f.Geometry))
		switch {
		case f.Properties.Valid && err != nil:
			t.Errorf("%s: %v", f.ID, err)
		case !f.Properties.Valid && err == nil:
			t.Errorf("%s is invalid and was loaded", f.ID)
		case err == nil:
			index[f.ID] = mustIndex(t, s)
		default:
			refused++
			checkPlaces(t, err, f.Geometry)
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
	if asked < 1000 || refused < 5 {
		t.Fatalf("only %d points of %d polygons asked, %d refused", asked, len(index), refused)
	}
	t.Logf("%d polygons, %d points, %d within 1 mm of an edge; %d refused", len(index), asked, excused, refused)
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

func fileBytes(t *testing.T, path string) []byte {
	t.Helper()
	rel, err := filepath.Rel(dataDir(t), path)
	if err != nil {
		t.Fatal(err)
	}
	return source(t, rel).Data
}
