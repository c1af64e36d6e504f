// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"compress/gzip"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// dataDir is the folder of real maps and traces: DOORSTEP_DATA, or ../shared/data beside the module.
// Without it these tests skip, but never in CI.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("DOORSTEP_DATA")
	if dir == "" {
		dir = filepath.Join(moduleRoot(t), "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the data folder is missing; set DOORSTEP_DATA: %v", err)
		}
		t.Skip("the data folder is missing; set DOORSTEP_DATA to run this test")
	}
	return dir
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

// source reads one file of the data folder.
func source(t testing.TB, path ...string) Source {
	t.Helper()
	name := filepath.Join(append([]string{dataDir(t)}, path...)...)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return Source{Name: filepath.Base(name), Data: data}
}

// sources reads all files that match a pattern of the data folder.
func sources(t testing.TB, pattern string) []Source {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dataDir(t), filepath.FromSlash(pattern)))
	if err != nil || len(names) == 0 {
		t.Fatalf("nothing matches %s: %v", pattern, err)
	}
	var out []Source
	for _, n := range names {
		data, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Source{Name: filepath.Base(n), Data: data})
	}
	return out
}

func mustLoad(t testing.TB, id string, src ...Source) *Site {
	t.Helper()
	s, _, err := Load(id, src...)
	if err != nil {
		t.Fatalf("load %s: %v", id, err)
	}
	return s
}

func mustIndex(t testing.TB, s *Site) *Index {
	t.Helper()
	x, err := NewIndex(s)
	if err != nil {
		t.Fatalf("index %s: %v", s.ID, err)
	}
	return x
}

// rows reads a gzipped CSV file with a header; each row becomes a map by column.
func rows(t testing.TB, path ...string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(append([]string{dataDir(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, r := range all[1:] {
		m := map[string]string{}
		for i, h := range all[0] {
			m[h] = r[i]
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		t.Fatalf("%v is empty", path)
	}
	return out
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
