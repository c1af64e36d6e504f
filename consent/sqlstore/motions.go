// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// Move keeps a motion. What it asks for may name somebody, and is sealed for the day in which it can be carried.
func (db *DB) Move(ctx context.Context, m consent.Motion) error {
	return db.write(ctx, func(t *tx) error {
		if err := t.lock(); err != nil {
			return err
		}
		if again, err := t.movedBefore(m); again || err != nil {
			return err
		}
		subject, err := t.movedAbout(m)
		if err != nil {
			return err
		}
		body, err := t.sealDay("motion", m.Body)
		if err == nil {
			_, err = t.exec(`INSERT INTO motion (id, kind, store, subject, body, mover, moved_at, until, seconder, carried_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0)`, m.ID, string(m.Kind), m.Store, subject, body, m.By, micros(m.At), micros(m.Until))
		}
		if err == nil && m.Kind == consent.DisclosureMotion {
			err = t.tallyRequest(consent.AuthorityAsked, m.At)
		}
		return err
	})
}

// became are the tables of what motions become that outlives them, under their ids.
var became = map[consent.MotionKind]string{consent.HoldMotion: "hold", consent.DisclosureMotion: "disclosure"}

// movedBefore reports whether this very motion is there. ErrIDTaken if its id is another's: to be told that it was taken, and
// find something else approved, would be worse than to be refused.
func (t *tx) movedBefore(m consent.Motion) (bool, error) {
	var kind, store, by, sealed string
	err := t.row(`SELECT kind, store, mover, body FROM motion WHERE id = $1`, m.ID).into(&kind, &store, &by, &sealed)
	if noRow(err) {
		return false, t.isFree(became[m.Kind], m.ID)
	}
	var asked []byte
	if err == nil {
		asked, err = openDay(t.db.ring, "motion", sealed)
	}
	if err == nil && (kind != string(m.Kind) || store != m.Store || by != m.By || !bytes.Equal(asked, m.Body)) {
		err = fmt.Errorf("%w: %s", consent.ErrIDTaken, m.ID)
	}
	return err == nil, err
}

// isFree answers ErrIDTaken if a table has something under an id; an empty table has nothing.
func (t *tx) isFree(table, id string) error {
	if table == "" {
		return nil
	}
	var n int64
	err := t.row(`SELECT COUNT(*) FROM `+table+` WHERE id = $1`, id).into(&n)
	if err == nil && n > 0 {
		err = fmt.Errorf("%w: %s", consent.ErrIDTaken, id)
	}
	return err
}

// movedAbout is the handle of whom a motion is about; empty if it is about nobody who is known.
func (t *tx) movedAbout(m consent.Motion) (subject string, err error) {
	switch m.Kind {
	case consent.DisclosureMotion:
		var d consent.Disclosure
		var p person
		if err = json.Unmarshal(m.Body, &d); err == nil {
			p, err = t.find(aSubject, d.Subject)
		}
		subject = p.handle
	case consent.GlassMotion:
		var g tracking.Glass
		if err = json.Unmarshal(m.Body, &g); err == nil {
			a := t.marks("alert", g.Alert)
			err = t.row(`SELECT subject FROM alert WHERE id IN ($1, $2, $3) AND store = $4`, a[0], a[1], a[2], m.Store).into(&subject)
		}
	}
	if noRow(err) {
		return "", nil
	}
	if err != nil {
		err = fmt.Errorf("sqlstore: a motion: %w", err)
	}
	return subject, err
}

// Motions lists what waits for a second person, oldest first.
func (db *DB) Motions(ctx context.Context, kind consent.MotionKind, store string, now time.Time) ([]consent.Motion, error) {
	var out []consent.Motion
	err := db.all(ctx, func(r *sql.Rows) error {
		m := consent.Motion{Kind: kind}
		var at, until int64
		var sealed string
		err := r.Scan(&m.ID, &m.Store, &sealed, &m.By, &at, &until)
		if err == nil {
			m.At, m.Until = fromMicros(at), fromMicros(until)
			m.Body, err = openDay(db.ring, "motion", sealed)
		}
		out = append(out, m)
		return err
	}, `SELECT id, store, body, mover, moved_at, until FROM motion
		WHERE kind = $1 AND ($2 = '' OR store = $2) AND carried_at = 0 AND until > $3 ORDER BY moved_at, id`,
		string(kind), store, micros(now))
	return out, err
}

// carry is the second person's part: it answers what was asked for, once, to somebody else and in time. Whoever has
// carried it may ask again: again says so.
func (t *tx) carry(kind consent.MotionKind, store, id, by string, now time.Time) (m consent.Motion, again bool, err error) {
	if err := t.lock(); err != nil {
		return m, false, err
	}
	var sealed, seconder string
	var at, until, carried int64
	err = t.row(`SELECT store, body, mover, moved_at, until, seconder, carried_at FROM motion WHERE id = $1 AND kind = $2`,
		id, string(kind)).into(&m.Store, &sealed, &m.By, &at, &until, &seconder, &carried)
	if noRow(err) || err == nil && store != "" && m.Store != store {
		return m, false, consent.ErrNoMotion
	}
	m.ID, m.Kind, m.At, m.Until = id, kind, fromMicros(at), fromMicros(until)
	switch {
	case err != nil:
		return m, false, err
	case m.By == by:
		return m, false, consent.ErrSamePerson
	case carried != 0 && seconder != by, carried == 0 && !now.Before(m.Until):
		return m, false, consent.ErrMotionOver
	}
	if m.Body, err = openDay(t.db.ring, "motion", sealed); err == nil && carried == 0 {
		_, err = t.exec(`UPDATE motion SET seconder = $2, carried_at = $3 WHERE id = $1`, id, by, micros(now))
	}
	return m, carried != 0, err
}
