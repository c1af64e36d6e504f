// SPDX-License-Identifier: Apache-2.0

package imdf

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"doorstep/geofence"
)

// quay is the map in testdata: a small shopping centre, drawn by hand.
func quay(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/quay/*")
	if err != nil || len(names) < 10 {
		t.Fatalf("%v %v", names, err)
	}
	files := map[string][]byte{}
	for _, n := range names {
		data, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(n)] = data
	}
	return files
}

func folder(files map[string][]byte) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys
}

func mustLoad(t *testing.T, files map[string][]byte, boundary ...string) (*geofence.Site, geofence.Report) {
	t.Helper()
	a, err := ReadFolder("quay", folder(files))
	if err != nil {
		t.Fatal(err)
	}
	site, report, err := a.Load("quay", geofence.Options{BoundaryIDs: boundary})
	if err != nil {
		t.Fatal(err)
	}
	return site, report
}

// edit changes one feature of one file.
func edit(t *testing.T, files map[string][]byte, kind string, i int, change func(feature map[string]any)) {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(files[kind+".geojson"], &doc); err != nil {
		t.Fatal(err)
	}
	change(doc["features"].([]any)[i].(map[string]any))
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	files[kind+".geojson"] = data
}

func set(member string, v any) func(map[string]any) {
	return func(f map[string]any) { f["properties"].(map[string]any)[member] = v }
}

// id is that of a feature in testdata.
func id(t *testing.T, kind string, i int) (found string) {
	t.Helper()
	edit(t, quay(t), kind, i, func(f map[string]any) { found = f["id"].(string) })
	return found
}

func zones(s *geofence.Site) string {
	var b strings.Builder
	for _, l := range s.Levels {
		fmt.Fprintf(&b, "%d %s:", l.Ordinal, l.Name)
		for _, z := range l.Zones {
			hidden := ""
			if z.Sensitive {
				hidden = "*"
			}
			fmt.Fprintf(&b, " %s/%s%s", z.Name, z.Class, hidden)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestQuay(t *testing.T) {
	s, report := mustLoad(t, quay(t))
	want := "0 Ground floor: Arcade/walkway Marlin Shoes/shoes Tide Pharmacy/pharmacy* Ladies/restroom.female* /fittingroom* Breaker Clothing/fashion Deliveries/nonpublic Coats/retaildepartment Ices/kiosk\n" +
		"1 Upper floor: Marlin Shoes/shoes\n"
	if got := zones(s); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if s.Name != "Quay House" || len(s.Doors) != 2 {
		t.Errorf("%q, doors %v", s.Name, s.Doors)
	}
	notes := fmt.Sprint(report.Notes)
	for _, want := range []string{`"outdoor level", left out: 1`, `"level for employees", left out: 1`, `"wall or void", left out: 1`, `"opening not for pedestrians", left out: 1`, "because of their class: 3"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note says %q: %s", want, notes)
		}
	}
	x, err := geofence.NewIndex(s)
	if err != nil {
		t.Fatal(err)
	}
	if x.Locate(geofence.LatLng{Lat: 53.9999, Lng: 3.0005}, 0, false).Inside {
		t.Error("the terrace is inside")
	}
}

// Names come in the language of the manifest, or the nearest to it.
func TestLanguages(t *testing.T) {
	for manifest, want := range map[string]string{
		`{"version":"1.0.0","language":"de-AT"}`: "Kaihaus", `{"version":"1.0.0","language":"fr"}`: "Quay House", `{"version":"2","language":7}`: "Quay House",
	} {
		files := quay(t)
		files[manifestFile] = []byte(manifest)
		if s, _ := mustLoad(t, files); s.Name != want {
			t.Errorf("%s: %q", manifest, s.Name)
		}
	}
	for labels, want := range map[string]string{
		`{"de":"a","de-CH":"b"}`: "b", `{"de":"a","en":"b"}`: "a", `{"fr":"a","en-GB":"b"}`: "b", `{"it":"b","fr":"a"}`: "a", `{"de-CH":""}`: "", `"plain"`: "plain", `null`: "", `{"de":7}`: "",
	} {
		var v any
		if err := json.Unmarshal([]byte(labels), &v); err != nil {
			t.Fatal(err)
		}
		if got := label(v, "de-CH"); got != want {
			t.Errorf("%s: %q, want %q", labels, got, want)
		}
	}
}

// A store that is a part of the venue: by occupants on two levels, by a unit, by a level, by a building,
// even on a level that is otherwise left out.
func TestPartsOfAVenue(t *testing.T) {
	for _, c := range []struct {
		name     string
		boundary []string
		want     string
		doors    int
	}{
		{"a retailer on two levels", []string{id(t, "occupant", 0), id(t, "occupant", 1)}, "0 Ground floor: Marlin Shoes/shoes\n1 Upper floor: Marlin Shoes/shoes\n", 1},
		{"a unit with a section in it", []string{id(t, "unit", 5)}, "0 Ground floor: Breaker Clothing/fashion Coats/retaildepartment\n", 0},
		{"an anchor", []string{id(t, "anchor", 1)}, "0 Ground floor: Tide Pharmacy/pharmacy*\n", 0},
		{"a level", []string{id(t, "level", 1)}, "1 Upper floor: Marlin Shoes/shoes\n", 0},
		{"a level for employees", []string{id(t, "level", 2)}, "-1 Stock rooms: /storage\n", 1},
		{"a building", []string{id(t, "building", 0)}, "-1 Stock rooms: /storage\n0 Ground floor: Arcade/walkway Marlin Shoes/shoes Tide Pharmacy/pharmacy* Ladies/restroom.female* /fittingroom* Breaker Clothing/fashion Deliveries/nonpublic Coats/retaildepartment Ices/kiosk\n1 Upper floor: Marlin Shoes/shoes\n", 3},
		{"a terrace", []string{id(t, "unit", 10)}, "0 Ground floor: /walkway\n", 0},
	} {
		s, _ := mustLoad(t, quay(t), c.boundary...)
		if got := zones(s); got != c.want || len(s.Doors) != c.doors {
			t.Errorf("%s: %d doors\n%s\nwant\n%s", c.name, len(s.Doors), got, c.want)
		}
	}
	a, err := ReadFolder("quay", folder(quay(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, none := range []string{"nowhere", id(t, "address", 0), id(t, "venue", 0)} {
		if _, _, err := a.Load("quay", geofence.Options{BoundaryIDs: []string{none}}); err == nil || !strings.Contains(err.Error(), "no unit, occupant") {
			t.Errorf("%s: %v", none, err)
		}
	}
}

// Each fault is refused with its file, its feature, and where it has them its ring and coordinate.
func TestFaults(t *testing.T) {
	type files = map[string][]byte
	change := func(kind string, i int, f func(map[string]any)) func(*testing.T, files) {
		return func(t *testing.T, m files) { edit(t, m, kind, i, f) }
	}
	geometry := func(coordinates string) func(map[string]any) {
		return func(f map[string]any) {
			var v any
			if err := json.Unmarshal([]byte(coordinates), &v); err != nil {
				panic(err)
			}
			f["geometry"].(map[string]any)["coordinates"] = v
		}
	}
	for _, c := range []struct {
		name   string
		change func(*testing.T, files)
		want   string
	}{
		{"no levels file", func(_ *testing.T, m files) { delete(m, "level.geojson") }, "quay: is not an IMDF archive"},
		{"no levels", func(_ *testing.T, m files) {
			for _, k := range []string{"unit", "section", "opening", "kiosk", "fixture", "detail", "anchor", "occupant", "amenity"} {
				delete(m, k+".geojson")
			}
			m["level.geojson"] = []byte(`{"type":"FeatureCollection","features":[]}`)
		}, "quay/level.geojson: has no levels"},
		{"manifest", func(_ *testing.T, m files) { m[manifestFile] = []byte("{") }, "quay/manifest.json: is not JSON"},
		{"manifest a list", func(_ *testing.T, m files) { m[manifestFile] = []byte("[]") }, "quay/manifest.json: is not an object"},
		{"not JSON", func(_ *testing.T, m files) { m["unit.geojson"] = []byte("{}{}") }, "quay/unit.geojson: is not JSON that can be read: line 1"},
		{"no collection", func(_ *testing.T, m files) { m["unit.geojson"] = []byte("{}") }, "quay/unit.geojson: is not a FeatureCollection"},
		{"unknown level", change("unit", 3, set("level_id", "x")), `quay/unit.geojson: feature 3 "0000000c-0000-4000-8000-00000000000c": its level_id names "x", which is not in the archive`},
		{"no level", change("unit", 3, set("level_id", nil)), `feature 3 "0000000c-0000-4000-8000-00000000000c": has no level_id`},
		{"a level of another kind", change("section", 0, set("level_id", id(t, "building", 0))), "which is a building, not a level"},
		{"level_id a number", change("opening", 1, set("level_id", 7)), "quay/opening.geojson: feature 1"},
		{"unknown unit", change("anchor", 2, set("unit_id", "x")), "quay/anchor.geojson: feature 2"},
		{"unknown anchor", change("occupant", 0, set("anchor_id", "x")), "quay/occupant.geojson: feature 0"},
		{"unknown unit of an amenity", change("amenity", 1, set("unit_ids", []any{"x"})), "quay/amenity.geojson: feature 1"},
		{"units not ids", change("amenity", 1, set("unit_ids", []any{7})), "neither an id nor a list of ids"},
		{"ordinal", change("level", 1, set("ordinal", "1")), "quay/level.geojson: feature 1"},
		{"half an ordinal", change("level", 1, set("ordinal", 0.5)), "its ordinal 0.5 is not a level"},
		{"id twice", change("unit", 2, func(f map[string]any) { f["id"] = id(t, "unit", 1) }), `has the same id as quay/unit.geojson: feature 1`},
		{"no id", change("unit", 2, func(f map[string]any) { f["id"] = 7 }), "feature 2: has no id"},
		{"no properties", change("unit", 2, func(f map[string]any) { f["properties"] = nil }), "has no properties"},
		{"no feature", change("unit", 2, func(f map[string]any) { f["type"] = "unit" }), "its type is not Feature"},
		{"another feature_type", change("unit", 2, func(f map[string]any) { f["feature_type"] = "level" }), `its feature_type is "level"`},
		{"crossed unit", change("unit", 1, geometry(`[[[3,54.0003],[3.0004,54.0004],[3.0004,54.0003],[3,54.0004],[3,54.0003]]]`)), `quay/unit.geojson: feature 1 "0000000a-0000-4000-8000-00000000000a", ring 0, coordinate 0: the ring crosses`},
		{"crossed level", change("level", 0, geometry(`[[[3,54],[3.0015,54.0004],[3.0015,54],[3,54.0004],[3,54]]]`)), `quay/level.geojson: feature 0 "00000005-0000-4000-8000-000000000005", ring 0, coordinate 0: the ring crosses`},
		{"swapped unit", change("unit", 1, geometry(`[[[54,103],[54,104],[55,104],[54,103]]]`)), "seem to be swapped"},
		{"unit outside", change("unit", 1, geometry(`[[[3.01,54],[3.0104,54],[3.0104,54.0004],[3.01,54]]]`)), "ring 0, coordinate 0: lies outside the boundary of its level"},
		{"a unit without geometry", change("unit", 1, func(f map[string]any) { f["geometry"] = nil }), "feature 1 \"0000000a-0000-4000-8000-00000000000a\": has no geometry"},
		{"an opening of one point", change("opening", 0, geometry(`[[3,54]]`)), "quay/opening.geojson: feature 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := quay(t)
			c.change(t, files)
			a, err := ReadFolder("quay", folder(files))
			if err == nil {
				_, _, err = a.Load("quay", geofence.Options{})
			}
			var e *geofence.Error
			if !errors.As(err, &e) || e.Remedy == "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("said %v, want %q", err, c.want)
			}
		})
	}
}

// What nothing depends on is noted, not refused; what is missing is stood in for.
func TestOddities(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*testing.T, map[string][]byte)
		want   string
	}{
		{"no manifest", func(_ *testing.T, m map[string][]byte) { delete(m, manifestFile) }, "is missing"},
		{"version", func(_ *testing.T, m map[string][]byte) { m[manifestFile] = []byte(`{"version":"1.0.0-rc.2"}`) }, "is not 1.0.0"},
		{"no venue", func(_ *testing.T, m map[string][]byte) { delete(m, "venue.geojson") }, "has 0 venues"},
		{"loose address", func(t *testing.T, m map[string][]byte) { edit(t, m, "venue", 0, set("address_id", "x")) }, "names no address"},
		{"a venue's hours", func(t *testing.T, m map[string][]byte) {
			edit(t, m, "venue", 0, set("hours", "Mo-Su 10:00-22:00"))
		}, `venue.geojson: feature 0 "00000002-0000-4000-8000-000000000002": its hours, and 1 in all, are not read from a map: set them with PUT /v1/admin/stores/{id}/hours`},
		{"occupants' hours", func(t *testing.T, m map[string][]byte) {
			edit(t, m, "occupant", 0, set("hours", "24/7"))
			edit(t, m, "occupant", 1, set("hours", ""))
			edit(t, m, "occupant", 2, set("hours", "Mo-Fr 09:00-20:00"))
		}, "its hours, and 2 in all, are not read"},
		{"level without outline", func(t *testing.T, m map[string][]byte) {
			edit(t, m, "level", 0, func(f map[string]any) { f["geometry"] = nil })
		}, "the footprint of its building stands in"},
		{"nothing but a venue", func(t *testing.T, m map[string][]byte) {
			edit(t, m, "level", 0, func(f map[string]any) { f["geometry"] = nil })
			delete(m, "footprint.geojson")
		}, "that of the venue stands in"},
	} {
		files := quay(t)
		c.change(t, files)
		if _, report := mustLoad(t, files); !strings.Contains(fmt.Sprint(report.Notes), c.want) {
			t.Errorf("%s: %v", c.name, report.Notes)
		}
	}
	files := quay(t)
	for i := range 4 {
		edit(t, files, "level", i, set("outdoor", true))
	}
	if s, _ := mustLoad(t, files); len(s.Levels) == 0 {
		t.Error("a market with outdoor levels only is no store")
	}
	files = quay(t)
	edit(t, files, "unit", 3, set("sensitive", false))
	if s, _ := mustLoad(t, files); s.Levels[0].Zones[3].Sensitive {
		t.Error(`"sensitive": false was not heard`)
	}
	twice := folder(quay(t))
	twice["Level.geojson"] = twice["level.geojson"]
	if _, err := ReadFolder("quay", twice); err == nil || !strings.Contains(err.Error(), "twice, written differently") {
		t.Errorf("two level files: %v", err)
	}
	if !IsFolder(folder(quay(t))) || IsFolder(fstest.MapFS{}) {
		t.Error("folders are not told apart")
	}
}
