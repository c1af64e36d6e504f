// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"strings"
	"testing"
)

// Whose id and name a store has: what the caller gives, else what the map says, else what the command knows of the
// file. A part of a map is not the store that the map is of.
func TestWhoseNames(t *testing.T) {
	src := func(members string) Source {
		return Source{"map.geojson", []byte(`{"type":"FeatureCollection",` + members + `"features":[` + boundary + `]}`)}
	}
	both := src(`"store_id":"its-own","store_name":"Own","bearing":30,`)
	for _, c := range []struct {
		name    string
		id      string
		opt     Options
		src     Source
		want    string // id and name
		bearing bool   // the map's
	}{
		{"the map's", "", Options{DefaultID: "file", Name: "File"}, both, "its-own Own", true},
		{"the caller's", "its-own", Options{DefaultID: "file"}, both, "its-own Own", true},
		{"the file's", "", Options{DefaultID: "file", Name: "File"}, src(""), "file File", false},
		{"the caller's before the file's", "mine", Options{DefaultID: "file"}, src(""), "mine mine", false},
		{"nothing is said", "", Options{DefaultID: "file"}, src(`"store_id":null,"store_name":null,`), "file file", false},
		{"a part's", "", Options{DefaultID: "file", Name: "Part", BoundaryIDs: []string{"b"}}, both, "file Part", true},
		{"a part's own", "mine", Options{DefaultID: "file", BoundaryIDs: []string{"b"}}, both, "mine mine", true},
	} {
		s, _, err := LoadWith(c.id, c.opt, c.src)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := s.ID + " " + s.Name; got != c.want || (s.Bearing == 30) != c.bearing {
			t.Errorf("%s: %s, bearing %v, want %s", c.name, got, s.Bearing, c.want)
		}
	}
	for _, other := range []string{"{", `{"store_id":null,"store_name":null,`} { // what a later file leaves out stays as it was
		second := Source{"second.geojson", []byte(other + `"type":"FeatureCollection","features":[]}`)}
		if s, _, err := LoadWith("", Options{DefaultID: "file"}, both, second); err != nil || s.ID != "its-own" || s.Name != "Own" {
			t.Errorf("two files: %+v, %v", s, err)
		}
	}
	if _, _, err := LoadWith("", Options{}, src("")); err == nil {
		t.Error("a store without an id")
	}
	if _, _, err := Load("here", src(`"store_name":7,`)); err == nil || !strings.Contains(err.Error(), "store_name is not text") {
		t.Errorf("a name that is a number: %v", err)
	}
	if _, _, err := Load("here"); err == nil || !strings.Contains(err.Error(), "there is nothing to load") {
		t.Errorf("no file: %v", err)
	}
}

// A hopeless file is told in fifty faults and twenty kinds; nobody reads more.
func TestNotMoreThanAnybodyReads(t *testing.T) {
	var faults, kinds []string
	for i := range maxErrors + 10 {
		faults = append(faults, fmt.Sprintf(`{"type":"Feature","id":"z%d","properties":{"kind":"unit","floor":"G"},"geometry":null}`, i))
	}
	_, _, err := Load("here", collection(append(faults, boundary)...))
	if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != maxErrors {
		t.Errorf("%v", err)
	}

	feature := func(kind string) string {
		return fmt.Sprintf(`{"type":"Feature","properties":{"kind":%q},"geometry":null}`, kind)
	}
	for i := range 25 {
		kinds = append(kinds, feature(fmt.Sprint("k", i)), feature(fmt.Sprint("k", i)))
	}
	_, report, err := Load("here", collection(append(kinds, boundary, feature(strings.Repeat("l", maxText+1)), feature(""))...))
	text := fmt.Sprint(report.Notes)
	if err != nil || len(report.Notes) != 21 || !strings.Contains(text, `"k19", left out: 2`) || strings.Contains(text, "k20") || !strings.Contains(text, `"…", left out: 12`) {
		t.Errorf("%d notes, %v: %s", len(report.Notes), err, text)
	}
	_, report, err = Load("here", collection(boundary, feature(strings.Repeat("l", maxText)), feature(strings.Repeat("m", maxText+1)), feature("")))
	text = fmt.Sprint(report.Notes)
	if err != nil || !strings.Contains(text, strings.Repeat("l", maxText)+`", left out: 1`) || !strings.Contains(text, `"…", left out: 1`) || !strings.Contains(text, "without a kind, left out: 1") {
		t.Errorf("%v: %s", err, text)
	}
}

// Text goes into pages, logs and canonical JSON: nothing in it turns a line or the direction of writing.
func TestTextIsCleaned(t *testing.T) {
	for text, want := range map[string]string{
		`Shoes`: "Shoes", ` Shoes\t`: "Shoes", `A\u202eB`: "AB", `A\u2028B\u2029C`: "ABC", `A\u0085B\u0007`: "AB", `A B\u00e9`: "A Bé",
		strings.Repeat("é", 101): strings.Repeat("é", 100), strings.Repeat("n", 199) + " " + "n": strings.Repeat("n", 199),
	} {
		zone := strings.Replace(area4("unit", "z", quarter), `"floor"`, `"name":"`+text+`","floor"`, 1)
		s, report, err := Load("here", collection(boundary, zone))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Levels[0].Zones[0].Name; got != want || len(report.Notes) > 0 != (text != want && text != `A B\u00e9`) {
			t.Errorf("%q: %q, %v", text, got, report.Notes)
		}
	}
}

// A geometry alone is a map of one area, and says so.
func TestGeometryAlone(t *testing.T) {
	s, report, err := Load("here", Source{"map.geojson", []byte(`{"type":"Polygon","coordinates":[` + square + `]}`)})
	if err != nil || len(s.Levels) != 1 || !strings.Contains(fmt.Sprint(report.Notes), "a geometry alone") {
		t.Errorf("%+v, %v, %v", s, report.Notes, err)
	}
}

// What a feature is, and that it is hidden, is said in one way.
func TestKindsAndFlags(t *testing.T) {
	plain := strings.Replace(boundary, `"kind":"boundary",`, "", 1)
	if _, _, err := Load("here", collection(plain, area4("wall", "w", quarter))); err == nil || !strings.Contains(err.Error(), "no feature is a boundary") {
		t.Errorf("an area without a kind among others: %v", err)
	}
	zone := func(sensitive string) string {
		return strings.Replace(area4("unit", "z", quarter), `"floor"`, `"sensitive":`+sensitive+`,"floor"`, 1)
	}
	for text, want := range map[string]bool{"true": true, "false": false, "null": false} {
		if s, _, err := Load("here", collection(boundary, zone(text))); err != nil || s.Levels[0].Zones[0].Sensitive != want {
			t.Errorf("sensitive %s: %+v, %v", text, s, err)
		}
	}
	if e := firstErrorOf(Load("here", collection(boundary, zone(`"yes"`)))); e == nil || e.Problem != `sensitive is "yes"` {
		t.Errorf("%v", e)
	}
	long := strings.Repeat("z", maxText)
	s, _, err := Load("here", collection(boundary, area4("unit", long+"z", quarter)))
	if err != nil || s.Levels[0].Zones[0].ID != long {
		t.Errorf("a long id: %+v, %v", s, err)
	}
	if e := firstErrorOf(Load("here", collection(boundary, area4("unit", long+"z", square+","+square)))); e == nil || e.Where.FeatureID != long {
		t.Errorf("a long id: %v", e)
	}
}
