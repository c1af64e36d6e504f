// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"

	"doorstep/consent"
)

// A scope and a stop token decide whose tracking ends, and nothing in the log says what their rows have to be. So each row
// is sealed whole, by a mark under the key that stays in the keyring: whoever can write to the database alone cannot make
// one. A row whose seal does not fit answers nobody.

// errSeal is such a row: whoever asks is answered nothing, rather than something of somebody else's.
var errSeal = errors.New("the ledger is damaged: a row that says whose tracking to end is not as it was written; `doorstep ledger verify` names it")

func fits(ring *consent.Keyring, seal, sealed string) error {
	if ring == nil || seal != sealed {
		return unavailable(errSeal)
	}
	return nil
}

// scopeRow is a scope as it is stored: handles, the visit's mark under the key of a day, and its name, sealed.
type scopeRow struct {
	installation, store, subject string
	epoch                        int64
	visit, name                  string
	seal                         string
}

const scopeColumns = `installation, store, subject, epoch, visit, name, seal`

func (r *scopeRow) fields() []any {
	return []any{&r.installation, &r.store, &r.subject, &r.epoch, &r.visit, &r.name, &r.seal}
}

// sealed is the seal that the row has to have.
func (r scopeRow) sealed(ring *consent.Keyring) string {
	return ring.Mark("scope row", fmt.Sprintf("%q %q %q %d %q %q", r.installation, r.store, r.subject, r.epoch, r.visit, r.name))
}

func (r scopeRow) check(ring *consent.Keyring) error { return fits(ring, r.seal, r.sealed(ring)) }

// stopRow is a stop token as it is stored.
type stopRow struct {
	hash, subject, installation, store string
	given                              int64
	seal                               string
}

const stopColumns = `hash, subject, installation, store, given_at, seal`

func (r *stopRow) fields() []any {
	return []any{&r.hash, &r.subject, &r.installation, &r.store, &r.given, &r.seal}
}

// sealed is the seal that the row has to have.
func (r stopRow) sealed(ring *consent.Keyring) string {
	return ring.Mark("stop row", fmt.Sprintf("%q %q %q %q %d", r.hash, r.subject, r.installation, r.store, r.given))
}

func (r stopRow) check(ring *consent.Keyring) error { return fits(ring, r.seal, r.sealed(ring)) }

// sealMigration is version 13 of the tables: scopes and stop tokens are sealed, as they are found. It is written in Go,
// since the key of marks is in the keyring.
func (db *DB) sealMigration() *goose.Migration {
	return goose.NewGoMigration(13, &goose.GoFunc{RunTx: func(ctx context.Context, begun *sql.Tx) error {
		t := &tx{db: db, sql: begun, stmts: &statements{}, ctx: ctx, now: db.now(), locked: true}
		for _, step := range []func() error{
			t.run([]string{`ALTER TABLE scope ADD COLUMN seal TEXT NOT NULL DEFAULT ''`, `ALTER TABLE stop_token ADD COLUMN seal TEXT NOT NULL DEFAULT ''`}),
			t.sealScopes, t.sealStopTokens,
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}}, nil)
}

func (t *tx) sealScopes() error {
	list, err := sealedRows(t.all, func(r *scopeRow) []any { return r.fields() }, `SELECT `+scopeColumns+` FROM scope`)
	for _, r := range list {
		if err == nil {
			_, err = t.exec(`UPDATE scope SET seal = $3 WHERE installation = $1 AND store = $2`, r.installation, r.store, r.sealed(t.db.ring))
		}
	}
	return err
}

func (t *tx) sealStopTokens() error {
	list, err := sealedRows(t.all, func(r *stopRow) []any { return r.fields() }, `SELECT `+stopColumns+` FROM stop_token`)
	for _, r := range list {
		if err == nil {
			_, err = t.exec(`UPDATE stop_token SET seal = $2 WHERE hash = $1`, r.hash, r.sealed(t.db.ring))
		}
	}
	return err
}

func sealedRows[R any](all func(func(*sql.Rows) error, string, ...any) error, fields func(*R) []any, query string) (list []R, err error) {
	err = all(func(rows *sql.Rows) error {
		var r R
		err := rows.Scan(fields(&r)...)
		list = append(list, r)
		return err
	}, query)
	return list, err
}

// Sealed are the scopes and the stop tokens, each with whether it is as it was written. What no seal can tell, a row
// that is not there, Kept tells of grants in force.
func (e *Evidence) Sealed(ctx context.Context, f func(consent.SealedRow) error) error {
	err := e.all(ctx, func(rows *sql.Rows) error {
		var r scopeRow
		if err := rows.Scan(r.fields()...); err != nil {
			return err
		}
		return f(consent.SealedRow{Kind: consent.SealedScope, Row: r.installation + " in " + r.store, Fits: r.check(e.db.ring) == nil})
	}, `SELECT `+scopeColumns+` FROM scope ORDER BY installation, store`)
	if err != nil {
		return err
	}
	return e.all(ctx, func(rows *sql.Rows) error {
		var r stopRow
		if err := rows.Scan(r.fields()...); err != nil {
			return err
		}
		return f(consent.SealedRow{Kind: consent.SealedStop, Row: r.hash, Fits: r.check(e.db.ring) == nil})
	}, `SELECT `+stopColumns+` FROM stop_token ORDER BY hash`)
}
