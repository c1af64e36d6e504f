// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"doorstep/consent"
)

// Enter keeps that a visit has begun, and gives visit-only grants that are in force back the life they were given.
func (db *DB) Enter(ctx context.Context, s consent.Entered) error {
	purposes, err := json.Marshal(s.Purposes)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return db.write(ctx, func(t *tx) error {
		p, err := t.find(anInstallation, s.Scope.Installation)
		if noRow(err) {
			return nil
		}
		if err == nil {
			_, err = t.exec(`UPDATE record SET expires_at = given_until WHERE installation = $1 AND store = $2
				AND choice = 'visit' AND live = 1 AND expires_at > $3`, p.handle, s.Scope.Store, micros(s.From))
		}
		if err == nil { // the same visit again: the app came back to it
			_, err = t.exec(`INSERT INTO stay (visit, subject, store, purposes, opened_at, ended_at)
				SELECT $1, subject, store, $4, CAST($5 AS BIGINT), 0 FROM scope WHERE installation = $2 AND store = $3
				ON CONFLICT (visit) DO NOTHING`, stayOf(p.handle, s.Epoch, s.Scope.Store), p.handle, s.Scope.Store, string(purposes), micros(minute(s.From)))
		}
		return err
	})
}

// minute is a time as far as it is kept of a visit.
func minute(at time.Time) time.Time { return at.Truncate(time.Minute) }

// endStay keeps when a visit ended: in the minute that has begun, so that its span is never told shorter than it was.
func (t *tx) endStay(s scope, at time.Time) error {
	_, err := t.exec(`UPDATE stay SET ended_at = $2 WHERE visit IN ($1, $3) AND store = $4 AND ended_at = 0`,
		s.stay(), micros(minute(at).Add(time.Minute)), s.unplaced(), s.Store)
	return err
}

// OpenVisits are those of a phone, or of all phones of a subject, that have begun and not ended.
func (db *DB) OpenVisits(ctx context.Context, subject, installation consent.Ref) (out []consent.OpenVisit, err error) {
	kind, column, who := aSubject, "subject", subject
	if installation != "" {
		kind, column, who = anInstallation, "installation", installation
	}
	err = db.writeNow(ctx, func(t *tx) error {
		p, err := t.find(kind, who)
		if noRow(err) {
			return nil
		}
		if err != nil {
			return err
		}
		scopes, err := t.scopesWhere(column+` = $1`, p.handle)
		for _, s := range scopes {
			var open int64
			if err == nil {
				err = t.row(`SELECT COUNT(*) FROM stay WHERE visit IN ($1, $2) AND store = $3 AND ended_at = 0`, s.stay(), s.unplaced(), s.Store).into(&open)
			}
			if open > 0 {
				out = append(out, consent.OpenVisit{Scope: s.Scope, Visit: s.visit})
			}
		}
		return err
	})
	return out, err
}

// Exposed is what was open at any moment of the span [from, to), of one store or, for an empty one, of all.
func (e *Evidence) Exposed(ctx context.Context, store string, from, to time.Time) (consent.Exposure, error) {
	x := consent.Exposure{Visits: []consent.ExposedVisit{}, Views: []consent.ExposedView{}}
	err := e.all(ctx, func(r *sql.Rows) error {
		var v consent.ExposedVisit
		var purposes string
		var opened, ended int64
		if err := r.Scan(&v.Visit, &v.Shopper, &v.Store, &purposes, &opened, &ended); err != nil {
			return err
		}
		v.From, v.To = fromMicros(opened), fromMicros(ended)
		err := json.Unmarshal([]byte(purposes), &v.Purposes)
		x.Visits = append(x.Visits, v)
		return err
	}, `SELECT visit, subject, store, purposes, opened_at, ended_at FROM stay
		WHERE opened_at < $2 AND (ended_at = 0 OR ended_at > $1) AND ($3 = '' OR store = $3) ORDER BY opened_at, visit`,
		micros(from), micros(to), store)
	if err != nil {
		return x, err
	}
	err = e.all(ctx, func(r *sql.Rows) error {
		var v consent.ExposedView
		var fields string
		var opened, closed int64
		if err := r.Scan(&v.Kind, &v.Shopper, &v.Visit, &v.Store, &v.Role, &v.Purpose, &fields, &opened, &closed, &v.Count); err != nil {
			return err
		}
		v.From, v.To = fromMicros(opened), fromMicros(closed)
		err := json.Unmarshal([]byte(fields), &v.Fields)
		x.Views = append(x.Views, v)
		return err
	}, `SELECT kind, subject, visit, store, role, purpose, fields, opened_at, closed_at, positions FROM look
		WHERE opened_at < $2 AND (closed_at = 0 OR closed_at >= $1) AND ($3 = '' OR store = $3) ORDER BY opened_at, id`,
		micros(from), micros(to), store)
	if err != nil {
		return x, err
	}
	return x, e.disguise(ctx, &x)
}

// disguise puts marks in the place of handles, which nobody outside may ever see: else they would tell, of whatever
// lies about after an erasure, whose it was. A mark is the same in every report, until the person is erased.
func (e *Evidence) disguise(ctx context.Context, x *consent.Exposure) error {
	ask := func(query string, args ...any) row { return row{e.tx.QueryRowContext(ctx, query, args...)} }
	known := map[string]person{}
	hide := func(shopper, visit *string) error {
		p, ok := known[*shopper]
		if !ok {
			var err error
			if p, err = personOf(e.db.ring, ask, *shopper); noRow(err) { // erased this moment
				*shopper, *visit = "", ""
				return nil
			} else if err != nil {
				return err
			}
			known[*shopper] = p
		}
		*shopper, *visit = p.mark("report", "shopper"), p.mark("report", *visit)
		return nil
	}
	var err error
	for i := range x.Visits {
		err = errors.Join(err, hide(&x.Visits[i].Shopper, &x.Visits[i].Visit))
	}
	for i := range x.Views {
		err = errors.Join(err, hide(&x.Views[i].Shopper, &x.Views[i].Visit))
	}
	return err
}
