// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
)

const (
	webhookLease = "webhooks"
	fanOutPage   = 200
)

var _ tracking.Outside = (*DB)(nil)

// HoldLease takes or renews the lease of whoever tells the outside. It is judged by this node's clock; nodes whose clocks differ by
// more than a lease send something twice at worst, which receivers tell by its id.
func (db *DB) HoldLease(ctx context.Context, holder string, life time.Duration) (held bool, err error) {
	err = db.mark(ctx, func(t *tx) error {
		n, err := t.exec(`INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET holder = $2, until = $3 WHERE lease.holder = $2 OR lease.until < $4`,
			webhookLease, holder, micros(t.now.Add(life)), micros(t.now))
		held = n > 0
		return err
	})
	return held, err
}

// asSender is a write that only the lease's holder may do.
func (db *DB) asSender(ctx context.Context, holder string, f func(*tx) error) error {
	return db.write(ctx, func(t *tx) error {
		var n int64
		err := t.row(`SELECT COUNT(*) FROM lease WHERE name = $1 AND holder = $2 AND until >= $3`, webhookLease, holder, micros(t.now)).into(&n)
		if err == nil && n == 0 {
			err = tracking.ErrNotSender
		}
		if err != nil {
			return err
		}
		return f(t)
	})
}

// posted is a row of the outbox.
type posted struct {
	tracking.Delivery
	change  int64
	subject string
}

// FanOut makes deliveries of the outbox's next rows; see tracking.Outside.
func (db *DB) FanOut(ctx context.Context, holder string, listens func(string, string, tracking.OutsideEvent) bool, endpoints []string) (more bool, err error) {
	err = db.asSender(ctx, holder, func(t *tx) error {
		rows, err := t.postedSince()
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, p := range rows {
			if err := t.fanOut(p, listens, endpoints); err != nil {
				return err
			}
		}
		more = len(rows) == fanOutPage
		_, err = t.exec(`UPDATE setting SET value = $1 WHERE name = 'webhooks_told'`, strconv.FormatInt(rows[len(rows)-1].change, 10))
		return err
	})
	return more, err
}

func (t *tx) postedSince() (list []posted, err error) {
	err = t.all(func(r *sql.Rows) error {
		var p posted
		var at int64
		var event, kind, sealed string
		if err := r.Scan(&p.change, &p.Store, &p.subject, &p.Epoch, &at, &event, &kind, &p.Purpose, &p.Version, &sealed); err != nil {
			return err
		}
		text, err := openDay(t.db.ring, "outbox", sealed)
		if err != nil {
			return err
		}
		p.Event, p.Kind, p.At = tracking.OutsideEvent(event), tracking.AlertKind(kind), fromMicros(at)
		p.Visit, p.Alert, _ = strings.Cut(string(text), "\n")
		list = append(list, p)
		return nil
	}, `SELECT change, store, subject, epoch, entered_at, event, alert_kind, purpose, version, body FROM outbox
		WHERE change > (SELECT CAST(value AS BIGINT) FROM setting WHERE name = 'webhooks_told') ORDER BY change LIMIT $1`, fanOutPage)
	return list, err
}

func (t *tx) fanOut(p posted, listens func(string, string, tracking.OutsideEvent) bool, endpoints []string) error {
	if p.Alert == "" {
		return t.goneWithVisit(p)
	}
	if p.Event == "" {
		return nil
	}
	for _, endpoint := range endpoints {
		if p.Event != tracking.GoneEvent && !listens(endpoint, p.Store, p.Event) {
			continue // but whoever was told of something hears that it is gone
		}
		d := p
		d.Endpoint = endpoint
		if err := t.deliver(d); err != nil {
			return err
		}
	}
	return nil
}

// goneWithVisit tells those who heard of alerts that were settled before their visit ended. A request that outlives it is not over.
func (t *tx) goneWithVisit(p posted) error {
	m := t.marks("visit", p.Visit)
	heard, err := t.deliveriesWhere(`visit IN ($1, $2, $3) AND event <> 'alert.gone'`, m[0], m[1], m[2])
	for _, d := range heard {
		if err != nil {
			return err
		}
		a, found := t.alertOf(d.Store, d.Alert)
		if found == nil && !a.Final() {
			continue
		}
		if found != nil && !errors.Is(found, tracking.ErrNoAlert) {
			return found
		}
		d.Event, d.At, d.Version = tracking.GoneEvent, p.At, d.Version+1
		err = t.deliver(posted{Delivery: d, change: p.change, subject: p.subject})
	}
	return err
}

