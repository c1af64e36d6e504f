// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"path/filepath"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

// Who was only asked is a stranger again when the question is over; who decided, when nothing proves it any more. Whoever comes back
// afterwards has no visit by a name that was used before.
func TestStrangersAgain(t *testing.T) {
	eachDatabase(t, func(t *testing.T, dsn string) {
		now := time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)
		clock := func() time.Time { return now }
		db := open(t, dsn, sqlstore.WithKeyring(filepath.Join(t.TempDir(), "keyring.json")), sqlstore.WithClock(clock))
		keys := consent.NewKeys()
		w := &writer{ctx: t.Context(), l: consent.New(db, keys, consent.DevelopmentRegistry(), clock), keys: keys, now: &now}
		known := func(when string, people, scopes int) {
			t.Helper()
			if err := w.l.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			var p, s int
			if err := db.Reader().QueryRow(`SELECT (SELECT COUNT(*) FROM person), (SELECT COUNT(*) FROM scope)`).Scan(&p, &s); err != nil {
				t.Fatal(err)
			}
			if p != people || s != scopes {
				t.Errorf("%s: %d people and phones and %d scopes are known, want %d and %d", when, p, s, people, scopes)
			}
		}
		w.decide("ana", "ana", "assist", consent.ForATerm)
		scope := consent.Scope{Installation: keys.Installation("ana"), Store: "shop"}
		visits := map[string]bool{}
		visit := func() {
			t.Helper()
			a, err := w.l.Admit(t.Context(), scope)
			if err != nil || len(a.Grants) != 1 || visits[a.Visit] {
				t.Fatalf("admitted as %+v, %v; visits before: %v", a, err, visits)
			}
			visits[a.Visit] = true
		}
		visit()
		if _, err := w.l.Prompt(t.Context(), consent.PromptRequest{Subject: keys.Subject("ben"), Installation: keys.Installation("ben"), App: "app", Store: "shop",
			Purpose: "assist", Lang: "en", AgeBand: "adult", Opened: true}); err != nil {
			t.Fatal(err)
		}
		known("while ben may answer", 4, 1)
		now = now.Add(consent.ServedLife + time.Second)
		known("once he may not", 2, 1)
		for range 3 {
			a, err := w.l.Admit(t.Context(), scope)
			if err != nil {
				t.Fatal(err)
			}
			w.end(consent.EndRequest{Kind: consent.EndSession, Scope: scope, Visit: a.Visit, Reason: consent.Bye})
			visit()
		}
		w.end(consent.EndRequest{Kind: consent.EndAll, Subject: keys.Subject("ana"), Reason: consent.Withdrawn})
		now = now.AddDate(0, 0, consent.DevelopmentRegistry().ProofDays)
		known("on the last day of the proof", 2, 1)
		now = now.Add(time.Second)
		known("after it", 0, 0)
		w.decide("ana", "ana", "assist", consent.ForATerm)
		if w.err != nil {
			t.Fatal(w.err)
		}
		visit()
		known("come back", 2, 1)
	})
}
