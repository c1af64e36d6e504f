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
		{"no id", collection(boundary, strings.Replace(area4("unit", "z", quarter), `"id":"z",`, "", 1)), "no id"},
		{"other kinds", collection(boundary, area4("wall", "w", quarter)), `1 features of kind "wall" are not used`},
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
			if len(report.Notes) != 1 || !strings.Contains(report.Notes[0].String(), c.says) {
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
