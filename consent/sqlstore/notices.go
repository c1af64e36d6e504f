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

// KeepNotices enters notices that come into force, each with a leaf of the log; see consent.Store.
func (db *DB) KeepNotices(ctx context.Context, list []consent.Notice, by string, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		if err := t.lock(); err != nil {
			return err
		}
		added := false
		for _, n := range list {
			is, err := t.keepNotice(n, by, now)
			if err != nil {
				return err
			}
			added = added || is
		}
		if !added {
			return nil
		}
		_, err := t.enter(consent.Entry{Kind: consent.EntryNotice}, "", struct{}{})
		return err
	})
}

// keepNotice reports whether the notice is new. Another text under its name is refused.
func (t *tx) keepNotice(n consent.Notice, by string, now time.Time) (added bool, err error) {
	var before string
	err = t.row(`SELECT hash FROM notice WHERE id = $1 AND version = $2 AND lang = $3`, n.ID, n.Version, n.Lang).into(&before)
	switch {
	case err == nil && before != n.Hash:
		return false, consent.Edited(n, before)
	case !noRow(err):
		return false, err
	}
	body, err := json.Marshal(n)
	if err != nil {
		return false, fmt.Errorf("sqlstore: %w", err)
	}
	if err := t.logNotice(n.Hash, now); err != nil {
		return false, err
	}
	_, err = t.exec(`INSERT INTO notice (hash, id, version, lang, body, by_whom, kept_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		n.Hash, n.ID, n.Version, n.Lang, string(body), by, micros(now))
	return true, err
}

// Notices are all that were ever in force, in the order of their names.
func (db *DB) Notices(ctx context.Context) ([]consent.Notice, error) {
	var out []consent.Notice
	err := db.all(ctx, func(r *sql.Rows) error {
		var hash, body string
		if err := r.Scan(&hash, &body); err != nil {
			return err
		}
		n, err := consent.NoticeFrom([]byte(body), hash)
		out = append(out, n)
		return err
	}, `SELECT hash, body FROM notice ORDER BY id, lang, version`)
	return out, err
}

// noticesAre refuses a decision under rules that are no longer those in force: a notice was published
// since this process read them. Notices are only ever added, so their number tells.
func (t *tx) noticesAre(known int64) error {
	var n int64
	if err := t.row(`SELECT COUNT(*) FROM notice`).into(&n); err != nil {
		return err
	}
	if n != known {
		return consent.ErrNotice
	}
	return nil
}
