// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"

	"doorstep/consent"
)

// proofMigration is version 8 of the tables: a sealed proof of consent has a mark, by which an audit finds that it was
// exchanged, or given another date. It is written in Go, since the key of marks is in the keyring.
func (db *DB) proofMigration() *goose.Migration {
	return goose.NewGoMigration(8, &goose.GoFunc{RunTx: func(ctx context.Context, begun *sql.Tx) error {
		t := &tx{db: db, sql: begun, stmts: &statements{}, ctx: ctx, now: db.now(), locked: true}
		if _, err := t.exec(`ALTER TABLE proof ADD COLUMN mark TEXT NOT NULL DEFAULT ''`); err != nil {
			return err
		}
		var list []keptProof
		err := t.all(func(r *sql.Rows) error {
			var p keptProof
			err := r.Scan(&p.Index, &p.Until, &p.Body)
			list = append(list, p)
			return err
		}, `SELECT log_index, until, body FROM proof`)
		for _, p := range list {
			if err == nil {
				_, err = t.exec(`UPDATE proof SET mark = $2 WHERE log_index = $1`, p.Index, p.mark(db.ring))
			}
		}
		return err
	}}, nil)
}

// mark is a proof as it was sealed: it is all that tells of it later, since nobody here can open it.
func (p keptProof) mark(ring *consent.Keyring) string {
	return ring.Mark("proof", fmt.Sprintf("%d|%d|%s", p.Index, p.Until, p.Body))
}
