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
)

// feedPage is the most entries that one poll returns.
const feedPage = 500

// Join enters the node. Nothing counts as acknowledged by it yet. An end that was committed before it does not
// wait for this node, which polls and admits only afterwards, and so knows of it.
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
	err := db.mark(ctx, func(t *tx) (err error) {
		n, err := t.exec(`UPDATE node SET polled_at = $2 WHERE id = $1`, node, micros(t.now))
		if err == nil && n == 0 {
			err = consent.ErrNotListed
		}
		if err == nil {
			feed, err = t.feedAfter(since)
		}
		if err == nil {
			err = t.fillAlerts(feed.Entries)
		}
		return err
	})
	if err != nil {
		return consent.Feed{}, err
	}
	return feed, nil
}

// feedAfter reads the counter and the entries in one snapshot, since it is one statement: nothing is forgotten
// in between.
func (t *tx) feedAfter(since int64) (consent.Feed, error) {
	var f consent.Feed
	var floor int64
	reached, _, err := t.db.high.known() // before the query: what comes after may be ahead of it
	if err != nil {
		return f, unavailable(err)
	}
	err = t.all(func(r *sql.Rows) error {
		e, ok, err := scanEntry(t.db.ring, r, &f.Change, &floor)
		if ok {
			f.Entries = append(f.Entries, e)
		}
		return err
	}, `SELECT c.change, c.floor, f.change, f.kind, f.store, f.entered_at, f.body
		FROM counter c LEFT JOIN feed f ON f.change > $1 WHERE c.id = 1 ORDER BY f.change LIMIT $2`, since, feedPage+1)
	if err != nil {
		return f, err
	}
	// A node that knows nothing (0) misses nothing. One that knows more than the ledger has seen the
	// future of a backup that was restored.
	if since > f.Change || since < floor && since != 0 {
		return f, fmt.Errorf("%w: it stands at %d, the feed goes from %d to %d", consent.ErrBehind, since, floor, f.Change)
	}
	if err := t.db.behindMark(f.Change, reached); err != nil {
		return f, err
	}
	if f.More = len(f.Entries) > feedPage; f.More {
		f.Entries = f.Entries[:feedPage]
		f.Change = f.Entries[feedPage-1].Change
	}
	return f, nil
}

// fillAlerts tells of each alert what it says now, which may be later than what the entry was made for. Of one that
// is forgotten there is nothing to tell.
func (t *tx) fillAlerts(list []consent.Entry) error {
	said := map[string][]byte{}
	for i := range list {
		e := &list[i]
		if e.Kind != consent.EntryAlert {
			continue
		}
		if _, known := said[e.Alert]; !known {
			var sealed string
			m := t.db.marks("alert", e.Alert)
			err := t.row(`SELECT body FROM alert WHERE id IN ($1, $2, $3)`, m[0], m[1], m[2]).into(&sealed)
			if err == nil {
				said[e.Alert], err = openDay(t.db.ring, "alert", sealed)
			}
			if err != nil && !noRow(err) {
				return err
			}
		}
		e.Body = said[e.Alert]
	}
	return nil
}

// scanEntry reads the counter and the entry beside it, if there is one.
func scanEntry(ring *consent.Keyring, r *sql.Rows, last, floor *int64) (e consent.Entry, ok bool, err error) {
	var change, at sql.NullInt64
	var kind, store, sealed sql.NullString
	if err := r.Scan(last, floor, &change, &kind, &store, &at, &sealed); err != nil || !change.Valid {
		return e, false, err
	}
	text, err := openDay(ring, "feed", sealed.String)
	if err != nil {
		return e, false, err
	}
	alert, body, _ := bytes.Cut(text, []byte("\n"))
	e = consent.Entry{
		Change: change.Int64, Kind: consent.EntryKind(kind.String), Store: store.String, At: fromMicros(at.Int64), Alert: string(alert),
	}
	if e.Kind != consent.EntryEnd {
		e.Body = body
		return e, true, nil
	}
	e.End = &consent.End{}
	return e, true, json.Unmarshal(body, e.End)
}

// Ack records that node has applied everything up to change. An older number changes nothing.
func (db *DB) Ack(ctx context.Context, node string, change int64) error {
	return db.mark(ctx, func(t *tx) error {
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
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM node WHERE id = $1`, node); err != nil {
			return err
		}
		return t.endDuty(node)
	})
}

// strikeOff takes out a node that has not polled since a time. One that polls at this moment is left alone: a
// poll that was answered is a lease, and whoever has one must be waited for.
func (t *tx) strikeOff(node string, silentSince time.Time) error {
	n, err := t.exec(`DELETE FROM node WHERE id = $1 AND polled_at < $2`, node, micros(silentSince))
	if err != nil || n == 0 {
		return err
	}
	return t.endDuty(node)
}

// endDuty takes back whatever was on duty through a node.
func (t *tx) endDuty(node string) error {
	purposes := map[string][]string{} // by store
	err := t.all(func(r *sql.Rows) error {
		var store, purpose string
		err := r.Scan(&store, &purpose)
		purposes[store] = append(purposes[store], purpose)
		return err
	}, `SELECT store, purpose FROM duty WHERE node = $1`, node)
	for store, list := range purposes {
		if err == nil {
			err = t.setDuty(node, store, list, time.Time{}, t.now)
		}
	}
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

// SetDuty records that node has somebody signed in for purposes of a store until then; a zero time takes it back. The
// feed hears of it when the store as a whole goes on or off duty for one of them.
func (db *DB) SetDuty(ctx context.Context, node, store string, purposes []string, until, now time.Time) error {
	return db.write(ctx, func(t *tx) error { return t.setDuty(node, store, purposes, until, now) })
}

func (t *tx) setDuty(node, store string, purposes []string, until, now time.Time) error {
	if err := t.lock(); err != nil {
		return err
	}
	for _, p := range purposes {
		if err := t.setDutyFor(node, store, p, until, now); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) setDutyFor(node, store, purpose string, until, now time.Time) error {
	before, err := t.onDuty(store, purpose, now)
	if err != nil {
		return err
	}
	if until.IsZero() {
		_, err = t.exec(`DELETE FROM duty WHERE node = $1 AND store = $2 AND purpose = $3`, node, store, purpose)
	} else {
		_, err = t.exec(`INSERT INTO duty (node, store, purpose, until) VALUES ($1, $2, $3, $4)
			ON CONFLICT (node, store, purpose) DO UPDATE SET until = $4`, node, store, purpose, micros(until))
	}
	if err != nil {
		return err
	}
	after, err := t.onDuty(store, purpose, now)
	if err != nil || after == before {
		return err
	}
	_, err = t.enter(consent.Entry{Kind: consent.EntryDuty, Store: store}, "", struct {
		On      bool   `json:"on"`
		Purpose string `json:"purpose,omitempty"`
	}{after, purpose})
	return err
}

func (t *tx) onDuty(store, purpose string, now time.Time) (bool, error) {
	var n int64
	err := t.row(`SELECT COUNT(*) FROM duty WHERE store = $1 AND purpose = $2 AND until > $3`, store, purpose, micros(now)).into(&n)
	return n > 0, err
}