// deliver writes a delivery that waits. Its id follows from what it is about, and there is one *gone* of an alert for each receiver.
func (t *tx) deliver(p posted) error {
	what := p.Endpoint + "|" + p.Alert + "|" + strconv.Itoa(p.Version)
	if p.Event == tracking.GoneEvent {
		what = p.Endpoint + "|" + p.Alert + "|gone"
	}
	id := "msg_" + uuid.NewSHA1(uuid.NameSpaceOID, []byte(what)).String()
	alert, err := t.mark("alert", p.Alert)
	if err != nil {
		return err
	}
	visit, err := t.mark("visit", p.Visit)
	if err != nil {
		return err
	}
	body, err := t.sealDay("webhook", []byte(p.Visit+"\n"+p.Alert))
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO webhook (id, endpoint, event, store, subject, alert, visit, alert_kind, purpose, epoch, version, happened, state, attempts, due_at, fault, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, '', $15) ON CONFLICT (id) DO NOTHING`,
		id, p.Endpoint, string(p.Event), p.Store, p.subject, alert, visit, string(p.Kind), p.Purpose, p.Epoch, p.Version, micros(p.At),
		string(tracking.DeliveryWaits), micros(t.now), body)
	return err
}

const deliveryColumns = `id, endpoint, event, store, alert_kind, purpose, epoch, version, happened, state, attempts, due_at, fault, body`

func (db *DB) scanDelivery(r interface{ Scan(...any) error }) (d tracking.Delivery, err error) {
	var at, due int64
	var sealed string
	if err = r.Scan(&d.ID, &d.Endpoint, &d.Event, &d.Store, &d.Kind, &d.Purpose, &d.Epoch, &d.Version, &at, &d.State, &d.Attempts, &due, &d.Fault, &sealed); err != nil {
		return d, err
	}
	text, err := openDay(db.ring, "webhook", sealed)
	d.At, d.Due = fromMicros(at), fromMicros(due)
	d.Visit, d.Alert, _ = strings.Cut(string(text), "\n")
	return d, err
}

func (t *tx) deliveriesWhere(condition string, args ...any) (list []tracking.Delivery, err error) {
	err = t.all(func(r *sql.Rows) error {
		d, err := t.db.scanDelivery(r)
		list = append(list, d)
		return err
	}, `SELECT `+deliveryColumns+` FROM webhook WHERE `+condition+` ORDER BY version, id`, args...)
	return list, err
}

// DueDeliveries lists what waits to be sent.
func (db *DB) DueDeliveries(ctx context.Context, limit int) (ids []string, err error) {
	err = db.all(ctx, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM webhook WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at, happened, version LIMIT $2`, micros(db.now()), limit)
	return ids, err
}

// BeginDelivery looks at the epoch in the transaction that counts the attempt; see tracking.Outside.
func (db *DB) BeginDelivery(ctx context.Context, holder, id string, retry time.Time) (d tracking.Delivery, send bool, err error) {
	err = db.asSender(ctx, holder, func(t *tx) error {
		found, err := t.deliveriesWhere(`id = $1 AND state = 'waiting'`, id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return tracking.ErrNoDelivery
		}
		d = found[0]
		if send, err = t.maySend(d); err != nil {
			return err
		}
		if !send {
			_, err = t.exec(`UPDATE webhook SET state = 'dropped', fault = 'it had ended' WHERE id = $1`, id)
			return err
		}
		if d.Attempts++; d.Attempts == 1 {
			if err := t.journalDelivery(d); err != nil {
				return err
			}
		}
		_, err = t.exec(`UPDATE webhook SET attempts = $2, due_at = $3 WHERE id = $1`, id, d.Attempts, micros(retry))
		return err
	})
	return d, send, err
}

// journalDelivery enters that something of a shopper leaves, before it does: who receives it, and what. Of whoever is erased there is
// no journal any more.
func (t *tx) journalDelivery(d tracking.Delivery) error {
	var handle string
	if err := t.row(`SELECT subject FROM webhook WHERE id = $1`, d.ID).into(&handle); err != nil || handle == "" {
		return err
	}
	p, err := t.person(handle)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("sqlstore: an entry's id: %w", err)
	}
	v := consent.View{ID: id.String(), Store: d.Store, Visit: d.Visit, Alert: d.Alert, Company: d.Endpoint, Purpose: d.Purpose,
		Fields: []string{"visit", "alert", "kind"}, OpenedAt: t.now, ClosedAt: t.now}
	return t.keepRead(p, "", consent.Read{View: v, Kind: consent.WebhookRead})
}

// maySend is the rule: that something is over goes to whoever may have been told of it, everything else only while it is so.
func (t *tx) maySend(d tracking.Delivery) (bool, error) {
	over := d.Event == tracking.GoneEvent || d.Event == "alert.resolved" || d.Event == "alert.expired"
	if over {
		if told, err := t.wasTold(d); told || err != nil || d.Event == tracking.GoneEvent {
			return told, err
		}
	}
	a, err := t.alertOf(d.Store, d.Alert)
	if errors.Is(err, tracking.ErrNoAlert) || err == nil && a.Final() && !over {
		return false, nil
	}
	if err != nil || a.Off {
		return err == nil, err
	}
	_, err = t.currentFor(d.Store, d.Visit, d.Purpose)
	if errors.Is(err, tracking.ErrNoVisit) {
		return false, nil
	}
	return err == nil, err
}

