// SPDX-License-Identifier: Apache-2.0

package client

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	spec "doorstep/mobile-sdk-spec"
)

// dataDir is the folder of real maps; without it the test is skipped, but not in CI.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DOORSTEP_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the data folder is missing: set DOORSTEP_DATA")
		}
		t.Skip("the data folder is missing: set DOORSTEP_DATA to run this")
	}
	return dir
}

// mapFence makes a fence of the boundary in a floor file.
func mapFence(t *testing.T, file string) *Fence {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		Features []struct {
			Properties struct{ Kind string }
			Geometry   struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		t.Fatal(err)
	}
	for _, f := range in.Features {
		if f.Properties.Kind != "boundary" {
			continue
		}
		coordinates := string(f.Geometry.Coordinates)
		if f.Geometry.Type == "Polygon" {
			coordinates = "[" + coordinates + "]"
		}
		fence, err := ParseFence([]byte(`{"store":"s","name":"S","version":"v","levels":[{"ordinal":1,"name":"","boundary":` + coordinates + `}]}`))
		if err != nil {
			t.Fatal(err)
		}
		return fence
	}
	t.Fatalf("%s has no boundary", file)
	return nil
}

// TestFenceIsTheOracles compares every point of the oracle files.
func TestFenceIsTheOracles(t *testing.T) {
	dir := dataDir(t)
	for _, c := range []struct{ oracle, floor string }{
		{"hz-xixi-intime-B1", "malls/hz-xixi-intime/floors/B1.geojson"},
		{"hz-xixi-intime-F1", "malls/hz-xixi-intime/floors/F1.geojson"},
		{"caserne-de-bonne-L0", "osm-indoor/caserne-de-bonne/floors/L0.geojson"},
	} {
		t.Run(c.oracle, func(t *testing.T) {
			fence := mapFence(t, filepath.Join(dir, c.floor))
			rows := oracle(t, filepath.Join(dir, "oracle", c.oracle+".csv.gz"))
			for i, row := range rows {
				lat, lng, dist := number(t, row[0]), number(t, row[1]), number(t, row[4])
				if got := fence.Inside(lat, lng, nil); got != (row[2] == "1") {
					t.Errorf("row %d: inside = %v", i, got)
				}
				allowed := max(0.05, 0.01*math.Abs(dist))
				if got := fence.DistM(lat, lng, nil); math.Abs(got-dist) > allowed {
					t.Errorf("row %d: %.3f m, want %.3f m", i, got, dist)
				}
			}
			t.Logf("%d points", len(rows))
		})
	}
}

func oracle(t *testing.T, file string) [][]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if len(rows) < 2 {
		t.Fatal("no points")
	}
	return rows[1:]
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestFenceVectors(t *testing.T) {
	for _, name := range []string{"fence", "fence-seam", "fence-short"} {
		fence, cases := fenceVectors[struct {
			Name      string
			Lat, Lng  float64
			Level     *int
			AccuracyM float64 `json:"accuracy_m"`
			Inside    bool
			Where     string
		}](t, name)
		for _, c := range cases {
			if got := fence.Inside(c.Lat, c.Lng, c.Level); got != c.Inside {
				t.Errorf("%s: %s: inside = %v", name, c.Name, got)
			}
			if got := fence.Where(c.Lat, c.Lng, c.AccuracyM, c.Level); got != c.Where {
				t.Errorf("%s: %s: where = %s, want %s", name, c.Name, got, c.Where)
			}
		}
	}
}

