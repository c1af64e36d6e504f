// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/tracking"
)

// What a booking refers to is in the alert alone, never among the keys of its changes; and when the visit
// ends, so do the keys.
func TestKeysKeepNothingOfAnAlert(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	db := open(t, path)
	k := consent.NewKeys()
	l := consent.New(db, k, consent.DevelopmentRegistry(), time.Now)
	p := shopper(k, "ana")
	if err := p.grant(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	scope := consent.Scope{Installation: p.installation, Store: "shop"}
	a, err := l.Admit(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	raiseAndClaim(t, db, a.Visit)
	kept := keyRows(t, path)
	if len(kept) != 1 || strings.Contains(kept[0], "canary") {
		t.Fatalf("kept of one claim: %q", kept)
	}
	if _, err := l.End(t.Context(), consent.EndRequest{
		ID: uuid.NewString(), Kind: consent.EndSession, Scope: scope, Visit: a.Visit, Reason: consent.Bye,
	}); err != nil {
		t.Fatal(err)
	}
	if kept := keyRows(t, path); len(kept) != 0 {
		t.Fatalf("kept after the visit: %q", kept)
	}
}

func raiseAndClaim(t *testing.T, db *sqlstore.DB, visit string) {
	t.Helper()
	_, _, err := db.RaiseAlert(t.Context(), tracking.Alert{
		ID: "a1", Store: "shop", Visit: visit, Kind: tracking.Arrived, Purpose: "assist", Ref: "canary-ref", Topic: "canary-topic",
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ChangeAlert(t.Context(), "shop", "a1", tracking.Change{
		Action: tracking.Claim, Expect: 1, Key: "k", By: tracking.Actor{Shift: "s1", Tag: "canary-tag"}, Now: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// keyRows reads the kept bodies past the store.
func keyRows(t *testing.T, path string) (out []string) {
	t.Helper()
	raw, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	rows, err := raw.QueryContext(t.Context(), `SELECT body FROM alert_key`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			t.Fatal(err)
		}
		out = append(out, body)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
