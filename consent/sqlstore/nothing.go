// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"time"

	"doorstep/consent"
)

// idleMost is how many withdrawals of one person within an hour are recorded although they find nothing to end.
const idleMost = 20

// checkNothing judges a withdrawal that finds nothing: of what was never declared nor on record, or too many of them.
func (t *tx) checkNothing(c consent.EndCommand) error {
	people, err := t.whoMayHaveEnded(c)
	if err != nil {
		return err
	}
	if c.OnRecord {
		if err := t.checkOnRecord(c, people); err != nil {
			return err
		}
	}
	return t.checkIdle(c, people)
}

// checkOnRecord answers ErrNotOnRecord unless a record of one of the people is about what is to end.
func (t *tx) checkOnRecord(c consent.EndCommand, people []person) error {
	for _, p := range people {
		var n int64
		err := t.row(recordsAbout, p.handle, c.Scope.Store, c.Purpose).into(&n)
		if err != nil || n > 0 {
			return err
		}
	}
	return consent.ErrNotOnRecord
}

const recordsAbout = `SELECT COUNT(*) FROM record WHERE (subject = $1 OR installation = $1) AND ($2 = '' OR store = $2) AND ($3 = '' OR purpose = $3)`

// OnRecord reports whether a record of the subject is about a store and a purpose.
func (db *DB) OnRecord(ctx context.Context, subject consent.Ref, store, purpose string) (bool, error) {
	p, err := db.find(ctx, aSubject, subject)
	var n int64
	if err == nil {
		err = db.row(ctx, recordsAbout, p.handle, store, purpose).into(&n)
	}
	if noRow(err) { // a stranger
		return false, nil
	}
	return n > 0, err
}

// checkIdle answers ErrIdle to a withdrawal that finds nothing, once its owner has had idleMost recorded within an hour.
func (t *tx) checkIdle(c consent.EndCommand, people []person) error {
	for _, p := range people {
		var n int64
		err := t.row(`SELECT COUNT(*) FROM ending WHERE subject = $1 AND kind <> 'session' AND ended_at > $2`,
			p.handle, micros(c.Now.Add(-time.Hour))).into(&n)
		if err == nil && n >= idleMost {
			err = consent.ErrIdle
		}
		if err != nil {
			return err
		}
	}
	return nil
}
