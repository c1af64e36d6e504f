// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// rawFeature is a feature as anybody reads it.
type rawFeature struct {
	ID         string
	Properties struct {
		Kind  string
		Floor *int
	}
}

func rawFeatures(t *testing.T, src Source) []rawFeature {
	t.Helper()
	var doc struct{ Features []rawFeature }
	if err := json.Unmarshal(src.Data, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Features
}

// Every map of the data folder loads, with every unit of its files as a zone of its level.
func TestRealMaps(t *testing.T) {
	floors, err := filepath.Glob(filepath.Join(dataDir(t), "*", "*", "floors"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(dataDir(t), "*", "floors"))
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, dir := range append(floors, more...) {
		rel, err := filepath.Rel(dataDir(t), dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.ToSlash(filepath.Dir(rel)), func(t *testing.T) {
			src := sources(t, rel+"/*.geojson")
			want := map[int]int{}
			for _, file := range src {
				for _, f := range rawFeatures(t, file) {
					want[*f.Properties.Floor] += 0
					if f.Properties.Kind == "unit" {
						want[*f.Properties.Floor]++
						total++
					}
				}
			}
			s, report, err := Load("real", src...)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range report.Notes {
				t.Log(n)
			}
			for _, l := range s.Levels {
				if n, ok := want[l.Ordinal]; !ok || n != len(l.Zones) {
					t.Errorf("level %d has %d zones, its file %d units", l.Ordinal, len(l.Zones), n)
				}
				delete(want, l.Ordinal)
			}
			if len(want) > 0 {
				t.Errorf("levels are missing: %v", want)
			}
			mustIndex(t, s)
			checkExport(t, s)
		})
	}
	if total < 1400 {
		t.Fatalf("only %d units in all", total)
	}
	t.Logf("%d units", total)
}

// checkExport holds what is kept of a site to the site.
func checkExport(t *testing.T, s *Site) {
	t.Helper()
	again, _, err := Load(s.ID, Source{"kept.geojson", s.GeoJSON()})
	if err != nil {
		t.Fatalf("what is kept of the map cannot be loaded: %v", err)
	}
	if again.Version != s.Version || again.Name != s.Name || again.Bearing != s.Bearing {
		t.Errorf("kept as %s %q %v, was %s %q %v", again.Version, again.Name, again.Bearing, s.Version, s.Name, s.Bearing)
	}
}

// A map without boundaries is bounded by its zones, and says so; each zone's ground is inside.
func TestZonesStandInForBoundary(t *testing.T) {
	s, report, err := Load("gare", sources(t, "osm-indoor/gare-de-l-est/floors/*.geojson")...)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Notes) == 0 || !strings.Contains(report.Notes[0].Text, "no feature is a boundary") {
		t.Errorf("it was not said: %v", report.Notes)
	}
	x, asked := mustIndex(t, s), 0
	pl := newPlane(s)
	for _, l := range s.Levels {
		for _, z := range l.Zones {
			mid, r := newArea(&pl, z.Shape).inscribed()
			if r < 0.01 {
				continue
			}
			asked++
			if !x.Locate(mid, l.Ordinal, true).Inside {
				t.Errorf("the middle of %s is outside", z.ID)
			}
		}
	}
	if asked < 100 {
		t.Fatalf("only %d zones", asked)
	}
}

// A file of many stores needs one to be chosen, and says which there are; every one of them can be.
func TestFootprints(t *testing.T) {
	for _, f := range []string{"footprints/bled-supermarkets.geojson", "footprints/bangalore-malls.geojson"} {
		src := sources(t, f)
		_, _, err := Load("many", src...)
		all := rawFeatures(t, src[0])
		if e := firstError(t, err); len(e.Stores) != len(all) || len(all) == 0 || !strings.Contains(e.Remedy, "choose one by its id") {
			t.Fatalf("%s: want to be told to choose of %d, got %v", f, len(all), err)
		}
		for _, ft := range all {
			s, _, err := LoadWith("one", Options{BoundaryIDs: []string{ft.ID}}, src...)
			if err != nil {
				t.Errorf("%s %s: %v", f, ft.ID, err)
				continue
			}
			if x := mustIndex(t, s); !x.Locate(s.Levels[0].Boundary[0][0][0], 0, false).Inside {
				t.Errorf("%s %s: its own corner is not inside", f, ft.ID)
			}
			checkExport(t, s)
		}
	}
}

// Any unit of a mall can be a store of its own: it is inside itself, the units around it are not its
// zones, and what is kept of it is the same store.
func TestUnitsAsStores(t *testing.T) {
	src := sources(t, "malls/hz-xixi-intime/floors/F*.geojson")
	n := 0
	for _, file := range src {
		for i, f := range rawFeatures(t, file) {
			if f.Properties.Kind != "unit" || i%20 != 1 {
				continue
			}
			n++
			s, _, err := LoadWith("shop", Options{BoundaryIDs: []string{f.ID}}, src...)
			if err != nil {
				t.Errorf("%s: %v", f.ID, err)
				continue
			}
			if len(s.Levels) != 1 || s.Levels[0].Ordinal != *f.Properties.Floor || s.Levels[0].Name == "Level 1" {
				t.Errorf("%s: levels %v", f.ID, s.Levels)
			}
			found := false
			for _, z := range s.Levels[0].Zones {
				found = found || z.ID == f.ID
			}
			if !found || len(s.Levels[0].Zones) > 4 {
				t.Errorf("%s: zones %d, itself among them %v", f.ID, len(s.Levels[0].Zones), found)
			}
			checkExport(t, s)
		}
	}
	if n < 20 {
		t.Fatalf("only %d units", n)
	}
}

// Units on several levels, and neighbours on one, make one store of several levels: neighbours are
// joined, and their common wall is not an edge.
func TestStoreOfSeveralUnits(t *testing.T) {
	shop := func(id string, floor int, west, east string) string {
		return fmt.Sprintf(`{"type":"Feature","id":%q,"properties":{"kind":"unit","name":"Marlin","floor":%d},"geometry":{"type":"Polygon","coordinates":[[[%s,54.0001],[%s,54.0001],[%s,54.0003],[%s,54.0003],[%s,54.0001]]]}}`,
			id, floor, west, east, east, west, west)
	}
	upstairs := strings.Replace(strings.Replace(boundary, `"floor":0`, `"floor":1,"floor_name":"Upper"`, 1), `"b"`, `"u"`, 1)
	src := collection(boundary, upstairs, shop("a", 0, "3.0001", "3.0004"), shop("b2", 0, "3.0004", "3.0006"), shop("c", 1, "3.0001", "3.0004"), shop("d", 1, "3.001", "3.0012"),
		shop("next door", 0, "3.0006", "3.0008"), strings.ReplaceAll(shop("arcade", 0, "3", "3.0011"), "54.0003", "54.00032"),
		`{"type":"Feature","id":"in","properties":{"kind":"door","floor":0},"geometry":{"type":"Point","coordinates":[3.0001,54.0002]}}`,
		`{"type":"Feature","id":"far","properties":{"kind":"door","floor":0},"geometry":{"type":"Point","coordinates":[3.0015,54.0002]}}`)
	s, report, err := LoadWith("marlin", Options{BoundaryIDs: []string{"a", "b2", "c"}}, src)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "Marlin" || len(s.Levels) != 2 || s.Levels[1].Name != "Upper" || len(s.Levels[0].Zones) != 2 || len(s.Levels[1].Zones) != 1 || len(s.Doors) != 1 {
		t.Errorf("%+v", s)
	}
	if len(s.Levels[0].Boundary) != 1 {
		t.Errorf("the neighbours were not joined: %v", s.Levels[0].Boundary)
	}
	x := mustIndex(t, s)
	if at := x.Locate(LatLng{54.0002, 3.0004}, 0, true); !at.Inside || at.DistM > -5 {
		t.Errorf("in the common wall: %+v", at)
	}
	if x.Locate(LatLng{54.0002, 3.0005}, 1, true).Inside {
		t.Error("above the neighbour is inside")
	}
	if !strings.Contains(fmt.Sprint(report.Notes), "outside the chosen boundary, left out: 4") {
		t.Errorf("notes %v", report.Notes)
	}
	checkExport(t, s)
	if _, _, err := LoadWith("marlin", Options{BoundaryIDs: []string{"a", "nowhere"}}, src); err == nil || !strings.Contains(err.Error(), `has the id "nowhere"`) {
		t.Errorf("an unknown id: %v", err)
	}
}

func firstError(t *testing.T, err error) *Error {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	e, ok := err.(interface{ Unwrap() []error }).Unwrap()[0].(*Error)
	if !ok {
		t.Fatalf("%T", err)
	}
	return e
}
