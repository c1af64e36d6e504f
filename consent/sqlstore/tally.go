// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"doorstep/consent"
)

// AddTallies adds what a node has counted. It takes the lock, so that nodes that count the same things come
// one after the other.
func (db *DB) AddTallies(ctx context.Context, list []consent.Tally) error {
	return db.write(ctx, func(t *tx) error {
		if err := t.lock(); err != nil {
			return err
		}
		for _, c := range list {
			if err := t.tally(c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) tally(c consent.Tally) error {
	_, err := t.exec(`INSERT INTO tally (day, kind, app, what, n) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (day, kind, app, what) DO UPDATE SET n = tally.n + $5`, c.Day, string(c.Kind), c.App, c.What, c.N)
	return err
}

// tallyRequest counts what became of a request by an authority, with what is kept of it.
func (t *tx) tallyRequest(what string, at time.Time) error {
	return t.tally(consent.Tally{Day: at.UTC().Format(time.DateOnly), Kind: consent.TallyAuthority, What: what, N: 1})
}

// Tallies lists what was counted before a day, YYYY-MM-DD.
func (db *DB) Tallies(ctx context.Context, before string) ([]consent.Tally, error) {
	var out []consent.Tally
	err := db.all(ctx, func(r *sql.Rows) error {
		var c consent.Tally
		err := r.Scan(&c.Day, &c.Kind, &c.App, &c.What, &c.N)
		out = append(out, c)
		return err
	}, `SELECT day, kind, app, what, n FROM tally WHERE day < $1 ORDER BY day, kind, app, what`, before)
	return out, err
}

// Suspend enters a suspension, unless one is in force.
func (db *DB) Suspend(ctx context.Context, s consent.Suspension, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		if err := t.lock(); err != nil {
			return err
		}
		n, err := t.exec(`INSERT INTO app_suspension (app, since, until, lifted_by) VALUES ($1, $2, $3, '')
			ON CONFLICT (app) DO UPDATE SET since = $2, until = $3, lifted_by = '' WHERE app_suspension.until <= $4`,
			s.App, micros(s.Since), micros(s.Until), micros(now))
		if err != nil || n == 0 {
			return err
		}
		_, err = t.enter(consent.Entry{Kind: consent.EntryNotice}, "", struct{}{})
		return err
	})
}

// Lift ends one that is in force.
func (db *DB) Lift(ctx context.Context, app, by string, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		if err := t.lock(); err != nil {
			return err
		}
		n, err := t.exec(`UPDATE app_suspension SET until = 0, lifted_by = $2 WHERE app = $1 AND until > $3`, app, by, micros(now))
		if err == nil && n == 0 {
			err = consent.ErrNotSuspended
		}
		if err != nil {
			return err
		}
		_, err = t.enter(consent.Entry{Kind: consent.EntryNotice}, "", struct{}{})
		return err
	})
}

// Suspensions lists them, by app.
func (db *DB) Suspensions(ctx context.Context) ([]consent.Suspension, error) {
	var out []consent.Suspension
	err := db.all(ctx, func(r *sql.Rows) error {
		var s consent.Suspension
		var since, until int64
		err := r.Scan(&s.App, &since, &until, &s.LiftedBy)
		s.Since, s.Until = fromMicros(since), fromMicros(until)
		out = append(out, s)
		return err
	}, `SELECT app, since, until, lifted_by FROM app_suspension ORDER BY app`)
	return out, err
}
