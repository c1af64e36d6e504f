// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/tracking/server/auth"
)

func saveDevKey(t *testing.T, path string) *auth.DevKey {
	t.Helper()
	k, err := auth.OpenDevKey(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func saveJWKS(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, consent.NewKeys().JWKS(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// served are settings that are right, in a folder of their own.
func served(t *testing.T) serveCmd {
	t.Helper()
	dir := t.TempDir()
	saveJWKS(t, filepath.Join(dir, "jwks.json"))
	return serveCmd{Listen: "127.0.0.1:0", Data: filepath.Join(dir, "data"), Map: []string{"demostore"}, LogLevel: "info", Suspend: "100/24h",
		Registry: registryFor(t, demostore.ID), Issuer: "https://id.example", JWKS: filepath.Join(dir, "jwks.json")}
}

func (c serveCmd) good(t *testing.T) (settings, string) {
	t.Helper()
	logs := &logBook{}
	set, err := c.settings(t.Context(), logs)
	if err != nil {
		t.Fatal(err)
	}
	return set, logs.String()
}

// Where the notices name nobody, the log says so at a level that nobody has turned off.
func TestDevelopmentNoticesAreLoud(t *testing.T) {
	c := served(t)
	if _, logs := c.good(t); strings.Contains(logs, "DEVELOPMENT") {
		t.Errorf("a registry of one's own: %s", logs)
	}
	c.Registry, c.DevKey, c.LogLevel = "", filepath.Join(t.TempDir(), "dev.key"), "warn"
	if _, logs := c.good(t); strings.Count(logs, "level=WARN msg=\"DEVELOPMENT NOTICES") != 1 {
		t.Errorf("the development registry: %s", logs)
	}
}

// Where staff have an issuer of their own, the shoppers' issuer cannot make anybody staff.
func TestShoppersIssuerIsNoStaffIssuer(t *testing.T) {
	c := served(t)
	set, _ := c.good(t)
	if all := []auth.Door{auth.ShopperDoor, auth.StaffDoor, auth.AdminDoor}; len(set.issuers) != 1 || !slices.Equal(set.issuers[0].Doors, all) {
		t.Errorf("one issuer: %+v", set.issuers)
	}
	c.StaffIssuer, c.StaffJWKS = "https://staff.example", c.JWKS
	set, _ = c.good(t)
	if len(set.issuers) != 2 || !slices.Equal(set.issuers[0].Doors, []auth.Door{auth.ShopperDoor}) ||
		!slices.Equal(set.issuers[1].Doors, []auth.Door{auth.StaffDoor, auth.AdminDoor}) {
		t.Errorf("two issuers: %+v", set.issuers)
	}
}

// A development key is made only when everything else is right, and its tokens are believed first.
func TestDevelopmentKeyIsMadeLast(t *testing.T) {
	c := served(t)
	c.DevKey = filepath.Join(t.TempDir(), "dev.key")
	c.Listen = "nonsense"
	if _, err := c.settings(t.Context(), &logBook{}); err == nil {
		t.Fatal("nonsense was accepted")
	}
	if _, err := os.Stat(c.DevKey); err == nil {
		t.Error("a key was made for a server that did not start")
	}
	c.Listen = "127.0.0.1:0"
	set, _ := c.good(t)
	if set.devKey == nil || len(set.issuers) != 2 || set.issuers[0].Name != auth.DevIssuer {
		t.Errorf("%+v", set.issuers)
	}
}
