// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// justEnded is how long a final alert is still listed, so that a console can say why it went.
const justEnded = time.Minute

// RaiseAlert stores a new alert, or finds the one it repeats; see tracking.AlertStore.
func (db *DB) RaiseAlert(ctx context.Context, a tracking.Alert) (stored tracking.Alert, merged bool, err error) {
	err = db.write(ctx, func(t *tx) (err error) {
		stored, merged, err = t.raise(a)
		return err
	})
	if err != nil {
		return tracking.Alert{}, false, err
	}
	return stored, merged, nil
}

func (t *tx) raise(a tracking.Alert) (tracking.Alert, bool, error) {
	s, err := t.current(a.Store, a.Visit)
	if err != nil {
		return a, false, err
	}
	known, owner, err := t.twin(a, s)
	if err != nil {
		return a, false, err
	}
	if known != "" && owner != s.installation.handle { // somebody else's alert, which is nothing to be told about
		return a, false, tracking.ErrNoAlert
	}
	if known != "" {
		first, err := t.db.parseAlert(known)
		return first, true, err
	}
	if a, err = t.matchBooking(a); err != nil {
		return a, false, err
	}
	a = asRaised(a, s, t.now)
	row, body, err := t.sealAlert(a)
	if err != nil {
		return a, false, err
	}
	if _, err := t.exec(`INSERT INTO alert (id, store, visit, subject, installation, kind, topic, purpose, final, changed_at, due_at, body)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11)`,
		row, a.Store, s.stay(), s.who.handle, s.installation.handle, string(a.Kind), a.Topic, a.Purpose, micros(a.ChangedAt), micros(a.DueAt), body); err != nil {
		return a, false, err
	}
	change, err := t.tell(a, s.who.handle)
	if err == nil {
		err = t.postAlert(change, a, s.who.handle)
	}
	return a, false, err
}

// sealAlert is an alert as it is written: its row's key, and its body. Both are good for a day, and made anew
// with every change; one that nothing has happened to for so long has been forgotten.
func (t *tx) sealAlert(a tracking.Alert) (row, body string, err error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", "", fmt.Errorf("sqlstore: %w", err)
	}
	if row, err = t.mark("alert", a.ID); err == nil {
		body, err = t.sealDay("alert", text)
	}
	return row, body, err
}

// twin finds the alert that a raise repeats: by its id, or an open one of the same visit, kind and topic.
func (t *tx) twin(a tracking.Alert, s scope) (body, installation string, err error) {
	m := t.marks("alert", a.ID)
	err = t.row(`SELECT body, installation FROM alert WHERE id IN ($1, $2, $3)`, m[0], m[1], m[2]).into(&body, &installation)
	if noRow(err) {
		return t.openTwin(a, s)
	}
	return body, installation, err
}

// openTwin finds an open alert of the same visit, kind and topic. Two bookings are two reasons to come.
func (t *tx) openTwin(a tracking.Alert, s scope) (body, installation string, err error) {
	err = t.all(func(r *sql.Rows) error {
		var sealed, phone string
		if err := r.Scan(&sealed, &phone); err != nil {
			return err
		}
		other, err := t.db.parseAlert(sealed)
		if err == nil && other.Ref == a.Ref {
			body, installation = sealed, phone
		}
		return err
	}, `SELECT body, installation FROM alert WHERE visit IN ($1, $5) AND final = 0 AND kind = $2 AND topic = $3 AND store = $4 ORDER BY changed_at`,
		s.stay(), string(a.Kind), a.Topic, a.Store, s.unplaced())
	return body, installation, err
}

// asRaised fills in what every alert starts with. A zero DueAt escalates at the usual time.
func asRaised(a tracking.Alert, s scope, now time.Time) tracking.Alert {
	a.Version, a.Epoch = 1, s.epoch
	if a.Kind != tracking.Emergency { // which begins in the hands of who asked for it
		a.State = tracking.Raised
	}
	if a.RaisedAt.IsZero() {
		a.RaisedAt = now
	}
	if a.DueAt.IsZero() {
		a.DueAt = a.RaisedAt.Add(a.Waits())
	}
	a.ChangedAt = a.RaisedAt
	return a
}

// current finds the scope whose visit this is now, if a grant is in force there: without one nothing can be
// under way.
func (t *tx) current(store, visit string) (scope, error) { return t.currentFor(store, visit, "") }

