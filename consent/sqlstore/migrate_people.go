// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/pressly/goose/v3"

	"doorstep/consent"
	"doorstep/tracking"
)

// peopleMigration is version 3 of the tables: from here on nobody is written down but under keys that lie in the
// keyring. It is written in Go, since what was there is carried over under those keys. What lives for a
// day only (the feed, the outbox, ends of sessions, keys of alerts' changes) is let go: the server stands still
// meanwhile, and every node starts anew.
func (db *DB) peopleMigration() *goose.Migration {
	return goose.NewGoMigration(3, &goose.GoFunc{RunTx: func(ctx context.Context, begun *sql.Tx) error {
		if err := db.needRing(); err != nil {
			return err
		}
		t := &tx{db: db, sql: begun, stmts: &statements{}, ctx: ctx, now: db.now(), locked: true}
		for _, step := range []func() error{t.run(peopleBefore), t.carryScopes, t.carryRecords, t.carryEndings, t.carryAlerts,
			t.carryStopTokens, t.carryLooks, t.run(peopleAfter)} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}}, nil)
}

var peopleBefore = []string{
	`ALTER TABLE counter ADD COLUMN rotations BIGINT NOT NULL DEFAULT 0`, // of the keyring, that this database has been through

	// Somebody, or somebody's phone. What other tables hold of them is the handle.
	`CREATE TABLE person (
		lookup TEXT PRIMARY KEY,     -- mark of the Ref under the key of the bucket
		kind   TEXT NOT NULL,
		handle TEXT NOT NULL UNIQUE, -- random
		bucket TEXT NOT NULL,        -- label of the key in the keyring
		sealed TEXT NOT NULL         -- the person's own key, and the Ref
	)`,
	`CREATE INDEX person_bucket ON person (bucket)`,

	// An erasure, from when it began. Nothing in it says whose it was once it is done.
	`CREATE TABLE erasure (
		id       TEXT PRIMARY KEY, -- mark of the request
		subject  TEXT NOT NULL,    -- handle, until it is done
		begun_at BIGINT NOT NULL,
		done_at  BIGINT NOT NULL,
		body     TEXT NOT NULL     -- the proof, sealed under the key that stays
	)`,

	// Proof of consent of somebody who has been erased: for who has the key of proofs, which is not here.
	`CREATE TABLE proof (
		log_index BIGINT PRIMARY KEY,
		until     BIGINT NOT NULL, -- as declared when it was given
		body      TEXT NOT NULL
	)`,
	`CREATE INDEX proof_until ON proof (until)`,

	`DELETE FROM feed`, `UPDATE counter SET floor = change`,
	`ALTER TABLE feed DROP COLUMN alert`,
	`DROP TABLE outbox`,
	`CREATE TABLE outbox (
		change     BIGINT PRIMARY KEY,
		kind       TEXT NOT NULL,
		store      TEXT NOT NULL,
		epoch      BIGINT NOT NULL,
		entered_at BIGINT NOT NULL,
		body       TEXT NOT NULL -- the visit's and the alert's ids, sealed for the day
	)`,
	`DELETE FROM alert_key`,
	`DELETE FROM served`, // ten minutes old at most: the app asks again
	`DELETE FROM ending WHERE kind = 'session'`,

	`ALTER TABLE scope ADD COLUMN name TEXT NOT NULL DEFAULT ''`,     // the visit, sealed; visit is its mark under the key of a day
	`ALTER TABLE record ADD COLUMN name TEXT NOT NULL DEFAULT ''`,    // the id, sealed; id is its mark
	`ALTER TABLE ending ADD COLUMN subject TEXT NOT NULL DEFAULT ''`, // under whose key it is
	`ALTER TABLE alert ADD COLUMN subject TEXT NOT NULL DEFAULT ''`,
}

var peopleAfter = []string{
	`ALTER TABLE record DROP COLUMN log_index`, `ALTER TABLE record DROP COLUMN log_key`, `ALTER TABLE record DROP COLUMN receipt`,
	`ALTER TABLE ending DROP COLUMN log_index`, `ALTER TABLE ending DROP COLUMN log_key`,
	`CREATE INDEX ending_subject ON ending (subject)`,
	`CREATE INDEX alert_subject ON alert (subject)`,
	`CREATE INDEX stop_token_subject ON stop_token (subject)`,
}

