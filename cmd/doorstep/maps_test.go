// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/zip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/geofence"
)

// quayFolder is an unpacked IMDF archive.
func quayFolder(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../geofence/imdf/testdata/quay")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// zipped packs a folder.
func zipped(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	if err := z.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustIndexMap(t *testing.T, path string, boundary ...string) *geofence.Index {
	t.Helper()
	x, _, err := loadIndex(path, boundary...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// featureIDs are those of an IMDF file, in its order.
func featureIDs(t *testing.T, kind string) (ids []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(quayFolder(t), kind+".geojson"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Features []struct{ ID string } }
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for _, f := range doc.Features {
		ids = append(ids, f.ID)
	}
	return ids
}

// An archive is the same store zipped, whatever it is called, and unpacked.
func TestArchivesAsMaps(t *testing.T) {
	want := mustIndexMap(t, quayFolder(t)).Site()
	for _, name := range []string{"quay.zip", "quay.imdf", "quay"} {
		if got := mustIndexMap(t, zipped(t, quayFolder(t), name)).Site(); got.Version != want.Version || got.ID != "quay" {
			t.Errorf("%s: store %s, version %s, want quay, %s", name, got.ID, got.Version, want.Version)
		}
	}
}

// What is imported is what a server reads at its next start: an archive, a retailer's two units of it, and
// a list of stores, each under an id of its own.
func TestImportedMapsAreServed(t *testing.T) {
	data, archive := filepath.Join(t.TempDir(), "data"), zipped(t, quayFolder(t), "quay.zip")
	marlin := featureIDs(t, "occupant")[:2]
	list := filepath.Join(t.TempDir(), "town.geojson")
	const stores = `{"type":"FeatureCollection","features":[
		{"type":"Feature","id":"way/1","properties":{"kind":"boundary","name":"North"},"geometry":{"type":"Polygon","coordinates":[[[3,54],[3.001,54],[3.001,54.001],[3,54]]]}},
		{"type":"Feature","id":"way/2","properties":{"kind":"boundary","name":"South"},"geometry":{"type":"Polygon","coordinates":[[[3,53],[3.001,53],[3.001,53.001],[3,53]]]}}]}`
	if err := os.WriteFile(list, []byte(stores), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{archive}, {archive, "--boundary", strings.Join(marlin, ",")}, {list}} {
		if out, errs, status := command(t, "", append([]string{"store", "import", "--data", data}, args...)...); status != 0 {
			t.Fatalf("%v: %s%s", args, out, errs)
		}
	}
	db, err := ledgerAt{data: data}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	kept, err := db.Stores(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"quay": mustIndexMap(t, archive).Site().Version, "quay-" + marlin[0]: mustIndexMap(t, archive, marlin...).Site().Version,
		"town-way-1": mustIndexMap(t, list, "way/1").Site().Version, "town-way-2": mustIndexMap(t, list, "way/2").Site().Version,
	}
	for _, m := range kept {
		x, err := readStored(m.Store, m.Sources)
		if err != nil {
			t.Errorf("%s: %v", m.Store, err)
			continue
		}
		if x.Site().Version != want[m.Store] {
			t.Errorf("%s is served as version %s, imported as %s", m.Store, x.Site().Version, want[m.Store])
		}
		delete(want, m.Store)
	}
	if len(want) > 0 {
		t.Errorf("not imported: %v", want)
	}
}

// Every map of the data folder passes the check, with its fence small enough for a phone or a word about
// what did not fit.
func TestCheckRealMaps(t *testing.T) {
	n := 0
	for _, pattern := range []string{"malls/*", "osm-indoor/*", "wrld-westport-house", "footprints/*.geojson"} {
		maps, err := filepath.Glob(filepath.Join(dataFolder(t), filepath.FromSlash(pattern)))
		if err != nil || len(maps) == 0 {
			t.Fatalf("%s: %v %v", pattern, maps, err)
		}
		for _, path := range maps {
			n++
			out, errs, status := command(t, "", "store", "check", path)
			if status != 0 || !strings.Contains(out, "phones fetch ") {
				t.Errorf("%s: %s%s", path, out, errs)
			}
		}
	}
	if n < 6 {
		t.Fatalf("only %d maps", n)
	}
}
