// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

// exchangeLookups exchanges those of the first two people of a kind, behind the ledger's back.
func exchangeLookups(kind string) func(*sql.DB) error {
	two := `(SELECT handle FROM person WHERE kind = '` + kind + `' ORDER BY handle LIMIT 2)`
	return then(
		sqlDo(`CREATE TABLE kept AS SELECT handle, lookup FROM person WHERE handle IN `+two),
		sqlDo(`UPDATE person SET lookup = 'x' || lookup WHERE handle IN `+two),
		sqlDo(`UPDATE person SET lookup = (SELECT k.lookup FROM kept k WHERE k.handle <> person.handle) WHERE handle IN (SELECT handle FROM kept)`),
		sqlDo(`DROP TABLE kept`),
	)
}

// Whoever asks while two people's rows are found under each other's lookups is answered nothing: no end, no export and
// no admission of somebody else's, and no word that something ended which did not.
func TestNobodyIsAnsweredAsSomebodyElse(t *testing.T) {
	for _, kind := range []string{"subject", "installation"} {
		t.Run(kind, func(t *testing.T) {
			e := newEvidence(t)
			now := e.now
			db := open(t, e.path, sqlstore.WithClock(func() time.Time { return now }))
			w := &writer{ctx: t.Context(), l: consent.New(db, e.keys, consent.DevelopmentRegistry(), func() time.Time { return now }), keys: e.keys, now: &now}
			ana := w.decide("ana", "ana", "assist", consent.ForATerm)
			w.decide("ben", "ben", "assist", consent.ForATerm)
			e.ok(w.err)
			e.spoil(sqlDo(`DELETE FROM person WHERE kind = $1 AND handle NOT IN (SELECT `+kind+` FROM record ORDER BY decided_at DESC LIMIT 2)`, kind))
			e.spoil(exchangeLookups(kind))

			subject, scope := e.keys.Subject("ana"), consent.Scope{Installation: e.keys.Installation("ana"), Store: "shop"}
			asks := map[string]func() error{
				"end of a store": func() error {
					_, err := w.l.End(w.ctx, consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndStore, Scope: scope, Subject: subject, Reason: consent.Withdrawn})
					return err
				},
				"prompt": func() error {
					_, err := w.l.Prompt(w.ctx, consent.PromptRequest{Subject: subject, Installation: scope.Installation, App: "app", Store: "shop",
						Purpose: "assist", Lang: "en", AgeBand: "adult", Opened: true})
					return err
				},
				"stop token": func() error {
					_, err := w.l.Stop(w.ctx, ana.StopToken, consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndStore})
					return err
				},
			}
			if kind == "installation" { // by which alone a scope is admitted
				asks["admit"] = func() error { _, err := w.l.Admit(w.ctx, scope); return err }
				asks["admit elsewhere"] = func() error {
					_, err := w.l.Admit(w.ctx, consent.Scope{Installation: scope.Installation, Store: "annex"})
					return err
				}
			} else {
				asks["end of all"] = func() error {
					_, err := w.l.End(w.ctx, consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: subject, Reason: consent.Withdrawn})
					return err
				}
				asks["export"] = func() error { _, err := w.l.Export(w.ctx, subject); return err }
				asks["journal"] = func() error { _, err := w.l.Journal(w.ctx, subject); return err }
			}
			for what, ask := range asks {
				if err := ask(); !errors.Is(err, consent.ErrUnavailable) {
					t.Errorf("%s: %v", what, err)
				}
			}
			var live int
			e.spoil(func(db *sql.DB) error {
				return db.QueryRow(`SELECT COUNT(*) FROM (SELECT live FROM record ORDER BY decided_at DESC LIMIT 2) WHERE live = 1`).Scan(&live)
			})
			if live != 2 {
				t.Errorf("%d of 2 grants are in force", live)
			}
			hidden := 0
			for _, f := range e.audit().Findings {
				if f.Code == "person_hidden" {
					hidden++
				}
			}
			if hidden != 2 {
				t.Errorf("%d rows were named: %s", hidden, fmt.Sprint(names(e.audit())))
			}
		})
	}
}
