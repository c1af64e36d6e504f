// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"doorstep/geofence/internal/mapjson"
)

// A store of 100 m × 60 m, in the North Sea, drawn by hand.
const (
	square   = `[[3,54],[3.0015,54],[3.0015,54.0005],[3,54.0005],[3,54]]`
	quarter  = `[[3.0001,54.0001],[3.0004,54.0001],[3.0004,54.0003],[3.0001,54.0003],[3.0001,54.0001]]`
	boundary = `{"type":"Feature","id":"b","properties":{"kind":"boundary","floor":0},"geometry":{"type":"Polygon","coordinates":[` + square + `]}}`
)

func collection(features ...string) Source {
	return Source{"map.geojson", []byte(`{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`)}
}

func area4(kind, id, rings string) string {
	return fmt.Sprintf(`{"type":"Feature","id":%q,"properties":{"kind":%q,"floor":0},"geometry":{"type":"Polygon","coordinates":[%s]}}`, id, kind, rings)
}

// Each fault is refused with its place and a remedy.
func TestLoadRefuses(t *testing.T) {
	at := func(feature int, id string, ring, coordinate int) Where {
		return Where{"map.geojson", feature, id, None, ring, coordinate}
	}
	for _, c := range []struct {
		name string
		src  Source
		want Where
		says string
	}{
		{"not JSON", Source{"map.geojson", []byte("{")}, at(None, "", None, None), "not JSON"},
		{"two documents", Source{"map.geojson", []byte("{} {}")}, at(None, "", None, None), "follows the document"},
		{"member twice", Source{"map.geojson", []byte(`{"type":"FeatureCollection","type":"Feature","features":[]}`)}, at(None, "", None, None), "twice"},
		{"too deep", Source{"map.geojson", []byte(strings.Repeat("[", 30))}, at(None, "", None, None), "nested deeper"},
		{"too long", Source{"map.geojson", make([]byte, mapjson.MaxBytes+1)}, at(None, "", None, None), "longer than"},
		{"a list", Source{"map.geojson", []byte("[]")}, at(None, "", None, None), "not an object"},
		{"another format", Source{"map.geojson", []byte(`{"type":"Topology"}`)}, at(None, "", None, None), "not a FeatureCollection"},
		{"no features", Source{"map.geojson", []byte(`{"type":"FeatureCollection","features":{}}`)}, at(None, "", None, None), "without a list"},
		{"no boundary", collection(`{"type":"Feature","properties":{"kind":"wall"},"geometry":null}`), at(None, "", None, None), "no feature is a boundary"},
		{"two boundaries", collection(boundary, area4("boundary", "c", quarter)), at(1, "c", None, None), "has a boundary already"},
		{"swapped", collection(area4("boundary", "b", `[[54,120],[54,120.001],[54.001,120.001],[54,120]]`)), at(0, "b", 0, 0), "swapped"},
		{"out of range", collection(area4("boundary", "b", `[[3,54],[3.001,54],[500,54.001],[3,54]]`)), at(0, "b", 0, 2), "out of range"},
		{"not a number", collection(area4("boundary", "b", `[[3,54],["3.001",54],[3.001,54.001],[3,54]]`)), at(0, "b", 0, 1), "not a position"},
		{"beyond a float", collection(area4("boundary", "b", `[[3,54],[1e999,54],[3.001,54.001],[3,54]]`)), at(None, "", None, None), "not JSON"},
		{"at the pole", collection(area4("boundary", "b", `[[3,89],[3.001,89],[3.001,89.001],[3,89]]`)), at(0, "b", 0, 0), "pole"},
		{"too few points", collection(area4("boundary", "b", `[[3,54],[3.001,54],[3,54]]`)), at(0, "b", 0, 2), "fewer than three"},
		{"bow tie", collection(area4("boundary", "b", `[[3,54],[3.001,54.001],[3.001,54],[3,54.001],[3,54]]`)), at(0, "b", 0, 0), "crosses or touches itself"},
		{"spike", collection(area4("boundary", "b", `[[3,54],[3.001,54],[3.002,54],[3.001,54],[3.001,54.001],[3,54]]`)), at(0, "b", 0, 0), "crosses or touches itself"},
		{"hole outside", collection(area4("boundary", "b", square+`,[[3.002,54],[3.002,54.0001],[3.0021,54.0001],[3.002,54]]`)), at(0, "b", 1, 0), "outside the outer ring"},
		{"hole crosses", collection(area4("boundary", "b", square+`,[[3.001,54.0001],[3.001,54.0003],[3.002,54.0003],[3.002,54.0001],[3.001,54.0001]]`)), at(0, "b", 1, 1), "meets ring 0"},
		{"too large", collection(area4("boundary", "b", `[[3,54],[4,54],[4,55],[3,54]]`)), at(0, "b", 0, 2), "too large"},
		{"a line", collection(`{"type":"Feature","id":"b","properties":{"kind":"boundary"},"geometry":{"type":"LineString","coordinates":[[3,54],[3.1,54]]}}`), at(0, "b", None, None), "not an area"},
		{"no geometry", collection(`{"type":"Feature","id":"b","properties":{"kind":"boundary"},"geometry":null}`), at(0, "b", None, None), "no geometry"},
		{"floor is text", collection(`{"type":"Feature","id":"b","properties":{"kind":"boundary","floor":"G"},"geometry":null}`), at(0, "b", None, None), "not a level"},
		{"zone outside", collection(boundary, area4("unit", "z", `[[3.01,54],[3.011,54],[3.011,54.0004],[3.01,54]]`)), at(1, "z", 0, 0), "lies outside"},
		{"zone reaches out", collection(boundary, area4("unit", "z", `[[3.0001,54.0001],[3.0004,54.0001],[3.0004,54.0007],[3.0001,54.0003],[3.0001,54.0001]]`)), at(1, "z", 0, 2), "reaches 22"},
		{"unknown level", collection(boundary, strings.Replace(area4("unit", "z", quarter), `"floor":0`, `"floor":3`, 1)), at(1, "z", None, None), "level 3 is unknown"},
		{"ids twice", collection(boundary, area4("unit", "z", quarter), strings.Replace(area4("unit", "z", quarter), "3.0004", "3.0005", 2)), at(2, "z", None, None), "same id"},
		{"door far away", collection(boundary, `{"type":"Feature","id":"d","properties":{"kind":"door"},"geometry":{"type":"Point","coordinates":[3.01,54]}}`), at(1, "d", None, None), "door is"},
		{"other store", Source{"map.geojson", []byte(`{"type":"FeatureCollection","store_id":"other","features":[` + boundary + `]}`)}, at(None, "", None, None), `of store "other"`},
		{"bearing 400", Source{"map.geojson", []byte(`{"type":"FeatureCollection","bearing":400,"features":[` + boundary + `]}`)}, at(None, "", None, None), "not an angle"},
		{"bbox of text", Source{"map.geojson", []byte(`{"type":"FeatureCollection","bbox":[1,2,3,"4"],"features":[` + boundary + `]}`)}, at(None, "", None, None), "bbox"},
		{"id is an object", collection(`{"type":"Feature","id":{},"properties":{},"geometry":null}`), at(0, "", None, None), "its id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			site, _, err := Load("here", c.src)
			var e *Error
			if site != nil || !errors.As(err, &e) {
				t.Fatalf("site %v, error %v", site, err)
			}
			if !strings.Contains(e.Problem, c.says) || e.Remedy == "" {
				t.Errorf("said %q, want something with %q and a remedy", e, c.says)
			}
			if e.Where != c.want && c.says != "" {
				t.Errorf("at %+v, want %+v", e.Where, c.want)
			}
		})
	}
}

