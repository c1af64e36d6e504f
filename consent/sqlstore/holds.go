// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"doorstep/consent"
)

// CarryHold puts a hold into force that somebody else has asked for.
func (db *DB) CarryHold(ctx context.Context, id, by string, now time.Time) (h consent.Hold, err error) {
	err = db.write(ctx, func(t *tx) error {
		m, again, err := t.carry(consent.HoldMotion, "", id, by, now)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(m.Body, &h); err != nil {
			return fmt.Errorf("sqlstore: a hold: %w", err)
		}
		h.By, h.Approved, h.Since = m.By, by, fromMicros(micros(now))
		if again {
			return nil
		}
		leaf := int64(-1)
		if h.Leaf != nil {
			leaf = *h.Leaf
		}
		_, err = t.exec(`INSERT INTO hold (id, store, from_at, to_at, leaf, reason, mover, seconder, since, until, lifted_by, lifted_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', 0)`,
			h.ID, h.Store, micros(h.From), micros(h.To), leaf, h.Reason, h.By, h.Approved, micros(h.Since), micros(h.Until))
		return err
	})
	return h, err
}

// LiftHold ends a hold that is in force.
func (db *DB) LiftHold(ctx context.Context, id, by string, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE hold SET lifted_by = $2, lifted_at = $3 WHERE id = $1 AND lifted_at = 0 AND until > $3`, id, by, micros(now))
		if err == nil && n == 0 {
			err = consent.ErrNoHold
		}
		return err
	})
}

// Holds lists them all, newest first.
func (db *DB) Holds(ctx context.Context) ([]consent.Hold, error) {
	var out []consent.Hold
	err := db.all(ctx, func(r *sql.Rows) error {
		var h consent.Hold
		var from, to, leaf, since, until, lifted int64
		err := r.Scan(&h.ID, &h.Store, &from, &to, &leaf, &h.Reason, &h.By, &h.Approved, &since, &until, &h.LiftedBy, &lifted)
		h.From, h.To, h.Since, h.Until, h.LiftedAt = fromMicros(from), fromMicros(to), fromMicros(since), fromMicros(until), fromMicros(lifted)
		if leaf >= 0 {
			h.Leaf = &leaf
		}
		out = append(out, h)
		return err
	}, `SELECT id, store, from_at, to_at, leaf, reason, mover, seconder, since, until, lifted_by, lifted_at FROM hold ORDER BY since DESC, id`)
	return out, err
}

// heldSpan is a condition on the rows of a table that a hold keeps from being pruned at the time $2: those of a
// store that were made in its span.
func heldSpan(store, at string) string {
	return `EXISTS (SELECT 1 FROM hold WHERE lifted_at = 0 AND until > $2 AND hold.store <> '' AND hold.store = ` + store + `
		AND ` + at + ` BETWEEN hold.from_at AND hold.to_at)`
}

// heldLeaf is the same for proofs, at the time $1: the one that a hold names.
func heldLeaf(index string) string {
	return `EXISTS (SELECT 1 FROM hold WHERE lifted_at = 0 AND until > $1 AND hold.leaf = ` + index + `)`
}