// currentFor is current for one purpose; any, if it is empty.
func (t *tx) currentFor(store, visit, purpose string) (scope, error) {
	scopes, err := t.scopeOfVisit(visit)
	if err != nil {
		return scope{}, err
	}
	if len(scopes) == 0 || scopes[0].Store != store {
		return scope{}, tracking.ErrNoVisit
	}
	s := scopes[0]
	var grants int64
	err = t.row(`SELECT COUNT(*) FROM record WHERE installation = $1 AND store = $2 AND live = 1 AND epoch = $3 AND expires_at > $4
		AND ($5 = '' OR purpose = $5)`, s.installation.handle, store, s.epoch, micros(t.now), purpose).into(&grants)
	if err == nil && grants == 0 {
		err = tracking.ErrNoVisit
	}
	return s, err
}

// ChangeAlert applies one step in a transaction. A key that this actor has used for this alert before
// changes nothing and answers the alert as it is now, which may be later than what it made. Once the alert
// is over, only the key that ended it is answered so; everything else gets ErrAlertFinal. With that, with ErrAlertHeld and with
// ErrAlertVersion comes the alert as it is.
func (db *DB) ChangeAlert(ctx context.Context, store, id string, c tracking.Change) (tracking.Alert, error) {
	var out tracking.Alert
	err := db.write(ctx, func(t *tx) (err error) {
		out, err = t.changeAlert(store, id, c)
		return err
	})
	if err != nil && !errors.Is(err, tracking.ErrAlertFinal) && !errors.Is(err, tracking.ErrAlertHeld) && !errors.Is(err, tracking.ErrAlertVersion) {
		return tracking.Alert{}, err
	}
	return out, err
}

func (t *tx) changeAlert(store, id string, c tracking.Change) (tracking.Alert, error) {
	now, err := t.alertOf(store, id)
	if err != nil {
		return now, err
	}
	made, err := t.versionMade(id, c)
	if err != nil {
		return now, err
	}
	if made == now.Version || made != 0 && !now.Final() {
		return now, nil
	}
	next, err := now.Next(c)
	if err != nil {
		return now, err
	}
	if err := t.mayTake(now, c.Taker()); err != nil {
		return now, err
	}
	change, subject, err := t.saveAlert(next)
	if err == nil && c.Action != tracking.Keep { // which is news to nobody outside
		err = t.postAlert(change, next, subject)
	}
	if err != nil {
		return now, err
	}
	return next, t.remember(next, c)
}

// mayTake refuses somebody who has as many alerts as they may. It belongs to the transaction: two that they claim at once,
// on two nodes, are counted one after the other.
func (t *tx) mayTake(a tracking.Alert, shift string) error {
	if shift == "" {
		return nil
	}
	held := 0
	err := t.all(func(r *sql.Rows) error {
		other, err := t.db.scanAlert(r)
		if err == nil && other.State == tracking.Claimed && other.Holder == shift && other.ID != a.ID {
			held++
		}
		return err
	}, `SELECT body FROM alert WHERE store = $1 AND final = 0`, a.Store)
	if err == nil && held >= tracking.ClaimsMost {
		err = tracking.ErrTooManyLooks
	}
	return err
}

// scanAlert reads the alert of a row that is its body only.
func (db *DB) scanAlert(r *sql.Rows) (tracking.Alert, error) {
	var body string
	if err := r.Scan(&body); err != nil {
		return tracking.Alert{}, err
	}
	return db.parseAlert(body)
}

// saveAlert writes an alert at its new version, and its entry in the feed. The keys of one that is over go
// with it, however it ended. Whose it is, is answered too.
func (t *tx) saveAlert(a tracking.Alert) (change int64, subject string, err error) {
	row, body, err := t.sealAlert(a)
	if err != nil {
		return 0, "", err
	}
	m := t.marks("alert", a.ID)
	if err := t.row(`UPDATE alert SET id = $4, topic = $5, final = $6, changed_at = $7, due_at = $8, body = $9 WHERE id IN ($1, $2, $3)
		RETURNING subject`, m[0], m[1], m[2], row, a.Topic, bit(a.Final()), micros(a.ChangedAt), micros(a.DueAt), body).into(&subject); err != nil {
		return 0, "", err
	}
	if a.Final() {
		if _, err := t.exec(`DELETE FROM alert_key WHERE alert IN ($1, $2, $3)`, m[0], m[1], m[2]); err != nil {
			return 0, "", err
		}
	}
	change, err = t.tell(a, subject)
	return change, subject, err
}

