// SPDX-License-Identifier: Apache-2.0

package imdf

import (
	"archive/zip"
	"errors"
	"strings"
	"testing"

	"doorstep/geofence"
)

// told holds every error to a place and a remedy.
func told(t *testing.T, err error) {
	t.Helper()
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	for _, one := range many.Unwrap() {
		var e *geofence.Error
		if !errors.As(one, &e) || e.Remedy == "" || e.Where.File == "" || strings.ContainsAny(e.Where.File, "\x00\n\r") {
			t.Fatalf("an error without a place or a remedy: %v", one)
		}
	}
}

// load takes an archive as far as it goes.
func load(t *testing.T, a *Archive, err error) {
	t.Helper()
	if err != nil {
		told(t, err)
		return
	}
	ids := []string{}
	for id := range a.byID {
		ids = append(ids, id)
	}
	for _, boundary := range [][]string{nil, ids[:min(len(ids), 1)]} {
		s, _, err := a.Load("fuzzed", geofence.Options{BoundaryIDs: boundary})
		if err != nil {
			told(t, err)
			continue
		}
		again, _, err := geofence.Load("fuzzed", geofence.Source{Name: "kept", Data: s.GeoJSON()})
		if err != nil || again.Version != s.Version {
			t.Fatalf("what is kept of the map is not the map: %v", err)
		}
	}
}

// Whatever the bytes, an archive is a store or errors that have a place and a remedy.
func FuzzZip(f *testing.F) {
	small := map[string][]byte{manifestFile: []byte(`{"version":"1.0.0","language":"en"}`)}
	for _, name := range []string{"level.geojson", "unit.geojson"} {
		small[name] = quay(f)[name]
	}
	whole := pack(f, entries(small, ""))
	f.Add(whole)
	f.Add(whole[:len(whole)-22])
	f.Add(pack(f, entries(quay(f), "a/")))
	f.Add(pack(f, []entry{{zip.FileHeader{Name: "../level.geojson", Method: zip.Store}, []byte("{}")}}))
	f.Add(lie(whole, "level.geojson", 7))
	f.Add(method(whole, "level.geojson", 12))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := read(data)
		load(t, a, err)
	})
}

// The same for what is in the files.
func FuzzFeatures(f *testing.F) {
	q := quay(f)
	for _, kind := range []string{"unit", "opening", "section", "occupant", "anchor", "amenity", "kiosk", "venue"} {
		f.Add(kind, q["level.geojson"], q[kind+".geojson"])
	}
	f.Fuzz(func(t *testing.T, kind string, level, other []byte) {
		a, err := newArchive("map").read(map[string][]byte{"level.geojson": level, kind + ".geojson": other})
		load(t, a, err)
	})
}
