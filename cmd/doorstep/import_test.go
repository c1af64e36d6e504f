// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
)

// square is a map of a store named kiosk, some 100 m wide.
func square(t *testing.T, north float64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kiosk.geojson")
	text := fmt.Sprintf(`{"type":"FeatureCollection","store_id":"kiosk","features":[{"type":"Feature","properties":{"kind":"boundary","floor":0},
		"geometry":{"type":"Polygon","coordinates":[[[1,%[1]v],[1.001,%[1]v],[1.001,%[2]v],[1,%[2]v],[1,%[1]v]]]}}]}`, north, north+0.001)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A running server takes up a map that is imported into it, and another in its place.
func TestImportIntoARunningServer(t *testing.T) {
	r := serveStores(t)
	token, err := r.devKey.MintAdmin("ana", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	served := func() string {
		resp, err := http.Get(r.address() + "/v1/stores")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	before := ""
	for _, north := range []float64{0, 10} {
		out, errs, status := command(t, "", "store", "import", "--url", r.address(), "--token", token, square(t, north))
		if status != 0 || errs != "" {
			t.Fatalf("exit status %d:\n%s%s", status, out, errs)
		}
		version := out[strings.LastIndex(out, " ")+1 : len(out)-1]
		if now := served(); !strings.Contains(now, version) || before != "" && strings.Contains(now, before) {
			t.Errorf("version %s is not served in place of %q:\n%s", version, before, now)
		}
		before = version
	}

	demo := filepath.Join(t.TempDir(), "own.geojson")
	text := strings.ReplaceAll(readFile(t, square(t, 0)), "kiosk", demostore.ID)
	if err := os.WriteFile(demo, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, args := range map[string][]string{
		"The token is not accepted":                     {"--url", r.address(), "--token", "nonsense", square(t, 0)},
		"This token is for another door":                {"--url", r.address(), "--token", staffToken(t, r), square(t, 0)},
		"This store's map is a setting":                 {"--url", r.address(), "--token", token, demo},
		"a token must not travel in the open":           {"--url", "http://doorstep.example", "--token", token, demo},
		"needs an operator's token":                     {"--url", r.address(), demo},
		"name it with --url":                            {"--token", token, demo},
		"is the server running there?":                  {"--url", "http://127.0.0.1:1", "--token", token, demo},
		"or import into the running server, with --url": {"--data", r.data, demo},
	} {
		out, errs, status := command(t, "", append([]string{"store", "import"}, args...)...)
		if status == 0 || !strings.Contains(errs, says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("want one line that says %q; exit status %d:\n%s%s", says, status, out, errs)
		}
	}
}

func staffToken(t *testing.T, r *running) string {
	t.Helper()
	token, err := r.devKey.MintStaff("shift", "Desk", "admin", demostore.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