// tell enters in the feed that an alert has changed, and not what it says: the feed is kept for a day, and a topic or
// a booking's reference only until the alert is over. Who polls is told what it says then.
func (t *tx) tell(a tracking.Alert, subject string) (int64, error) {
	return t.enter(consent.Entry{Kind: consent.EntryAlert, Store: a.Store, Alert: a.ID}, subject, struct{}{})
}

// alertStep is an alert and what an end makes of it.
type alertStep struct{ next tracking.Alert }

// alertsToEnd lists the open alerts of a scope that an end changes, of its visits before as well:
//
//	                              help, KeepRequest   any other
//	session, or an expiry         location off        gone
//	withdrawal, revocation, …     gone                gone
//
// A request that is "location off" already has no position to lose and runs out by its own clock; it goes
// when the shopper withdraws or leaves. The end of one purpose leaves the alerts of the others alone,
// but for those on the visit that is over: they would dangle from it.
func (t *tx) alertsToEnd(c consent.EndCommand, s scope) ([]alertStep, error) {
	var out []alertStep
	err := t.all(func(r *sql.Rows) error {
		a, err := t.db.scanAlert(r)
		if err != nil {
			return err
		}
		next, changes, err := endAlert(c, s, a)
		if changes {
			out = append(out, alertStep{next})
		}
		return err
	}, `SELECT body FROM alert WHERE installation = $1 AND store = $2 AND final = 0`, s.installation.handle, s.Store)
	slices.SortFunc(out, func(a, b alertStep) int { return strings.Compare(a.next.ID, b.next.ID) })
	return out, err
}

func endAlert(c consent.EndCommand, s scope, a tracking.Alert) (tracking.Alert, bool, error) {
	change := tracking.Change{Action: tracking.Vanish, Reason: string(c.Reason), Now: c.Now}
	keeps := c.KeepRequest && a.Kind == tracking.Help && (c.Kind == consent.EndSession || c.Reason == consent.Expired)
	switch {
	case c.Kind == consent.EndGrant && a.Purpose != c.Purpose && a.Visit != s.visit:
		return a, false, nil
	case keeps && a.Off:
		return a, false, nil
	case keeps:
		change.Action = tracking.LocationOff
	}
	next, err := a.Next(change)
	return next, err == nil, err
}

// Alerts returns a store's open alerts and those just ended, with the change number they are as of.
// One statement, so one snapshot.
func (db *DB) Alerts(ctx context.Context, store string) ([]tracking.Alert, int64, error) {
	var out []tracking.Alert
	var change int64
	err := db.all(ctx, func(r *sql.Rows) error {
		var body sql.NullString
		if err := r.Scan(&change, &body); err != nil || !body.Valid {
			return err
		}
		a, err := db.parseAlert(body.String)
		out = append(out, a)
		return err
	}, `SELECT c.change, a.body FROM counter c LEFT JOIN alert a ON a.id IN (
			SELECT id FROM alert WHERE store = $1 AND final = 0
			UNION ALL SELECT id FROM alert WHERE store = $1 AND final = 1 AND changed_at > $2)
		WHERE c.id = 1`, store, micros(db.now().Add(-justEnded)))
	if err != nil {
		return nil, 0, err
	}
	slices.SortFunc(out, func(a, b tracking.Alert) int { return strings.Compare(a.ID, b.ID) })
	return out, change, nil
}

// AlertsDue lists the alerts that time has something to do to, the longest overdue first.
func (db *DB) AlertsDue(ctx context.Context, now time.Time, limit int) ([]tracking.Alert, error) {
	var out []tracking.Alert
	err := db.all(ctx, func(r *sql.Rows) error {
		a, err := db.scanAlert(r)
		out = append(out, a)
		return err
	}, `SELECT body FROM alert WHERE final = 0 AND due_at <= $1 ORDER BY due_at, id LIMIT $2`, micros(now), limit)
	return out, err
}

// parseAlert reads an alert as it is written.
func (db *DB) parseAlert(sealed string) (a tracking.Alert, err error) {
	body, err := openDay(db.ring, "alert", sealed)
	if err != nil {
		return a, err
	}
	if err = json.Unmarshal(body, &a); err != nil {
		err = fmt.Errorf("sqlstore: alert: %w", err)
	}
	return a, err
}
