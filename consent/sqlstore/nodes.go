// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"doorstep/consent"
)

// feedPage is the most entries that one poll returns.
const feedPage = 500

// Join enters the node. Nothing counts as acknowledged by it yet.
func (db *DB) Join(ctx context.Context, node string) error {
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO node (id, joined_at, polled_at, acked) VALUES ($1, $2, $2, 0)
			ON CONFLICT (id) DO UPDATE SET joined_at = $2, polled_at = $2, acked = 0`, node, micros(t.now))
		return err
	})
}

// Poll marks the node's row and returns the feed after since, at most 500 entries of it.
func (db *DB) Poll(ctx context.Context, node string, since int64) (consent.Feed, error) {
	var feed consent.Feed
	err := db.writeNow(ctx, func(t *tx) (err error) {
		n, err := t.exec(`UPDATE node SET polled_at = $2 WHERE id = $1`, node, micros(t.now))
		if err == nil && n == 0 {
			err = consent.ErrNotListed
		}
		if err == nil {
			feed, err = t.feedAfter(since)
		}
		return err
	})
	if err != nil {
		return consent.Feed{}, err
	}
	return feed, nil
}

func (t *tx) feedAfter(since int64) (consent.Feed, error) {
	var f consent.Feed
	var floor int64
	if err := t.row(`SELECT change, floor FROM counter WHERE id = 1`).into(&f.Change, &floor); err != nil {
		return f, err
	}
	// A node that knows nothing (0) misses nothing. One that knows more than the ledger has seen the
	// future of a backup that was restored.
	if since > f.Change || since < floor && since != 0 {
		return f, fmt.Errorf("%w: it stands at %d, the feed goes from %d to %d", consent.ErrBehind, since, floor, f.Change)
	}
	err := t.all(func(r *sql.Rows) error {
		e, err := scanEntry(r)
		f.Entries = append(f.Entries, e)
		return err
	}, `SELECT change, kind, store, entered_at, alert, body FROM feed
		WHERE change > $1 AND change <= $2 ORDER BY change LIMIT $3`, since, f.Change, feedPage+1)
	if f.More = len(f.Entries) > feedPage; f.More {
		f.Entries = f.Entries[:feedPage]
		f.Change = f.Entries[feedPage-1].Change
	}
	return f, err
}

func scanEntry(r *sql.Rows) (consent.Entry, error) {
	var e consent.Entry
	var at int64
	var kind, body string
	if err := r.Scan(&e.Change, &kind, &e.Store, &at, &e.Alert, &body); err != nil {
		return e, err
	}
	e.Kind, e.At = consent.EntryKind(kind), fromMicros(at)
	if e.Kind != consent.EntryEnd {
		e.Body = []byte(body)
		return e, nil
	}
	e.End = &consent.End{}
	return e, json.Unmarshal([]byte(body), e.End)
}

// Ack records that node has applied everything up to change. An older number changes nothing.
func (db *DB) Ack(ctx context.Context, node string, change int64) error {
	return db.writeNow(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE node SET acked = CASE WHEN acked < $2 THEN $2 ELSE acked END WHERE id = $1`, node, change)
		if err == nil && n == 0 {
			err = consent.ErrNotListed
		}
		return err
	})
}

// Acked returns, for each of the nodes still listed, the change it has acknowledged.
func (db *DB) Acked(ctx context.Context, nodes []string) (map[string]int64, error) {
	out := map[string]int64{}
	for _, node := range nodes {
		var acked int64
		err := db.row(ctx, `SELECT acked FROM node WHERE id = $1`, node).into(&acked)
		if noRow(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[node] = acked
	}
	return out, nil
}

// Leave takes the node, and what was on duty through it, out of the tables.
func (db *DB) Leave(ctx context.Context, node string) error {
	return db.write(ctx, func(t *tx) error { return t.strikeOff(node) })
}

func (t *tx) strikeOff(node string) error {
	var stores []string
	err := t.all(func(r *sql.Rows) error {
		var s string
		err := r.Scan(&s)
		stores = append(stores, s)
		return err
	}, `SELECT store FROM duty WHERE node = $1`, node)
	if err != nil {
		return err
	}
	for _, s := range stores {
		if err := t.setDuty(node, s, time.Time{}, t.now); err != nil {
			return err
		}
	}
	_, err = t.exec(`DELETE FROM node WHERE id = $1`, node)
	return err
}

// listed are the nodes of the moment, which must acknowledge an end.
func (t *tx) listed() ([]string, error) {
	var out []string
	err := t.all(func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		out = append(out, id)
		return err
	}, `SELECT id FROM node ORDER BY id`)
	return out, err
}

// SetDuty records that node has somebody signed in for store until then; a zero time takes it back. The
// feed hears of it when the store as a whole goes on or off duty.
func (db *DB) SetDuty(ctx context.Context, node, store string, until, now time.Time) error {
	return db.write(ctx, func(t *tx) error { return t.setDuty(node, store, until, now) })
}

func (t *tx) setDuty(node, store string, until, now time.Time) error {
	if err := t.lock(); err != nil {
		return err
	}
	before, err := t.onDuty(store, now)
	if err != nil {
		return err
	}
	if until.IsZero() {
		_, err = t.exec(`DELETE FROM duty WHERE node = $1 AND store = $2`, node, store)
	} else {
		_, err = t.exec(`INSERT INTO duty (node, store, until) VALUES ($1, $2, $3)
			ON CONFLICT (node, store) DO UPDATE SET until = $3`, node, store, micros(until))
	}
	if err != nil {
		return err
	}
	after, err := t.onDuty(store, now)
	if err != nil || after == before {
		return err
	}
	_, err = t.enter(consent.Entry{Kind: consent.EntryDuty, Store: store}, map[string]bool{"on": after})
	return err
}

func (t *tx) onDuty(store string, now time.Time) (bool, error) {
	var n int64
	err := t.row(`SELECT COUNT(*) FROM duty WHERE store = $1 AND until > $2`, store, micros(now)).into(&n)
	return n > 0, err
}
