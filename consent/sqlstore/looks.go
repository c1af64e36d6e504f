// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// OpenView journals a look before it is served, if the visit is its scope's current one.
func (db *DB) OpenView(ctx context.Context, v consent.View) error {
	fields, err := json.Marshal(v.Fields)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return db.write(ctx, func(t *tx) error { // no end may come in between
		scopes, err := t.scopeOfVisit(v.Visit)
		if err != nil {
			return err
		}
		if len(scopes) == 0 || scopes[0].Store != v.Store {
			return tracking.ErrNoVisit
		}
		s := scopes[0]
		seen := s.who.seal("look|"+v.ID, []byte(v.Visit+"\n"+v.Alert))
		_, err = t.exec(`INSERT INTO look (id, subject, store, visit, alert, reader, role, team, purpose, fields, opened_at, closed_at, settled, positions)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0)`,
			v.ID, s.who.handle, v.Store, s.stay(), seen, v.Reader, v.Role, v.Team, v.Purpose, string(fields), micros(v.OpenedAt))
		return err
	})
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
func (t *tx) closeLooks(stay string, at time.Time) error {
	_, err := t.exec(`UPDATE look SET closed_at = $2 WHERE visit = $1 AND closed_at = 0`, stay, micros(at))
	return err
}

// Journal lists the views of a subject, newest first.
func (db *DB) Journal(ctx context.Context, subject consent.Ref, limit int) ([]consent.View, error) {
	p, err := db.find(ctx, aSubject, subject)
	if noRow(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []consent.View
	err = db.all(ctx, func(r *sql.Rows) error {
		var v consent.View
		var fields, sealed string
		var opened, closed int64
		if err := r.Scan(&v.ID, &v.Store, &sealed, &v.Reader, &v.Role, &v.Team, &v.Purpose, &fields, &opened, &closed, &v.Count); err != nil {
			return err
		}
		seen, err := p.text("look|"+v.ID, sealed)
		if err != nil {
			return err
		}
		v.Visit, v.Alert, _ = strings.Cut(seen, "\n")
		v.OpenedAt, v.ClosedAt = fromMicros(opened), fromMicros(closed)
		out = append(out, v)
		return json.Unmarshal([]byte(fields), &out[len(out)-1].Fields)
	}, `SELECT id, store, alert, reader, role, team, purpose, fields, opened_at, closed_at, positions FROM look
		WHERE subject = $1 ORDER BY opened_at DESC, id DESC LIMIT $2`, p.handle, limit)
	return out, err
}
