// SPDX-License-Identifier: Apache-2.0

package imdf

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"doorstep/geofence"
)

// padded is an empty collection of n bytes.
func padded(n int) []byte {
	const text = `{"type":"FeatureCollection","features":[]}`
	return append([]byte(text), bytes.Repeat([]byte(" "), n-len(text))...)
}

// with adds files to the map in testdata.
func with(t *testing.T, files map[string][]byte) map[string][]byte {
	all := quay(t)
	maps.Copy(all, files)
	return all
}

// A folder's files may be as long as one may be, and together as long as all may be.
func TestFolderLimits(t *testing.T) {
	largest := padded(maxFile)
	five := map[string][]byte{}
	for _, kind := range []string{"address", "anchor", "amenity", "building", "detail"} {
		five[kind+".geojson"] = largest
	}
	for _, c := range []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"the longest file", map[string][]byte{"geofence.geojson": largest}, ""},
		{"one byte more", map[string][]byte{"geofence.geojson": padded(maxFile + 1)}, "quay/geofence.geojson: is longer than 16 MB, or 64 MB with the others"},
		{"of no use here, however long", map[string][]byte{"photos.geojson": padded(maxFile + 1)}, ""},
		{"five of the longest", five, "is longer than 16 MB, or 64 MB with the others"},
	} {
		_, err := ReadFolder("quay", folder(with(t, c.files)))
		if c.want == "" && err != nil || c.want != "" && !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: said %v, want %q", c.name, err, c.want)
		}
	}
}

// So may an archive's, whatever they are packed to: four are read, and the fifth is one too many.
func TestZipLimits(t *testing.T) {
	var lines bytes.Buffer // packs to a tenth, as maps do
	for i := range 1_024 {
		fmt.Fprintf(&lines, "%064d", i*1_234_577)
	}
	largest := pack(t, []entry{{zip.FileHeader{Method: zip.Deflate}, bytes.Repeat(lines.Bytes(), maxFile/lines.Len())}})
	once, err := zip.NewReader(bytes.NewReader(largest), int64(len(largest)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, kind := range []string{"address", "amenity", "anchor", "building", "detail"} {
		h := once.File[0].FileHeader
		h.Name = kind + ".geojson"
		w, err := z.CreateRaw(&h)
		if err != nil {
			t.Fatal(err)
		}
		r, err := once.File[0].OpenRaw()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	const want = "map.zip/detail.geojson: unpacks to 16 MB, more than 16 of one file or 64 of all"
	if _, err := read(out.Bytes()); !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("said %v, want %q", err, want)
	}
}

// A name is cut after a hundred bytes, between characters.
func TestPrintable(t *testing.T) {
	for name, want := range map[string]string{
		strings.Repeat("n", 100):       strings.Repeat("n", 100),
		strings.Repeat("n", 101):       strings.Repeat("n", 100) + "…",
		strings.Repeat("n", 99) + "é":  strings.Repeat("n", 99) + "?…",
		"a\x1f\x7f\u2028\u2029\xffb c": "a?????b c",
	} {
		if got := printable(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// The outline of a roof is not that of the floor below it.
func TestAerialFootprint(t *testing.T) {
	files := quay(t)
	edit(t, files, "level", 0, func(f map[string]any) { f["geometry"] = nil })
	edit(t, files, "footprint", 0, set("category", "aerial"))
	if _, report := mustLoad(t, files); !strings.Contains(fmt.Sprint(report.Notes), "that of the venue stands in") {
		t.Errorf("%v", report.Notes)
	}
}

// Two buildings of one ordinal are one level of the store, though they touch.
func TestLevelsOfOneOrdinal(t *testing.T) {
	files := quay(t)
	edit(t, files, "level", 3, set("outdoor", false))
	s, _ := mustLoad(t, files)
	if len(s.Levels) != 2 || s.Levels[0].Ordinal != 0 {
		t.Fatalf("%d levels", len(s.Levels))
	}
	x, err := geofence.NewIndex(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, lat := range []float64{53.9999, 54.0001} {
		if !x.Locate(geofence.LatLng{Lat: lat, Lng: 3.0005}, 0, true).Inside {
			t.Errorf("%v: not inside", lat)
		}
	}
}

// Levels are counted as far as a map's floors are.
func TestOrdinals(t *testing.T) {
	for ordinal, ok := range map[float64]bool{200: true, 201: false, -200: true, -201: false} {
		files := quay(t)
		edit(t, files, "level", 1, set("ordinal", ordinal))
		if _, err := ReadFolder("quay", folder(files)); (err == nil) != ok {
			t.Errorf("%v: %v", ordinal, err)
		}
	}
}
