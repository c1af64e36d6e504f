// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/tracking"
)

// wholeRules are what the tables must be to each other whenever nothing is under way. Each query lists what breaks
// its rule. They look at what binds rows together, not at what they say.
var wholeRules = map[string]string{
	"the feed has an entry for each change, from the floor to the counter": `SELECT 'feed of ' || COUNT(*) || ' from ' || c.floor || ' to ' || c.change
		FROM counter c LEFT JOIN feed f ON f.change > c.floor AND f.change <= c.change GROUP BY c.floor, c.change HAVING COUNT(f.change) <> c.change - c.floor`,
	"no entry outside of that": `SELECT 'change ' || f.change FROM feed f, counter c WHERE f.change > c.change OR f.change <= c.floor`,
	"what is live stands at its scope's epoch": `SELECT 'record of ' || r.store || ', ' || r.choice || ', ' || r.state FROM record r
		LEFT JOIN scope s ON s.installation = r.installation AND s.store = r.store
		WHERE r.live = 1 AND (s.epoch IS NULL OR s.epoch <> r.epoch OR s.subject <> r.subject)`,
	"one grant at most is live for a purpose": `SELECT 'purpose ' || purpose || ' ' || COUNT(*) || ' times' FROM record WHERE live = 1
		GROUP BY installation, store, purpose HAVING COUNT(*) > 1`,
	"a grant is live, or ended by something": `SELECT 'record of ' || r.store || ', ' || r.choice || ', ' || r.state FROM record r WHERE r.choice IN ('term', 'visit') AND r.live = 0
		AND (r.ended_at = 0 OR NOT EXISTS (SELECT 1 FROM ending e WHERE e.id = r.ended_by) AND NOT EXISTS (SELECT 1 FROM record o WHERE o.id = r.ended_by))`,
	"each decision has a stop token": `SELECT 'records ' || (SELECT COUNT(*) FROM record) || ', tokens ' || (SELECT COUNT(*) FROM stop_token)
		FROM counter WHERE (SELECT COUNT(*) FROM record) <> (SELECT COUNT(*) FROM stop_token)`,
	"the log is as long as the counter says": `SELECT 'leaves ' || COUNT(l.idx) || ' of ' || c.tree_size FROM counter c LEFT JOIN leaf l ON l.idx >= 0 AND l.idx < c.tree_size
		GROUP BY c.tree_size HAVING COUNT(l.idx) <> c.tree_size OR (SELECT COUNT(*) FROM leaf) <> c.tree_size`,
	"what the outside is told is in the feed": `SELECT 'change ' || o.change FROM outbox o LEFT JOIN feed f ON f.change = o.change
		WHERE (f.kind IS NULL OR f.kind <> o.kind OR f.store <> o.store) AND o.change > (SELECT floor FROM counter)`,
	"each end in the feed is told to the outside": `SELECT 'change ' || f.change FROM feed f LEFT JOIN outbox o ON o.change = f.change WHERE f.kind = 'end' AND o.change IS NULL`,
	"each change of a store is in the feed": `SELECT 'change ' || s.change FROM store_change s
		LEFT JOIN feed f ON f.change = s.change WHERE (f.kind IS NULL OR f.kind <> 'store') AND s.change > (SELECT floor FROM counter)`,
	"duty is a node's that is listed or was": `SELECT 'duty of ' || store FROM duty WHERE node NOT LIKE 'node%'`,
}