func (t *tx) run(queries []string) func() error {
	return func() error {
		for _, q := range queries {
			if _, err := t.exec(q); err != nil {
				return err
			}
		}
		return nil
	}
}

// old is a row as it was: which columns, its query says.
type old struct {
	id, subject, installation, store, visit, body, key, receipt string
	number                                                      int64 // an epoch, or a place in the log
}

// olds reads rows of the columns named, in that order.
func (t *tx) olds(columns func(*old) []any, query string, args ...any) (out []old, err error) {
	err = t.all(func(r *sql.Rows) error {
		var o old
		err := r.Scan(columns(&o)...)
		out = append(out, o)
		return err
	}, query, args...)
	return out, err
}

// carryAll carries rows over that are few and small.
func (t *tx) carryAll(columns func(*old) []any, query string, f func(old) error) error {
	rows, err := t.olds(columns, query)
	for _, o := range rows {
		if err == nil {
			err = f(o)
		}
	}
	return err
}

// carryPages carries many or large rows over, some at a time. The query asks for those whose id is above $1 and
// that were not carried over yet, in order.
func (t *tx) carryPages(columns func(*old) []any, query string, f func(old) error) error {
	for after := ""; ; {
		rows, err := t.olds(columns, query+` ORDER BY id LIMIT 500`, after)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, o := range rows {
			if err := f(o); err != nil {
				return err
			}
		}
		after = rows[len(rows)-1].id
	}
}

func (o old) people(t *tx) (subject, installation person, err error) {
	return t.keepBoth(consent.Ref(o.subject), consent.Ref(o.installation))
}

func (t *tx) carryScopes() error {
	return t.carryAll(func(o *old) []any { return []any{&o.installation, &o.store, &o.subject, &o.visit, &o.number} },
		`SELECT installation, store, subject, visit, epoch FROM scope`,
		func(o old) error {
			subject, installation, err := o.people(t)
			if err == nil {
				_, err = t.exec(`DELETE FROM scope WHERE installation = $1 AND store = $2`, o.installation, o.store)
			}
			mark := ""
			if err == nil {
				mark, err = t.mark("visit", o.visit)
			}
			if err == nil { // as its row was then
				_, err = t.exec(`INSERT INTO scope (installation, store, subject, epoch, visit, name) VALUES ($1, $2, $3, $4, $5, $6)`,
					installation.handle, o.store, subject.handle, o.number, mark, subject.seal("visit", []byte(o.visit)))
			}
			return err
		})
}

func (t *tx) carryRecords() error {
	return t.carryPages(
		func(o *old) []any { // visit holds what ended it
			return []any{&o.id, &o.subject, &o.installation, &o.visit, &o.body, &o.number, &o.key, &o.receipt}
		},
		`SELECT id, subject, installation, ended_by, body, log_index, log_key, receipt FROM record WHERE id > $1 AND name = ''`,
		t.carryRecord)
}

func (t *tx) carryRecord(o old) error {
	subject, installation, err := o.people(t)
	if err != nil {
		return err
	}
	var record consent.Record
	if err := json.Unmarshal([]byte(o.body), &record); err != nil {
		return fmt.Errorf("sqlstore: a record: %w", err)
	}
	body, err := sealEvent(subject, "record", keptEvent{Record: &record, Index: o.number, Key: o.key, Receipt: o.receipt})
	if err != nil {
		return err
	}
	endedBy := ""
	if o.visit != "" {
		endedBy = subject.mark("event", o.visit)
	}
	_, err = t.exec(`UPDATE record SET id = $2, name = $3, subject = $4, installation = $5, ended_by = $6, body = $7,
			log_index = 0, log_key = '', receipt = '' WHERE id = $1`,
		o.id, subject.mark("event", o.id), subject.seal("name", []byte(o.id)), subject.handle, installation.handle, endedBy, body)
	return err
}

func (t *tx) carryEndings() error {
	return t.carryPages(
		func(o *old) []any { return []any{&o.id, &o.visit, &o.body, &o.number, &o.key} }, // visit holds what was asked for
		`SELECT id, asked, body, log_index, log_key FROM ending WHERE id > $1 AND subject = ''`,
		t.carryEnding)
}