// What can be mended is mended, and said.
func TestLoadMends(t *testing.T) {
	for _, c := range []struct {
		name string
		src  Source
		says string
	}{
		{"winding", collection(area4("boundary", "b", `[[3,54],[3,54.0005],[3.0015,54.0005],[3.0015,54],[3,54]]`)), "wrong way round"},
		{"not closed", collection(area4("boundary", "b", `[[3,54],[3.0015,54],[3.0015,54.0005],[3,54.0005]]`)), "not closed"},
		{"repeated", collection(area4("boundary", "b", `[[3,54],[3,54],[3.0015,54],[3.0015,54.0005],[3,54.0005],[3,54]]`)), "repeated"},
		{"copy", collection(boundary, area4("unit", "z", quarter), area4("unit", "z", quarter)), "copy"},
		{"beyond 180", collection(area4("boundary", "b", `[[179.9995,54],[180.001,54],[180.001,54.0005],[179.9995,54.0005],[179.9995,54]]`)), "counted on from the other side"},
		{"one feature alone", Source{"map.geojson", []byte(boundary)}, "a Feature alone"},
		{"opening within", collection(boundary, `{"type":"Feature","properties":{"kind":"opening"},"geometry":{"type":"LineString","coordinates":[[3.0005,54.0002],[3.0005,54.0003]]}}`), "no doors of the store: 1"},
		{"no kind", collection(`{"type":"Feature","properties":null,"geometry":{"type":"Polygon","coordinates":[` + square + `]}}`), "taken as boundaries"},
		{"no boundary", collection(area4("unit", "z", square)), "stand in for one"},
		{"no id", collection(boundary, strings.Replace(area4("unit", "z", quarter), `"id":"z",`, "", 1)), "no id"},
		{"other kinds", collection(boundary, area4("wall", "w", quarter)), `features of kind "wall", left out: 1`},
		{"class", collection(boundary, strings.Replace(area4("unit", "z", quarter), `"floor"`, `"class":"Fitting Room","floor"`, 1)), "sensitive"},
		{"control characters", Source{"map.geojson", []byte(`{"type":"FeatureCollection","store_name":"A\u0000\u2028B","features":[` + boundary + `]}`)}, "cleaned"},
		{"centimetres out", collection(boundary, area4("unit", "z", strings.ReplaceAll(quarter, "54.0001]", "53.9999995]"))), "reach out"},
		{"overlap", collection(boundary, area4("unit", "z", quarter), area4("unit", "y", strings.ReplaceAll(quarter, "3.0001,", "3.0002,"))), "overlap"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, report, err := Load("here", c.src)
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Notes) == 0 || len(report.Notes) > 2 || !strings.Contains(report.Notes[0].String(), c.says) {
				t.Errorf("notes %v, want one with %q", report.Notes, c.says)
			}
			for _, l := range s.Levels {
				for _, p := range l.Boundary {
					if turn(p[0]) <= 0 || p[0][0] != p[0][len(p[0])-1] {
						t.Error("the boundary is not wound and closed")
					}
				}
			}
			if strings.ContainsAny(s.Name, "\x00\u2028") {
				t.Errorf("name %q", s.Name)
			}
		})
	}
}

