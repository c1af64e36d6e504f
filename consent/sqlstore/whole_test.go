// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep/consent/sqlstore"
)

// wholeRules are what the tables must be to each other whenever nothing is under way. Each query lists what breaks
// its rule. They look at what binds rows together, not at what they say.
var wholeRules = map[string]string{
	"the feed has an entry for each change, from the floor to the counter": `SELECT 'feed of ' || COUNT(*) || ' from ' || c.floor || ' to ' || c.change
		FROM counter c LEFT JOIN feed f ON f.change > c.floor AND f.change <= c.change GROUP BY c.floor, c.change HAVING COUNT(f.change) <> c.change - c.floor`,
	"no entry outside of that": `SELECT 'change ' || f.change FROM feed f, counter c WHERE f.change > c.change OR f.change <= c.floor`,
	"what is live stands at its scope's epoch": `SELECT 'record at log index ' || r.log_index FROM record r
		LEFT JOIN scope s ON s.installation = r.installation AND s.store = r.store
		WHERE r.live = 1 AND (s.epoch IS NULL OR s.epoch <> r.epoch OR s.subject <> r.subject)`,
	"one grant at most is live for a purpose": `SELECT 'purpose ' || purpose || ' ' || COUNT(*) || ' times' FROM record WHERE live = 1
		GROUP BY installation, store, purpose HAVING COUNT(*) > 1`,
	"a grant is live, or ended by something": `SELECT 'record at log index ' || r.log_index FROM record r WHERE r.choice IN ('term', 'visit') AND r.live = 0
		AND (r.ended_at = 0 OR NOT EXISTS (SELECT 1 FROM ending e WHERE e.id = r.ended_by) AND NOT EXISTS (SELECT 1 FROM record o WHERE o.id = r.ended_by))`,
	"each decision has a stop token": `SELECT 'records ' || (SELECT COUNT(*) FROM record) || ', tokens ' || (SELECT COUNT(*) FROM stop_token)
		FROM counter WHERE (SELECT COUNT(*) FROM record) <> (SELECT COUNT(*) FROM stop_token)`,
	"each decision has its leaf": `SELECT 'record at log index ' || r.log_index FROM record r LEFT JOIN leaf l ON l.idx = r.log_index WHERE l.idx IS NULL`,
	"each logged end has its leaf": `SELECT 'ending at log index ' || e.log_index FROM ending e LEFT JOIN leaf l ON l.idx = e.log_index
		WHERE e.kind <> 'session' AND l.idx IS NULL`,
	"no leaf has two events": `SELECT 'leaf ' || log_index FROM (SELECT log_index FROM record UNION ALL SELECT log_index FROM ending WHERE log_index >= 0) both_kinds
		GROUP BY log_index HAVING COUNT(*) > 1`,
	"each leaf but a notice's has its event": `SELECT 'leaf ' || l.idx FROM leaf l WHERE l.body NOT LIKE '%"type":"notice"%'
		AND NOT EXISTS (SELECT 1 FROM record r WHERE r.log_index = l.idx) AND NOT EXISTS (SELECT 1 FROM ending e WHERE e.log_index = l.idx)`,
	"the log is as long as the counter says": `SELECT 'leaves ' || COUNT(l.idx) || ' of ' || c.tree_size FROM counter c LEFT JOIN leaf l ON l.idx >= 0 AND l.idx < c.tree_size
		GROUP BY c.tree_size HAVING COUNT(l.idx) <> c.tree_size OR (SELECT COUNT(*) FROM leaf) <> c.tree_size`,
	"what the outside is told is in the feed": `SELECT 'change ' || o.change FROM outbox o LEFT JOIN feed f ON f.change = o.change
		WHERE f.kind IS NULL OR f.kind <> o.kind OR f.store <> o.store OR f.alert <> o.alert`,
	"each end in the feed is told to the outside": `SELECT 'change ' || f.change FROM feed f LEFT JOIN outbox o ON o.change = f.change WHERE f.kind = 'end' AND o.change IS NULL`,
	"each alert is in the feed":                   `SELECT 'alert of ' || a.store FROM alert a WHERE NOT EXISTS (SELECT 1 FROM feed f WHERE f.kind = 'alert' AND f.alert = a.id)`,
	"an alert that is over has one key at most": `SELECT 'alert of ' || a.store FROM alert a JOIN alert_key k ON k.alert = a.id WHERE a.final = 1
		GROUP BY a.id, a.store HAVING COUNT(*) > 1`,
	"each change of a store is in the feed":  `SELECT 'change ' || s.change FROM store_change s LEFT JOIN feed f ON f.change = s.change WHERE f.kind IS NULL OR f.kind <> 'store'`,
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
	if err := checkTree(t, db); err != nil {
		t.Error(err)
	}
}

// checkTree reckons every stored hash of the log from its leaves, and no other may be there.
func checkTree(t testing.TB, db *sqlstore.DB) error {
	stored := map[int64]tlog.Hash{}
	err := each(db, `SELECT idx, hash FROM loghash`, func(i int64, text string) error {
		b, err := hex.DecodeString(text)
		h := tlog.Hash{}
		copy(h[:], b)
		stored[i] = h
		return err
	})
	if err != nil {
		return err
	}
	read := tlog.HashReaderFunc(func(indexes []int64) (list []tlog.Hash, err error) {
		for _, i := range indexes {
			list = append(list, stored[i])
		}
		return list, nil
	})
	size, right := int64(0), int64(0)
	err = each(db, `SELECT idx, body FROM leaf ORDER BY idx`, func(i int64, body string) error {
		hashes, err := tlog.StoredHashes(i, []byte(body), read)
		for n, h := range hashes {
			if stored[tlog.StoredHashIndex(0, i)+int64(n)] != h {
				return fmt.Errorf("the tree is not that of its leaves, at leaf %d", i)
			}
		}
		size, right = i+1, right+int64(len(hashes))
		return err
	})
	if err == nil && int64(len(stored)) != right {
		err = fmt.Errorf("%d hashes are stored for %d leaves, not %d", len(stored), size, right)
	}
	return err
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
