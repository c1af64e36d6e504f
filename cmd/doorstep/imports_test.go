// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os/exec"
	"strings"
	"testing"
)

// rules say who may import what, each with its reason. A package is matched by its own path or by one
// above it.
var rules = []struct {
	what    string
	only    []string // packages that may; everything else may not
	because string
}{
	{"github.com/uber/h3-go", []string{"doorstep/geofence"}, "cells are how the fence answers, and nobody else's business"},
	{"github.com/redis/go-redis", []string{"doorstep/tracking/live"}, "what Redis says of itself is translated in one place"},
	{"database/sql", []string{"doorstep/consent/sqlstore", "doorstep/consent/storetest"}, "what a driver says of itself is translated in one place"},
	{"github.com/jackc/pgx", []string{"doorstep/consent/sqlstore"}, "the database is an adapter"},
	{"modernc.org/sqlite", []string{"doorstep/consent/sqlstore"}, "the database is an adapter"},
	{"github.com/gorilla/websocket", []string{"doorstep/tracking/server", "doorstep/mobile-sdk-spec/go/client", "doorstep/mobile-sdk-spec/conformance", "doorstep/cmd/doorstep"}, "transport lives at the edge"},
	{"net/http", []string{"doorstep/tracking/server", "doorstep/mobile-sdk-spec", "doorstep/cmd/doorstep", "doorstep/consent/sqlstore"}, "the domain knows no transport"},
	{"doorstep/tracking/server", []string{"doorstep/tracking/server", "doorstep/cmd/doorstep"}, "nothing depends on the edge but the wiring"},
	{"doorstep/cmd", []string{"doorstep/cmd", "doorstep/tracking", "doorstep/mobile-sdk-spec"}, "nothing depends on the program; tests may use its store"},
}

// forbidden are imports that a package must not have, directly or through others. One of this project's stands for what is below it.
var forbidden = map[string][]string{
	"doorstep/geofence":                    {"doorstep/consent", "doorstep/tracking", "net/http", "net", "log/slog"},
	"doorstep/consent":                     {"doorstep/tracking", "doorstep/geofence", "database/sql"},
	"doorstep/tracking":                    {"doorstep/tracking/live", "doorstep/tracking/server", "doorstep/consent/sqlstore", "net/http", "database/sql"},
	"doorstep/tracking/wire":               {"doorstep/tracking", "doorstep/consent", "doorstep/geofence", "net/http"},
	"doorstep/mobile-sdk-spec/go/client":   {"doorstep/tracking", "doorstep/consent", "doorstep/geofence", "doorstep/cmd"},
	"doorstep/mobile-sdk-spec/go/phone":    {"doorstep/tracking", "doorstep/consent", "doorstep/geofence", "doorstep/cmd"},
	"doorstep/mobile-sdk-spec/conformance": {"doorstep/tracking", "doorstep/consent", "doorstep/geofence", "doorstep/cmd", "doorstep/mobile-sdk-spec/go"},
	"doorstep/mobile-sdk-spec/go/sim":      {"doorstep/tracking", "doorstep/consent", "doorstep/geofence", "doorstep/cmd"},
	"doorstep/cmd/doorstep/bench":          {"doorstep/tracking", "doorstep/tracking/server", "doorstep/tracking/live", "doorstep/consent", "doorstep/consent/sqlstore"},
	"doorstep/cmd/doorstep/crowd":          {"doorstep/tracking", "doorstep/tracking/server", "doorstep/tracking/live", "doorstep/consent", "doorstep/consent/sqlstore"},
}

func within(path string, roots []string) bool {
	for _, r := range roots {
		if path == r || strings.HasPrefix(path, r+"/") {
			return true
		}
	}
	return false
}

func goList(t *testing.T, format string, packages ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-f", format}, packages...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestImports(t *testing.T) {
	lines := goList(t, `{{.ImportPath}} {{join .Imports " "}}`, "doorstep/...")
	if len(lines) < 15 {
		t.Fatalf("only %d packages were listed", len(lines))
	}
	for _, line := range lines {
		names := strings.Fields(line)
		for _, imported := range names[1:] {
			for _, r := range rules {
				if within(imported, []string{r.what}) && !within(names[0], r.only) {
					t.Errorf("%s imports %s: %s", names[0], imported, r.because)
				}
			}
		}
	}
	for pkg, none := range forbidden {
		for _, dep := range goList(t, `{{join .Deps "\n"}}`, pkg) {
			for _, f := range none {
				if dep == f || strings.HasPrefix(f, "doorstep/") && within(dep, []string{f}) {
					t.Errorf("%s depends on %s: dependencies go one way", pkg, dep)
				}
			}
		}
	}
}
