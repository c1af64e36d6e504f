// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/cmd/doorstep/demostore"
)

// One phone, as a developer tries it: asked, granted, inside, out of the door, and told that it left.
func TestWalk(t *testing.T) {
	t.Parallel()
	r := serveStores(t)
	r.console(t, demostore.ID)
	dir := t.TempDir()
	key, trace := filepath.Join(dir, "dev.key"), filepath.Join(dir, "walk.ndjson")
	if err := r.devKey.Save(key); err != nil {
		t.Fatal(err)
	}
	at := insideOf(t, r.indexes[0])
	var lines strings.Builder
	for i := range 60 {
		fmt.Fprintf(&lines, "{\"t\":%d,\"lat\":%.9f,\"lng\":%.9f,\"floor\":0}\n", i*1000, at.Lat+float64(i)*1e-8, at.Lng)
	}
	if err := os.WriteFile(trace, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, status := command(t, "", "walk", "--map", "demostore", "--trace", trace, "--url", r.address()+"/", "--dev-key", key, "--speed", "8")
	if status != 0 || errs != "" {
		t.Fatalf("exit status %d:\n%s%s", status, out, errs)
	}
	for _, said := range []string{"given: ", "connected: you are ", "state: active", "state: suspended", "closed with 4501"} {
		if !strings.Contains(out, said) {
			t.Errorf("%q was not said:\n%s", said, out)
		}
	}
}

// A visit that is made up, by a phone whose clock is two hours ahead and whose network comes and goes: the session goes on.
func TestWalkWithoutANetwork(t *testing.T) {
	t.Parallel()
	r := serveStores(t)
	r.console(t, demostore.ID)
	key := filepath.Join(t.TempDir(), "dev.key")
	if err := r.devKey.Save(key); err != nil {
		t.Fatal(err)
	}
	out, errs, status := command(t, "", "walk", "--map", "demostore", "--stay", "80s", "--drops", "200", "--skew", "2h", "--url", r.address(), "--dev-key", key, "--speed", "8")
	if status != 0 || errs != "" {
		t.Fatalf("exit status %d:\n%s%s", status, out, errs)
	}
	for _, said := range []string{"connected: you are ", "state: active", "no network", "connected again", "closed with 4501"} {
		if !strings.Contains(out, said) {
			t.Errorf("%q was not said:\n%s", said, out)
		}
	}
}

// A byte-order mark before a recording is none of it: GPX was taken for lines of JSON.
func TestAMarkBeforeARecording(t *testing.T) {
	const gpx = `<gpx version="1.1"/>`
	var c wayFlags
	r, err := c.readTrace(strings.NewReader("\ufeff" + gpx))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); string(b) != gpx || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
}
