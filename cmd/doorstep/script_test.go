// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/tracking"
)

// givenUp is a message that a receiver would not take, as often as it was tried; its id.
func givenUp(t *testing.T, r *running) string {
	t.Helper()
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a := r.app(t)
	a.decide(t, demostore.ID, "visit")
	admitted, err := r.ledger.Admit(ctx, scopeOf(r, a))
	check(err)
	_, _, err = r.db.RaiseAlert(ctx, tracking.Alert{ID: uuid.NewString(), Store: demostore.ID, Visit: admitted.Visit, Kind: tracking.Help, Topic: "size", Purpose: askPurpose})
	check(err)
	_, err = r.db.HoldLease(ctx, "test", time.Minute)
	check(err)
	_, err = r.db.FanOut(ctx, "test", func(string, string, tracking.OutsideEvent) bool { return true }, []string{"crm"})
	check(err)
	waiting, err := r.db.Deliveries(ctx, tracking.DeliveryWaits, 1)
	check(err)
	if len(waiting) != 1 {
		t.Fatalf("%d messages wait", len(waiting))
	}
	_, _, err = r.db.BeginDelivery(ctx, "test", waiting[0].ID, time.Now())
	check(err)
	check(r.db.FinishDelivery(ctx, "test", waiting[0].ID, tracking.DeliveryDead, time.Now(), "answered 500"))
	return waiting[0].ID
}

// The command line as people meet it: each script in testdata/script is a session with the program.
func TestScripts(t *testing.T) {
	store, err := filepath.Abs("demostore")
	if err != nil {
		t.Fatal(err)
	}
	receipts := receiptFolder(t)
	r := serveStores(t)
	admin, err := r.devKey.MintAdmin("ana", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dead := givenUp(t, r)
	testscript.Run(t, testscript.Params{
		Dir:      filepath.Join("testdata", "script"),
		Deadline: time.Now().Add(5 * time.Minute), // a server that should have refused to start must not serve on
		Setup: func(e *testscript.Env) error {
			e.Setenv("STORE", store)
			e.Setenv("QUAY", quayFolder(t))
			e.Setenv("RECEIPTS", receipts)
			e.Setenv("URL", r.address()) // a server, for the commands that work on one
			e.Setenv("ADMIN", admin)
			e.Setenv("DEAD", dead)
			e.Setenv("PATH", os.Getenv("PATH")+string(os.PathListSeparator)+e.Getenv("PATH"))
			var shelf bytes.Buffer // a picture, which no script can hold
			return errors.Join(png.Encode(&shelf, image.NewGray(image.Rect(0, 0, 8, 8))), os.WriteFile(filepath.Join(e.WorkDir, "shelf.png"), shelf.Bytes(), 0o600))
		},
	})
}
