// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"

	"doorstep/consent"
)

// Decided finds a decision that was made before, under the key of whoever made it: nobody else finds it.
func (db *DB) Decided(ctx context.Context, id string, subject, installation consent.Ref) (out consent.Decided, err error) {
	p, err := db.find(ctx, aSubject, subject)
	var phone, store, body string
	if err == nil {
		err = db.row(ctx, `SELECT installation, store, body FROM record WHERE id = $1`, p.mark("event", id)).into(&phone, &store, &body)
	}
	if noRow(err) {
		return out, consent.ErrServed
	}
	if err != nil {
		return out, err
	}
	kept, err := openEvent(p, "record", body)
	if err != nil {
		return out, err
	}
	if kept.Record == nil || kept.Record.Event.Entity != installation {
		return out, consent.ErrServed
	}
	out.State, out.Receipt = consent.State(kept.Record.Event.State), kept.Receipt
	out.Ended, err = db.endedWith(ctx, id, phone, store)
	return out, err
}

// endedWith is the end that a decision brought about: of its shopper's own grant, or of the scope of somebody who used the phone
// before, under whose key it is kept then. Whoever was erased since has none left: theirs was true everywhere.
func (db *DB) endedWith(ctx context.Context, id, phone, store string) (*consent.Ending, error) {
	var handles []string
	err := db.all(ctx, func(r *sql.Rows) error {
		var handle string
		err := r.Scan(&handle)
		handles = append(handles, handle)
		return err
	}, `SELECT DISTINCT subject FROM record WHERE installation = $1 AND store = $2`, phone, store)
	for _, handle := range handles {
		var p person
		if err == nil {
			p, err = db.person(ctx, handle)
		}
		var body string
		if err == nil {
			err = db.row(ctx, `SELECT body FROM ending WHERE id = $1`, p.mark("event", id)).into(&body)
		}
		if noRow(err) {
			err = nil
			continue
		}
		if err != nil {
			return nil, err
		}
		kept, err := openEvent(p, "ending", body)
		if kept.Ending != nil {
			kept.Ending.Repeated = true
		}
		return kept.Ending, err
	}
	return nil, err
}