func TestCellVectors(t *testing.T) {
	fence, cases := fenceVectors[struct{ Name, Cell, Is string }](t, "fence-cells")
	if fence.CellRes() != 12 {
		t.Errorf("cells of resolution %d", fence.CellRes())
	}
	for _, c := range cases {
		cell, err := strconv.ParseUint(c.Cell, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := fence.Cell(cell); got != c.Is {
			t.Errorf("%s: %s, want %s", c.Name, got, c.Is)
		}
	}
	bare, err := ParseFence([]byte(square))
	if err != nil {
		t.Fatal(err)
	}
	if bare.CellRes() != -1 || bare.Cell(0x8c54c4b5391d3ff) != "edge" {
		t.Error("a fence without cells must leave it to the polygons")
	}
}

// fenceVectors reads a file of the specification: a fence and what is asked of it.
func fenceVectors[T any](t *testing.T, name string) (*Fence, []T) {
	t.Helper()
	raw, err := spec.Files.ReadFile("vectors/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Fence json.RawMessage
		Cases []T
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatalf("%s has no vectors", name)
	}
	fence, err := ParseFence(file.Fence)
	if err != nil {
		t.Fatal(err)
	}
	return fence, file.Cases
}

func TestFencesThatAreNone(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": ``, "null": `null`, "no level": `{"version":"v","levels":[]}`,
		"no version": `{"levels":[{"ordinal":0,"boundary":[[[[0,0],[1,0],[1,1],[0,0]]]]}]}`,
		"no part":    `{"version":"v","levels":[{"ordinal":0,"boundary":[]}]}`,
		"no ring":    `{"version":"v","levels":[{"ordinal":0,"boundary":[[]]}]}`,
		"open":       `{"version":"v","levels":[{"ordinal":0,"boundary":[[[[0,0],[1,0],[1,1],[0,1]]]]}]}`,
		"too short":  `{"version":"v","levels":[{"ordinal":0,"boundary":[[[[0,0],[1,0],[0,0]]]]}]}`,
		"cell no":    `{"version":"v","levels":[{"ordinal":0,"boundary":[[[[0,0],[1,0],[1,1],[0,0]]]]}],"cells":{"res":12,"inside":["zz"],"edge":[]}}`,
		"cell fine":  `{"version":"v","levels":[{"ordinal":0,"boundary":[[[[0,0],[1,0],[1,1],[0,0]]]]}],"cells":{"res":11,"inside":[],"edge":["8c54c4b5391d3ff"]}}`,
		"swapped":    `{"version":"v","levels":[{"ordinal":0,"boundary":[[[[30,120],[31,120],[31,121],[30,120]]]]}]}`,
	} {
		if _, err := ParseFence([]byte(text)); !errors.Is(err, ErrFence) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEdgesAreInside: every vertex, and every point that a float can name on an edge that runs
// along a meridian or a parallel, is inside; and the sign of the distance says the same as Inside.
func TestEdgesAreInside(t *testing.T) {
	fence, err := ParseFence([]byte(square))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.Float64Range(0, 0.001).Draw(t, "along")
		for _, p := range [][2]float64{{54, 3 + s}, {54.001, 3 + s}, {54 + s, 3}, {54 + s, 3.001}} {
			if p[0] <= 54.001 && p[1] <= 3.001 && !fence.Inside(p[0], p[1], nil) {
				t.Fatalf("%v is on the edge and not inside", p)
			}
		}
		lat := rapid.Float64Range(53.999, 54.002).Draw(t, "lat")
		lng := rapid.Float64Range(2.999, 3.002).Draw(t, "lng")
		d := fence.DistM(lat, lng, nil)
		if inside := fence.Inside(lat, lng, nil); inside && d > 0 || !inside && d < 0 {
			t.Fatalf("%v, %v: inside %v, distance %v", lat, lng, inside, d)
		}
	})
}

// Two stores that share a strip, as a store and the mall around it may.
func TestAround(t *testing.T) {
	square := func(store string, west float64) *Fence {
		b, err := json.Marshal(map[string]any{"store": store, "version": "1", "levels": []any{map[string]any{"ordinal": 0,
			"boundary": [][][][2]float64{{{{west, 54}, {west + 0.002, 54}, {west + 0.002, 54.002}, {west, 54.002}, {west, 54}}}}}}})
		if err != nil {
			t.Fatal(err)
		}
		f, err := ParseFence(b)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	fences := []*Fence{square("west", 3), square("east", 3.001)}
	for lng, want := range map[float64]string{2.999: "", 3.0005: "west", 3.001: "westeast", 3.0015: "westeast", 3.0025: "east"} {
		got := ""
		for _, f := range Around(fences, 54.001, lng, nil) {
			got += f.Store
		}
		if got != want {
			t.Errorf("at %v: %q, want %q", lng, got, want)
		}
	}
}
