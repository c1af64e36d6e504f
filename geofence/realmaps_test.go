// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"encoding/json"
	"strings"
	"testing"
)

// Every real map loads, except the one without a boundary, and its oddities are reported.
func TestRealMaps(t *testing.T) {
	for _, c := range []struct {
		id, pattern string
		levels      []int
		zones       int
	}{
		{"xixi", "malls/hz-xixi-intime/floors/*.geojson", []int{-1, 1, 2, 3, 4}, 711 + 172 + 138 + 142 + 123},
		{"caserne", "osm-indoor/caserne-de-bonne/floors/*.geojson", []int{-1, 0, 1}, 10 + 55 + 8},
		{"westport", "wrld-westport-house/floors/*.geojson", []int{0, 1, 2, 3, 4, 5, 6}, 15 + 11 + 21 + 21 + 22 + 4 + 5},
	} {
		t.Run(c.id, func(t *testing.T) {
			s, report, err := Load(c.id, sources(t, c.pattern)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range report.Notes {
				t.Log(n)
			}
			zones := 0
			for i, l := range s.Levels {
				if l.Ordinal != c.levels[i] {
					t.Errorf("level %d is %d, want %d", i, l.Ordinal, c.levels[i])
				}
				zones += len(l.Zones)
			}
			if len(s.Levels) != len(c.levels) || zones != c.zones {
				t.Errorf("%d levels and %d zones, want %d and %d", len(s.Levels), zones, len(c.levels), c.zones)
			}
			mustIndex(t, s)
		})
	}
}

func TestMapWithoutBoundaryIsRefused(t *testing.T) {
	_, _, err := Load("gare", sources(t, "osm-indoor/gare-de-l-est/floors/*.geojson")...)
	if err == nil || !strings.Contains(err.Error(), "no feature is a boundary") {
		t.Fatalf("want an error that says so, got %v", err)
	}
}

// A file of many stores needs one to be chosen; every one of them can be.
func TestFootprints(t *testing.T) {
	for _, f := range []string{"footprints/bled-supermarkets.geojson", "footprints/bangalore-malls.geojson"} {
		src := sources(t, f)
		if _, _, err := Load("many", src...); err == nil || !strings.Contains(err.Error(), "choose one by its id") {
			t.Fatalf("%s: want to be told to choose, got %v", f, err)
		}
		var fc struct{ Features []struct{ ID string } }
		if err := json.Unmarshal(src[0].Data, &fc); err != nil {
			t.Fatal(err)
		}
		if len(fc.Features) == 0 {
			t.Fatal("no features")
		}
		for _, ft := range fc.Features {
			s, _, err := LoadWith("one", Options{BoundaryIDs: []string{ft.ID}}, src...)
			if err != nil {
				t.Errorf("%s %s: %v", f, ft.ID, err)
				continue
			}
			if x := mustIndex(t, s); !x.Locate(s.Levels[0].Boundary[0][0][0], 0, false).Inside {
				t.Errorf("%s %s: its own corner is not inside", f, ft.ID)
			}
		}
	}
}