// A plain map raises no notes; the version follows the content and nothing else.
func TestVersion(t *testing.T) {
	load := func(src ...Source) *Site {
		t.Helper()
		s, report, err := Load("here", src...)
		if err != nil || len(report.Notes) > 0 {
			t.Fatalf("%v %v", report.Notes, err)
		}
		return s
	}
	zone := area4("unit", "z", quarter)
	a := load(collection(boundary, zone))
	if len(a.Version) != 16 || a.Version != load(collection(boundary, zone)).Version {
		t.Errorf("version %q is not stable", a.Version)
	}
	other := collection(boundary)
	other.Name = "elsewhere.geojson"
	if a.Version != load(other, collection(zone)).Version {
		t.Error("the version depends on how the map is cut into files")
	}
	for _, change := range []string{
		strings.Replace(zone, "3.0004", "3.00040001", 1), strings.Replace(zone, `"floor"`, `"sensitive":true,"floor"`, 1),
	} {
		if a.Version == load(collection(boundary, change)).Version {
			t.Errorf("a change was missed: %s", change)
		}
	}
	if b := a.Bearing; b < 89.9 || b > 90.1 {
		t.Errorf("the long side points %v°, want east", b)
	}
}

func TestSiteIDs(t *testing.T) {
	for id, ok := range map[string]bool{"a": true, "store-12": true, "": false, "A": false, "a b": false, "-a": false, "a-": false, strings.Repeat("a", 65): false} {
		if _, _, err := Load(id, collection(boundary)); (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// Areas of a level that say that they belong together are one boundary, whether they lie apart, touch
// or overlap; without that they are refused.
func TestJoinedBoundaries(t *testing.T) {
	part := func(id, west, east string, joined bool) string {
		return fmt.Sprintf(`{"type":"Feature","id":%q,"properties":{"kind":"boundary","floor":0,"joined":%v},"geometry":{"type":"Polygon","coordinates":[[[%s,54],[%s,54],[%s,54.0005],[%s,54.0005],[%s,54]]]}}`,
			id, joined, west, east, east, west, west)
	}
	for _, c := range []struct {
		name, west string
		parts      int
	}{{"apart", "3.0007", 2}, {"touching", "3.0005", 1}, {"overlapping", "3.0003", 1}, {"the same", "3", 1}} {
		s, _, err := Load("here", collection(part("a", "3", "3.0005", true), part("b", c.west, "3.0011", true)))
		if err != nil || len(s.Levels) != 1 || len(s.Levels[0].Boundary) != c.parts {
			t.Errorf("%s: %+v, %v", c.name, s, err)
			continue
		}
		if _, _, err := Load("here", collection(part("a", "3", "3.0005", false), part("b", c.west, "3.0011", false))); err == nil {
			t.Errorf("%s: taken for one store without being told", c.name)
		}
	}
}

// Several areas that do not say what they are may be stores or rooms: none is taken for a store unless it
// is chosen by its id.
func TestAreasWithoutAKind(t *testing.T) {
	plain := func(id, west, east string) string {
		return strings.Replace(area4("", id, fmt.Sprintf("[[%[1]s,54],[%[2]s,54],[%[2]s,54.0005],[%[1]s,54]]", west, east)), `"floor":0`, `"name":"Kiosk"`, 1)
	}
	src := collection(plain("a", "3", "3.001"), plain("c", "3.01", "3.011"))
	if e := firstErrorOf(Load("here", src)); e == nil || e.Stores != nil || e.Where.FeatureID != "c" || !strings.Contains(e.Remedy, "a, c") || !strings.Contains(e.Remedy, `"kind":"unit"`) {
		t.Errorf("%+v", e)
	}
	s, report, err := LoadWith("here", Options{BoundaryIDs: []string{"c"}}, src)
	if err != nil || s.Levels[0].Boundary[0][0][0].Lng != 3.01 || len(report.Notes) != 0 {
		t.Errorf("%+v, %v, %v", s, report.Notes, err)
	}
	if e := firstErrorOf(LoadWith("here", Options{BoundaryIDs: []string{"d"}}, src)); e == nil || !strings.Contains(e.Problem, `the id "d"`) {
		t.Errorf("%+v", e)
	}
}

// A fault is told once, though what it is in is read several times; and where the file has it, though the
// longitudes were counted on.
func TestFaultsAreToldOnce(t *testing.T) {
	_, _, err := Load("here", collection(strings.Replace(boundary, `"floor":0`, `"floor":0.5`, 1)))
	if n := strings.Count(err.Error(), "is not a level"); n != 1 {
		t.Errorf("told %d times: %v", n, err)
	}
	back := `[[179.999,10],[-179.999,10],[-179.9995,10],[-179.999,10.001],[179.999,10.001],[179.999,10]]`
	if e := firstErrorOf(Load("here", collection(area4("boundary", "b", back)))); e == nil || !strings.Contains(e.Problem, "[-179.9990000, 10.0000000]") {
		t.Error(e)
	}
}

// An opening in the boundary is a door, halfway between its ends; a door is a door wherever it is drawn.
func TestOpenings(t *testing.T) {
	s, _, err := Load("here", collection(boundary,
		`{"type":"Feature","properties":{"kind":"opening","name":"Quay"},"geometry":{"type":"LineString","coordinates":[[3,54.0002],[3,54.0003]]}}`,
		`{"type":"Feature","properties":{"kind":"opening"},"geometry":{"type":"Point","coordinates":[3.0005,54.0002]}}`,
		`{"type":"Feature","properties":{"kind":"door","name":"Yard"},"geometry":{"type":"Point","coordinates":[3.0001,54.0002]}}`))
	if err != nil || len(s.Doors) != 2 || s.Doors[1].Name != "Quay" || s.Doors[1].At != (LatLng{(54.0002 + 54.0003) / 2, 3}) {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{`{"type":"LineString","coordinates":[[3,54]]}`, `{"type":"LineString","coordinates":[[3,54],[3,"x"]]}`, `{"type":"Polygon","coordinates":[]}`} {
		if _, _, err := Load("here", collection(boundary, `{"type":"Feature","properties":{"kind":"opening"},"geometry":`+bad+`}`)); err == nil {
			t.Errorf("loaded %s", bad)
		}
	}
}

// A fault is told where it is in the file, though the ring was turned and a point left out before it was
// found.
func TestPlacesAreTheFiles(t *testing.T) {
	// clockwise, a repeated point first; the edges from 5 and from 7 cross the one from 2
	ring := `[[3,54],[3,54],[3,54.0005],[3.0006,54.0005],[3.0006,54.0001],[3.0004,54.0001],[3.0003,54.0006],[3.0001,54.0006],[3.0001,54],[3,54]]`
	_, _, err := Load("here", collection(area4("boundary", "b", ring)))
	e := firstError(t, err)
	if e.Where.Coordinate != 7 || !strings.Contains(e.Problem, "coordinate 2 at [3.0001000, 54.0005000]") {
		t.Error(e)
	}
	src := collection(boundary, area4("unit", "z", `[[3.0001,54.0001],[3.0001,54.0001],[3.0001,54.0003],[3.0004,54.0007],[3.0004,54.0001],[3.0001,54.0001]]`))
	if e := firstErrorOf(Load("here", src)); e == nil || e.Where.Coordinate != 3 {
		t.Errorf("%v, want coordinate 3", e)
	}
}

func firstErrorOf(_ *Site, _ Report, err error) *Error {
	var e *Error
	errors.As(err, &e)
	return e
}

// What a class says of a person hides its zone, in whichever words and however they are joined.
func TestSensitiveClasses(t *testing.T) {
	for class, want := range map[string]bool{
		"restroom": true, "restroom.female.wheelchair": true, "Fitting Room": true, "fitting-room": true, "mothersroom": true, "prayerroom.islam.male": true,
		"pharmacy": true, "toilets": true, "bathroom": true, "": false, "shop": false, "shoes": false, "privatelounge": false, "room": false,
	} {
		if SensitiveClass(class) != want {
			t.Errorf("%q: %v", class, !want)
		}
	}
}
