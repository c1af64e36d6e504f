// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/server/auth"
)

// registryFor is the example made a retailer's own, with one store: the given one.
func registryFor(t *testing.T, store string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "registry")
	if err := os.CopyFS(dir, consent.DevelopmentFiles()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "registry.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(` "for_trying_only": "[^"]*",\n`).ReplaceAll(text, nil)
	text = regexp.MustCompile(`(?s)"stores": \[.*\]`).ReplaceAllLiteral(text, []byte(`"stores": [{"store": "`+store+`", "jurisdiction": "eu", "health_care": false,
		"assessment": {"reference": "DPIA 1", "date": "2020-01-01", "kept_until": "2030-01-01"}}]`))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func ownRegistry(t *testing.T, store string) *consent.Registry {
	t.Helper()
	r, err := consent.LoadRegistry(os.DirFS(registryFor(t, store)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A store that the registry does not have, with its impact assessment, goes live by no way: the server does not start
// on its map, and an import is refused with what to do.
func TestNoStoreGoesLiveWithoutItsAssessment(t *testing.T) {
	dev, err := auth.NewDevKey()
	if err != nil {
		t.Fatal(err)
	}
	demo := demoIndex(t)
	set := settings{data: t.TempDir(), listen: "127.0.0.1:0", indexes: []*geofence.Index{demo}, devKey: dev, issuers: []auth.Issuer{dev.Issuer()},
		registry: ownRegistry(t, "kiosk"), log: slog.New(slog.DiscardHandler)}
	if st, err := assemble(t.Context(), set); !errors.Is(err, consent.ErrNotAssessed) || !strings.Contains(err.Error(), "--map") {
		t.Errorf("starting on it: %v", errors.Join(err, st.Close()))
	}
	r := serveWith(t, settings{data: t.TempDir(), indexes: []*geofence.Index{demo}, devKey: dev, registry: ownRegistry(t, demo.Site().ID)})
	token, err := dev.MintAdmin("ana", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, errs, status := command(t, "", "store", "import", "--url", r.address(), "--token", token, square(t, 0))
	for _, part := range []string{"no impact assessment of this store is on record", `the registry's stores do not name "kiosk"`, "reference, date and kept_until"} {
		if strings.Count(errs, part) != 1 || status != 1 {
			t.Errorf("exit status %d, %q is there %d times: %s", status, part, strings.Count(errs, part), errs)
		}
	}
}
