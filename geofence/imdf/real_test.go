// SPDX-License-Identifier: Apache-2.0

package imdf

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"doorstep/geofence"
)

// dataDir is the folder of real maps: DOORSTEP_DATA, or ../shared/data beside the module. Without it
// these tests skip, but never in CI.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DOORSTEP_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the data folder is missing; set DOORSTEP_DATA: %v", err)
		}
		t.Skip("the data folder is missing; set DOORSTEP_DATA to run this test")
	}
	return dir
}

// A real map, written as an IMDF archive by a seeded converter, is the same store: the same levels, units,
// outlines and areas as read from GeoJSON.
func TestRealMapsAsArchives(t *testing.T) {
	for _, name := range []string{"malls/hz-xixi-intime", "osm-indoor/caserne-de-bonne", "wrld-westport-house"} {
		t.Run(name, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(dataDir(t), filepath.FromSlash(name), "floors", "*.geojson"))
			if err != nil || len(files) == 0 {
				t.Fatalf("%v %v", files, err)
			}
			var src []geofence.Source
			for _, f := range files {
				data, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				src = append(src, geofence.Source{Name: filepath.Base(f), Data: data})
			}
			want, _, err := geofence.Load("real", src...)
			if err != nil {
				t.Fatal(err)
			}
			a, err := read(convert(t, src))
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := a.Load("real", geofence.Options{})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, got, want)
		})
	}
}

func compare(t *testing.T, got, want *geofence.Site) {
	t.Helper()
	if len(got.Levels) != len(want.Levels) {
		t.Fatalf("%d levels, want %d", len(got.Levels), len(want.Levels))
	}
	units := 0
	for i, l := range want.Levels {
		g := got.Levels[i]
		if g.Ordinal != l.Ordinal || len(g.Zones) != len(l.Zones) || fmt.Sprint(g.Boundary) != fmt.Sprint(l.Boundary) {
			t.Errorf("level %d: got level %d with %d zones, want %d", l.Ordinal, g.Ordinal, len(g.Zones), len(l.Zones))
			continue
		}
		for j, z := range l.Zones {
			units++
			if o := g.Zones[j]; o.Name != z.Name || fmt.Sprint(o.Shape) != fmt.Sprint(z.Shape) || o.AreaM2 != z.AreaM2 {
				t.Errorf("%s: got %q, %.2f m², want %q, %.2f m²", z.ID, o.Name, o.AreaM2, z.Name, z.AreaM2)
			}
		}
	}
	if units < 50 {
		t.Fatalf("only %d units", units)
	}
	t.Logf("%d levels, %d units", len(want.Levels), units)
}

// convert writes GeoJSON levels as an IMDF archive. Ids are drawn from a seed.
func convert(t *testing.T, src []geofence.Source) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(11, 12))
	uuid := func() string {
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:], rng.Uint64())
		binary.LittleEndian.PutUint64(b[8:], rng.Uint64())
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	}
	type object = map[string]any
	files := map[string][]object{}
	add := func(kind string, geometry any, props object) string {
		f := object{"id": uuid(), "type": "Feature", "feature_type": kind, "geometry": geometry, "properties": props}
		files[kind] = append(files[kind], f)
		return f["id"].(string)
	}
	add("venue", nil, object{"name": object{"en": "A real one"}})
	for _, s := range src {
		var doc struct {
			Features []struct {
				Properties struct {
					Kind, Name, Class string
					Floor             int
				}
				Geometry any
			}
		}
		if err := json.Unmarshal(s.Data, &doc); err != nil {
			t.Fatal(err)
		}
		level := ""
		for _, f := range doc.Features {
			if p := f.Properties; p.Kind == "boundary" {
				level = add("level", f.Geometry, object{"ordinal": p.Floor, "outdoor": false, "name": object{"en": s.Name}, "short_name": object{"en": "L"}})
			}
		}
		for _, f := range doc.Features {
			if p := f.Properties; p.Kind == "unit" {
				add("unit", f.Geometry, object{"category": "room", "level_id": level, "name": object{"zh": p.Name}})
			}
		}
	}
	list := []entry{{zip.FileHeader{Name: manifestFile, Method: zip.Deflate}, []byte(`{"version":"1.0.0","created":"2026-01-05T09:00:00Z","language":"en"}`)}}
	for kind, features := range files {
		data, err := json.Marshal(object{"type": "FeatureCollection", "features": features})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, entry{zip.FileHeader{Name: kind + ".geojson", Method: zip.Deflate}, data})
	}
	return pack(t, list)
}