// checkWhole holds the tables against each other.
func checkWhole(t testing.TB, db *sqlstore.DB) {
	t.Helper()
	for rule, query := range wholeRules {
		rows, err := db.Reader().Query(query)
		if err != nil {
			t.Fatalf("%s: %v", rule, err)
		}
		for rows.Next() {
			var breaks string
			if err := rows.Scan(&breaks); err != nil {
				t.Fatal(err)
			}
			t.Errorf("broken: %s: %s", rule, breaks)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	leaves, err := checkTree(db)
	if err == nil {
		err = checkEvents(t.Context(), db, leaves)
	}
	if err == nil {
		err = checkAlerts(t.Context(), db)
	}
	if err != nil {
		t.Error("broken:", err)
	}
}

// checkTree reckons every stored hash of the log from its leaves, and no other may be there. It returns the leaves.
func checkTree(db *sqlstore.DB) (leaves []string, err error) {
	stored := map[int64]tlog.Hash{}
	err = each(db, `SELECT idx, hash FROM loghash`, func(i int64, text string) error {
		b, err := hex.DecodeString(text)
		h := tlog.Hash{}
		copy(h[:], b)
		stored[i] = h
		return err
	})
	if err != nil {
		return nil, err
	}
	read := tlog.HashReaderFunc(func(indexes []int64) (list []tlog.Hash, err error) {
		for _, i := range indexes {
			list = append(list, stored[i])
		}
		return list, nil
	})
	right := 0
	err = each(db, `SELECT idx, body FROM leaf ORDER BY idx`, func(i int64, body string) error {
		hashes, err := tlog.StoredHashes(i, []byte(body), read)
		for n, h := range hashes {
			if stored[tlog.StoredHashIndex(0, i)+int64(n)] != h {
				return fmt.Errorf("the tree is not that of its leaves, at leaf %d", i)
			}
		}
		leaves, right = append(leaves, body), right+len(hashes)
		return err
	})
	if err == nil && len(stored) != right {
		err = fmt.Errorf("%d hashes are stored for %d leaves, not %d", len(stored), len(leaves), right)
	}
	return leaves, err
}

// checkEvents: each decision and each end has one leaf of its own, which says it. The other leaves are notices, the
// events of who was erased, of which a sealed proof is left, and the erasures themselves.
func checkEvents(ctx context.Context, db *sqlstore.DB, leaves []string) error {
	events, err := db.Events(ctx)
	if err != nil {
		return err
	}
	taken := map[int64]bool{}
	for _, e := range events {
		if e.Index < 0 || e.Index >= int64(len(leaves)) || taken[e.Index] {
			return fmt.Errorf("an event at leaf %d of %d, which is none or another's", e.Index, len(leaves))
		}
		taken[e.Index] = true
		if e.Record == nil {
			continue
		}
		var leaf consent.Leaf
		if err := json.Unmarshal([]byte(leaves[e.Index]), &leaf); err != nil {
			return err
		}
		event := consent.Event{Record: *e.Record, Notice: leaf.Notice}
		if _, err := hex.Decode(event.Key[:], []byte(e.Key)); err != nil {
			return err
		}
		if text, err := event.Leaf(); err != nil || string(text) != leaves[e.Index] {
			return fmt.Errorf("leaf %d does not say what its record says: %s, %v", e.Index, text, err)
		}
	}
	err = each(db, `SELECT log_index, '' FROM proof`, func(i int64, _ string) error {
		if taken[i] {
			return fmt.Errorf("leaf %d is of somebody erased, and of somebody who is here", i)
		}
		taken[i] = true
		return nil
	})
	erasures, done := 0, 0
	for i, leaf := range leaves {
		if strings.Contains(leaf, `"type":"erased"`) {
			erasures++
		} else if !taken[int64(i)] && !strings.Contains(leaf, `"type":"notice"`) {
			return fmt.Errorf("leaf %d has no event: %s", i, leaf)
		}
	}
	if err == nil {
		err = db.Reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM erasure WHERE done_at > 0`).Scan(&done)
	}
	if err == nil && erasures < done {
		err = fmt.Errorf("%d erasures are done, and %d are in the log", done, erasures)
	}
	return err
}

// checkAlerts: each alert that can be seen is what the feed said of it last.
func checkAlerts(ctx context.Context, db *sqlstore.DB) error {
	told := map[string]tracking.Alert{}
	err := errors.Join(db.Join(ctx, "reader"))
	for since, more := int64(0), true; more && err == nil; {
		var f consent.Feed
		f, err = db.Poll(ctx, "reader", since)
		for _, e := range f.Entries {
			if e.Kind == consent.EntryAlert && err == nil {
				var a tracking.Alert
				err = json.Unmarshal(e.Body, &a)
				told[e.Alert] = a
			}
		}
		since, more = f.Change, f.More
	}
	if err != nil {
		return err
	}
	var floor int64
	if err := db.Reader().QueryRowContext(ctx, `SELECT floor FROM counter`).Scan(&floor); err != nil {
		return err
	}
	list, _, err := db.Alerts(ctx, "shop")
	for _, a := range list {
		last, ok := told[a.ID]
		if !ok && floor > 0 {
			continue // it was told of before that
		}
		if d := cmp.Diff(last, a); d != "" {
			return fmt.Errorf("an alert is not what the feed said last:\n%s", d)
		}
	}
	return errors.Join(err, db.Leave(ctx, "reader"))
}

func each(db *sqlstore.DB, query string, do func(int64, string) error) error {
	rows, err := db.Reader().Query(query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var i int64
		var text string
		if err := rows.Scan(&i, &text); err != nil {
			return err
		}
		if err := do(i, text); err != nil {
			return err
		}
	}
	return rows.Err()
}
