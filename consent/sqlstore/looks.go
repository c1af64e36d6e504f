// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"time"

	"doorstep/consent"
)

// OpenView journals a look before it is served, if the visit is its scope's current one and what it is looked at for
// is granted there.
func (db *DB) OpenView(ctx context.Context, v consent.View) (fresh bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		if err := t.lock(); err != nil { // no end may come in between
			return err
		}
		s, err := t.currentFor(v.Store, v.Visit, v.Purpose)
		if err != nil {
			return err
		}
		if fresh, err = t.freshLook(s.who, v); err != nil || !fresh {
			return err
		}
		return t.keepRead(s.who, s.stay(), consent.Read{View: v, Kind: consent.ViewRead, People: 1})
	})
	return fresh && err == nil, err
}

// freshLook reports whether a look is not in the journal yet. The same one again changes nothing, and began when it
// began first; ErrIDTaken if its id is another's, or if it is over.
func (t *tx) freshLook(p person, v consent.View) (bool, error) {
	var subject string
	err := t.row(`SELECT subject FROM look WHERE id = $1`, v.ID).into(&subject)
	if noRow(err) {
		return true, nil
	}
	var kept consent.Read
	if err == nil && subject == p.handle {
		err = t.all(func(r *sql.Rows) (err error) {
			kept, err = scanRead(r, p)
			return err
		}, `SELECT `+readColumns+` FROM look WHERE id = $1`, v.ID)
	}
	if v.OpenedAt = kept.OpenedAt; v.Fields == nil {
		v.Fields = []string{}
	}
	if err == nil && !reflect.DeepEqual(kept, consent.Read{View: v, Kind: consent.ViewRead, People: 1}) {
		err = fmt.Errorf("%w: %s", consent.ErrIDTaken, v.ID)
	}
	return false, err
}

// CloseView settles a view, once: a repetition changes nothing.
func (db *DB) CloseView(ctx context.Context, id string, at time.Time, count int64) error {
	return db.write(ctx, func(t *tx) error {
		var settled int64
		err := t.row(`SELECT settled FROM look WHERE id = $1`, id).into(&settled)
		if noRow(err) {
			return consent.ErrNoView
		}
		if err != nil || settled == 1 {
			return err
		}
		_, err = t.exec(`UPDATE look SET closed_at = $2, positions = $3, settled = 1 WHERE id = $1`, id, micros(at), count)
		return err
	})
}

// closeLooks closes the views of a visit that is over, in case their node does not live to do it.
func (t *tx) closeLooks(s scope, at time.Time) error {
	_, err := t.exec(`UPDATE look SET closed_at = $2 WHERE visit IN ($1, $3) AND store = $4 AND closed_at = 0`, s.stay(), micros(at), s.unplaced(), s.Store)
	return err
}