// carryEnding finds whose an end is in its receipt, which names them; one without a subject was the phone's.
func (t *tx) carryEnding(o old) error {
	var e consent.Ending
	if err := json.Unmarshal([]byte(o.body), &e); err != nil {
		return fmt.Errorf("sqlstore: an ending: %w", err)
	}
	claims, err := consent.ReadReceipt(e.Receipt)
	if err != nil {
		return fmt.Errorf("sqlstore: an ending: %w", err)
	}
	var owner person
	if subject := claims.Record.Header.Principal; subject != "" {
		owner, err = t.keep(aSubject, subject)
	} else {
		owner, err = t.keep(anInstallation, claims.Record.Event.Entity)
	}
	if err != nil {
		return err
	}
	body, err := sealEvent(owner, "ending", keptEvent{Ending: &e, Index: o.number, Key: o.key, Receipt: e.Receipt})
	if err == nil {
		_, err = t.exec(`UPDATE ending SET id = $2, subject = $3, asked = $4, body = $5, log_index = 0, log_key = '' WHERE id = $1`,
			o.id, owner.mark("event", o.id), owner.handle, owner.mark("asked", o.visit), body)
	}
	return err
}

// carryAlerts carries open and just ended alerts over: somebody may be on the way to one.
func (t *tx) carryAlerts() error {
	return t.carryAll(func(o *old) []any { return []any{&o.id, &o.installation, &o.body} },
		`SELECT id, installation, body FROM alert`,
		func(o old) error {
			var a tracking.Alert
			if err := json.Unmarshal([]byte(o.body), &a); err != nil {
				return fmt.Errorf("sqlstore: an alert: %w", err)
			}
			installation, err := t.keep(anInstallation, consent.Ref(o.installation))
			if err != nil {
				return err
			}
			row, body, err := t.sealAlert(a)
			if err != nil {
				return err
			}
			subject, stay, err := t.carriedScope(installation, a)
			if err == nil {
				_, err = t.exec(`UPDATE alert SET id = $2, visit = $3, subject = $4, installation = $5, body = $6 WHERE id = $1`,
					o.id, row, stay, subject, installation.handle, body)
			}
			return err
		})
}

// carriedScope is whose an alert is, and its visit as alerts refer to it, from the scope's row as it was then.
func (t *tx) carriedScope(installation person, a tracking.Alert) (subject, stay string, err error) {
	var epoch int64
	var name string
	stay = stayOf(installation.handle, 0, a.Store)
	err = t.row(`SELECT subject, epoch, name FROM scope WHERE installation = $1 AND store = $2`, installation.handle, a.Store).into(&subject, &epoch, &name)
	if noRow(err) {
		return "", stay, nil
	}
	var who person
	var visit string
	if err == nil {
		who, err = t.person(subject)
	}
	if err == nil {
		visit, err = who.text("visit", name)
	}
	if visit == a.Visit {
		stay = stayOf(installation.handle, epoch, a.Store)
	}
	return subject, stay, err
}

func (t *tx) carryStopTokens() error {
	return t.carryAll(func(o *old) []any { return []any{&o.id, &o.subject, &o.installation} },
		`SELECT hash, subject, installation FROM stop_token`,
		func(o old) error {
			subject, installation, err := o.people(t)
			if err == nil {
				_, err = t.exec(`UPDATE stop_token SET hash = $2, subject = $3, installation = $4 WHERE hash = $1`,
					o.id, t.db.ring.Mark("stop", o.id), subject.handle, installation.handle)
			}
			return err
		})
}

// carryLooks carries the journal over. A view that is still open is of a visit that ended with the server.
func (t *tx) carryLooks() error {
	return t.carryAll(func(o *old) []any { return []any{&o.id, &o.subject, &o.visit, &o.key} }, // key holds the alert
		`SELECT id, subject, visit, alert FROM look`,
		func(o old) error {
			p, err := t.keep(aSubject, consent.Ref(o.subject))
			if err == nil {
				_, err = t.exec(`UPDATE look SET subject = $2, visit = '', alert = $3 WHERE id = $1`,
					o.id, p.handle, p.seal("look|"+o.id, []byte(o.visit+"\n"+o.key)))
			}
			return err
		})
}
