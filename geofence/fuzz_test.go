// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"strings"
	"testing"
)

// Whatever the bytes, Load answers with a site that can be indexed, kept and read again, or with errors
// that have a place and a remedy. So does each of its areas, chosen as a store of its own.
func FuzzLoad(f *testing.F) {
	for _, s := range []Source{
		collection(boundary, area4("unit", "z", quarter)),
		collection(area4("boundary", "b", `[[179.9995,54],[-179.9995,54],[-179.9995,54.0005],[179.9995,54.0005],[179.9995,54]]`)),
		collection(area4("boundary", "b", square+`,[[3.0005,54.0001],[3.0005,54.0003],[3.001,54.0003],[3.0005,54.0001]]`)),
		collection(boundary, area4("unit", "z", `[[3.0001,54.0001],[3.0004,54.0001],[3.0004,54.0007],[3.0001,54.0003],[3.0001,54.0001]]`)),
		collection(area4("unit", "z", square), area4("unit", "y", quarter)),
		collection(strings.Replace(boundary, `"floor"`, `"joined":true,"floor"`, 1), strings.Replace(area4("boundary", "z", quarter), `"floor"`, `"joined":true,"floor"`, 1)),
		collection(boundary, `{"type":"Feature","properties":{"kind":"opening"},"geometry":{"type":"LineString","coordinates":[[3,54],[3,54.0001]]}}`),
		collection(`{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[180,54],[180.001,54],[180.001,54.0005],[180,54]]]}}`),
		{Data: []byte(`{"type":"Polygon","coordinates":[` + square + `]}`)},
		collection(`{"type":"Feature","properties":{"kind":"boundary","floor":null},"geometry":{"type":"MultiPolygon","coordinates":[[` + square + `]]}}`),
		{Data: []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"kind":"door"},"geometry":{"type":"Point","coordinates":[1e308,-0]}}]}`)},
		{Data: []byte(strings.Repeat(`{"features":[`, 40))},
	} {
		f.Add(s.Data, "z")
	}
	f.Fuzz(func(t *testing.T, data []byte, chosen string) {
		fuzzLoad(t, data, Options{})
		fuzzLoad(t, data, Options{BoundaryIDs: []string{chosen}})
	})
}

func fuzzLoad(t *testing.T, data []byte, opt Options) {
	t.Helper()
	s, _, err := LoadWith("fuzzed", opt, Source{"fuzz.geojson", data})
	if err != nil {
		for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
			if e, ok := e.(*Error); !ok || e.Remedy == "" || e.Where.File == "" {
				t.Fatalf("an error without a place or a remedy: %v", e)
			}
		}
		return
	}
	x, err := NewIndex(s)
	if err != nil {
		t.Fatalf("loaded, but cannot be indexed: %v", err)
	}
	if at := x.Locate(s.Levels[0].Boundary[0][0][0], 0, false); !at.Inside {
		t.Fatalf("a corner of the boundary is not inside: %+v", at)
	}
	if _, err := x.Fence(); err != nil {
		t.Fatal(err)
	}
	checkExport(t, s)
}

// Whatever the numbers, Locate agrees with the polygon and with the distance.
func FuzzLocate(f *testing.F) {
	s, _, err := Load("here", collection(boundary, area4("unit", "z", quarter)))
	if err != nil {
		f.Fatal(err)
	}
	x, err := NewIndex(s)
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range []LatLng{{54, 3}, {54.0002, 3.0005}, {54.0005, 3.0015}, {90, 180}, {120, 500}, {math.NaN(), 0}, {math.Inf(-1), 1}, {54.00050001, 3}} {
		f.Add(p.Lat, p.Lng, 0, true)
	}
	f.Fuzz(func(t *testing.T, lat, lng float64, level int, has bool) {
		p := LatLng{lat, lng}
		at := x.Locate(p, level, has)
		if at.Valid != inRange(p) {
			t.Fatalf("%v: valid %v", p, at.Valid)
		}
		if !at.Valid {
			if at != (Place{}) {
				t.Fatalf("%v: %+v", p, at)
			}
			return
		}
		if want := x.levels[0].near.area.contains(p); at.Inside != want || !at.LevelKnown {
			t.Fatalf("%v: %+v, the polygon says %v", p, at, want)
		}
		if d := x.Distance(p, level, has); at.DistM <= farExactM && math.Abs(d-at.DistM) > 1e-6 || at.DistM > d+1e-6 {
			t.Fatalf("%v: distance %v, located at %v", p, d, at.DistM)
		}
	})
}