// wasTold reports whether a receiver may have been told of an alert: an attempt is counted before it is made.
func (t *tx) wasTold(d tracking.Delivery) (bool, error) {
	if d.Visit == "" || d.Attempts > 0 {
		return true, nil // erased, and kept for nothing else; or told of its end already
	}
	var n int64
	m := t.marks("alert", d.Alert)
	err := t.row(`SELECT COUNT(*) FROM webhook WHERE alert IN ($1, $2, $3) AND endpoint = $4 AND attempts > 0`, m[0], m[1], m[2], d.Endpoint).into(&n)
	return n > 0, err
}

// FinishDelivery keeps what became of an attempt.
func (db *DB) FinishDelivery(ctx context.Context, holder, id string, state tracking.DeliveryState, due time.Time, fault string) error {
	return db.asSender(ctx, holder, func(t *tx) error {
		_, err := t.exec(`UPDATE webhook SET state = $2, due_at = $3, fault = $4 WHERE id = $1 AND state = 'waiting'`, id, string(state), micros(due), fault)
		return err
	})
}

// Deliveries lists those of a state, the newest first.
func (db *DB) Deliveries(ctx context.Context, state tracking.DeliveryState, limit int) (list []tracking.Delivery, err error) {
	err = db.all(ctx, func(r *sql.Rows) error {
		d, err := db.scanDelivery(r)
		list = append(list, d)
		return err
	}, `SELECT `+deliveryColumns+` FROM webhook WHERE state = $1 ORDER BY happened DESC, id LIMIT $2`, string(state), limit)
	return list, err
}

// Backlog says what waits, here or in the outbox, and what was given up.
func (db *DB) Backlog(ctx context.Context) (b tracking.Backlog, err error) {
	var given, posted int64
	err = db.row(ctx, `SELECT (SELECT COUNT(*) FROM webhook WHERE state = 'waiting'), (SELECT COUNT(*) FROM webhook WHERE state = 'dead'),
		COALESCE((SELECT MIN(happened) FROM webhook WHERE state = 'waiting'), 0),
		COALESCE((SELECT MIN(entered_at) FROM outbox WHERE change > (SELECT CAST(value AS BIGINT) FROM setting WHERE name = 'webhooks_told')), 0)`).
		into(&b.Waiting, &b.Dead, &given, &posted)
	if given == 0 || posted != 0 && posted < given {
		given = posted
	}
	if given != 0 {
		b.Oldest = fromMicros(given)
	}
	return b, err
}

// Replay has what was sent or given up wait again. Whether it may still be told is decided when it is sent.
func (db *DB) Replay(ctx context.Context, id string) error {
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE webhook SET state = 'waiting', due_at = $2, fault = '' WHERE id = $1 AND state IN ('dead', 'sent')`, id, micros(t.now))
		if err == nil && n == 0 {
			err = tracking.ErrNoDelivery
		}
		return err
	})
}

// forgetDeliveries is the part of an erasure that is about those who were told: of each alert that a receiver heard of, the word that it
// is gone is left, without whose it was, until it is delivered (GDPR 19). It is forgotten with the others.
func (t *tx) forgetDeliveries(handle string) error {
	list, err := t.deliveriesWhere(`subject = $1`, handle)
	if err != nil {
		return err
	}
	type heard struct{ endpoint, alert string }
	told, gone := map[heard]tracking.Delivery{}, map[heard]bool{}
	for _, d := range list {
		k := heard{d.Endpoint, d.Alert}
		if d.Attempts > 0 {
			told[k] = d
		}
		if d.Event == tracking.GoneEvent && d.State == tracking.DeliverySent {
			gone[k] = true
		}
	}
	if _, err := t.exec(`DELETE FROM webhook WHERE subject = $1`, handle); err != nil {
		return err
	}
	for k, d := range told {
		if gone[k] {
			continue
		}
		d.Event, d.Visit, d.At = tracking.GoneEvent, "", t.now
		if err := t.deliver(posted{Delivery: d}); err != nil {
			return err
		}
	}
	return nil
}

// postAlert puts a change of an alert into the outbox.
func (t *tx) postAlert(change int64, a tracking.Alert, subject string) error {
	sealed, err := t.sealDay("outbox", []byte(a.Visit+"\n"+a.ID))
	if err == nil {
		_, err = t.exec(`INSERT INTO outbox (change, kind, store, subject, epoch, entered_at, body, event, alert_kind, purpose, version)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			change, string(consent.EntryAlert), a.Store, subject, a.Epoch, micros(t.now), sealed, string(a.Outside()), string(a.Kind), a.Purpose, a.Version)
	}
	return err
}
