// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

// exchangeStopTokens gives the tokens of two shoppers to each other: only whose they are is exchanged, and kept is what
// their rows were.
func exchangeStopTokens(db *sql.DB) error {
	return then(
		sqlDo(`CREATE TABLE kept AS SELECT * FROM stop_token WHERE hash IN (SELECT MAX(hash) FROM stop_token GROUP BY subject ORDER BY subject LIMIT 2)`),
		sqlDo(`UPDATE stop_token SET hash = 'x' || hash WHERE hash IN (SELECT hash FROM kept)`),
		sqlDo(`UPDATE stop_token SET hash = (SELECT o.hash FROM kept k JOIN kept o ON o.hash <> k.hash WHERE 'x' || k.hash = stop_token.hash)
			WHERE hash IN (SELECT 'x' || hash FROM kept)`),
	)(db)
}

// Whoever can write to the database, and has not the keyring, turns neither a stop token nor a visit against somebody else:
// until it is mended, the row answers nobody, and no end of it is said to be done.
func TestARowWithoutItsSealAnswersNobody(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)
	for name, c := range map[string]struct {
		spoil func(*sql.DB) error
		stops bool // the stop token still answers
		scope bool // so does the scope
	}{
		"nothing":                      {then(), true, true},
		"stop tokens exchanged":        {exchangeStopTokens, false, true},
		"a visit that nobody finds":    {sqlDo(`UPDATE scope SET visit = 'x' || visit`), false, false},
		"a visit taken out":            {sqlDo(`UPDATE scope SET visit = substr(installation, 2)`), false, false},
		"a scope that is somebody's":   {sqlDo(`UPDATE scope SET subject = (SELECT p.handle FROM person p WHERE p.kind = 'subject' AND p.handle <> scope.subject)`), false, false},
		"an epoch that was":            {sqlDo(`UPDATE scope SET epoch = epoch - 1`), false, false},
		"no seal":                      {sqlDo(`UPDATE scope SET seal = ''`), false, false},
		"no seal of a stop token":      {sqlDo(`UPDATE stop_token SET seal = ''`), false, true},
		"a stop token of another time": {sqlDo(`UPDATE stop_token SET given_at = given_at + 1`), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := newHouseOfTwo(t, &now)
			e.spoil(c.spoil)
			admitted, err := e.l.Admit(t.Context(), e.scope)
			answered(t, "an admission", err, c.scope && admitted.Subject == e.subject)
			_, err = e.l.Stop(t.Context(), e.token, consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndStore})
			answered(t, "a stop token", err, c.stops)
			for _, kind := range []consent.EndKind{consent.EndStore, consent.EndAll} {
				r := consent.EndRequest{ID: uuid.NewString(), Kind: kind, Subject: e.subject, Reason: consent.Withdrawn}
				if kind == consent.EndStore {
					r.Scope = e.scope
				}
				_, err = e.l.End(t.Context(), r)
				answered(t, "an end of "+string(kind), err, c.scope)
			}
		})
	}
}

func answered(t *testing.T, what string, err error, want bool) {
	t.Helper()
	if want && err != nil || !want && !errors.Is(err, consent.ErrUnavailable) {
		t.Errorf("%s: %v, want it answered: %t", what, err, want)
	}
}

// twoShoppers are in a ledger of their own; the first is the one who asks.
type twoShoppers struct {
	*testing.T
	l       *consent.Ledger
	db      *sqlstore.DB
	subject consent.Ref
	scope   consent.Scope
	token   string
}

func newHouseOfTwo(t *testing.T, now *time.Time) *twoShoppers {
	t.Helper()
	path, keys := t.TempDir()+"/ledger.db", consent.NewKeys()
	db := open(t, path, sqlstore.WithClock(func() time.Time { return *now }))
	w := &writer{ctx: t.Context(), l: consent.New(db, keys, consent.DevelopmentRegistry(), func() time.Time { return *now }), keys: keys, now: now}
	ana := w.decide("ana", "ana", "assist", consent.ForATerm)
	w.decide("ben", "ben", "assist", consent.ForATerm)
	if w.err != nil {
		t.Fatal(w.err)
	}
	return &twoShoppers{t, w.l, db, keys.Subject("ana"), consent.Scope{Installation: keys.Installation("ana"), Store: "shop"}, ana.StopToken}
}

func (e *twoShoppers) spoil(f func(*sql.DB) error) {
	e.Helper()
	if err := f(e.db.Writer()); err != nil {
		e.Fatal(err)
	}
}
