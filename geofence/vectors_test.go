// SPDX-License-Identifier: Apache-2.0

package geofence_test

import (
	"encoding/json"
	"testing"

	"doorstep/geofence"
	spec "doorstep/mobile-sdk-spec"
)

// fenceVectors is a file of the specification's fence cases, which no implementation wrote.
type fenceVectors struct {
	Fence struct {
		Levels []struct {
			Ordinal  int
			Boundary [][][][2]float64
		}
	}
	Cases []struct {
		Name     string
		Lat, Lng float64
		Level    *int
		Inside   bool
		Where    string
	}
}

// TestThePhonesFenceIsTheServers: what both reference clients answer on the specification's cases, the server answers too. The
// exact polygon has the last word on either side.
func TestThePhonesFenceIsTheServers(t *testing.T) {
	for _, name := range []string{"fence", "fence-seam"} { // what fence-short holds beside the same cases: forms_vectors_test.go
		raw, err := spec.Files.ReadFile("vectors/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var v fenceVectors
		if err := json.Unmarshal(raw, &v); err != nil || len(v.Cases) == 0 {
			t.Fatalf("%s: %d cases, %v", name, len(v.Cases), err)
		}
		x, err := geofence.NewIndex(v.site())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range v.Cases {
			level := 0
			if c.Level != nil {
				level = *c.Level
			}
			at := x.Locate(geofence.LatLng{Lat: c.Lat, Lng: c.Lng}, level, c.Level != nil)
			if at.Inside != c.Inside || at.Valid && c.Where == "far" != (at.DistM > 100 && !at.Inside) && c.Where != "unknown" {
				t.Errorf("%s, %s: inside %v, %.1f m; want %v, %s", name, c.Name, at.Inside, at.DistM, c.Inside, c.Where)
			}
		}
	}
}

func (v fenceVectors) site() *geofence.Site {
	s := &geofence.Site{ID: "vector", Name: "Vector Street", Version: "v1"}
	for _, l := range v.Fence.Levels {
		level := geofence.Level{Ordinal: l.Ordinal}
		for _, polygon := range l.Boundary {
			var rings geofence.Polygon
			for _, ring := range polygon {
				var points []geofence.LatLng
				for _, p := range ring {
					points = append(points, geofence.LatLng{Lat: p[1], Lng: p[0]})
				}
				rings = append(rings, points)
			}
			level.Boundary = append(level.Boundary, rings)
		}
		s.Levels = append(s.Levels, level)
	}
	return s
}
