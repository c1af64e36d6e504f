// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"doorstep/consent"
)

// Prune forgets what has outlived its time; see the lives in package consent. Proof is the life of what proves consent,
// from the last that happened to it. Nodes that have gone silent are struck off, with what was on duty through them. Then
// the keys of the days go under which all was.
func (db *DB) Prune(ctx context.Context, now time.Time, proof time.Duration) error {
	if err := db.pruneLarge(ctx, now, proof); err != nil {
		return err
	}
	err := db.write(ctx, func(t *tx) error {
		if err := t.pruneFeed(now); err != nil {
			return err
		}
		for _, old := range []struct {
			query string
			life  time.Duration
		}{
			{`DELETE FROM webhook WHERE happened < $1`, consent.FeedLife},
			{`DELETE FROM alert_key WHERE entered_at < $1`, consent.FeedLife},
			{`DELETE FROM ending WHERE kind = 'session' AND ended_at < $1`, consent.FeedLife},
			{`DELETE FROM booking WHERE due_at < $1`, consent.BookingLife},
			{`DELETE FROM refused_read WHERE refused_at < $1`, consent.JournalLife},
			{`DELETE FROM motion WHERE moved_at < $1`, consent.MotionWait},
			{`DELETE FROM stay WHERE opened_at < $1`, consent.EnteredLife},
			{`DELETE FROM disclosure WHERE at < $1`, consent.AuditLife},
			{`DELETE FROM hold WHERE until < $1`, consent.AuditLife},
			{`DELETE FROM store_change WHERE changed_at < $1`, consent.AuditLife},
			{`UPDATE notice SET by_whom = '' WHERE kept_at < $1 AND by_whom <> ''`, consent.AuditLife},
			{`UPDATE app_suspension SET lifted_by = '' WHERE since < $1 AND lifted_by <> ''`, consent.AuditLife},
			{`DELETE FROM served WHERE expires_at < $1`, 0},
			{`DELETE FROM duty WHERE until < $1`, consent.NodeLife},
			{`DELETE FROM sign_in WHERE ends_at < $1`, 0},
			{`DELETE FROM erasure WHERE done_at > 0 AND done_at < $1`, consent.ErasureLife},
		} {
			if _, err := t.exec(old.query, micros(now.Add(-old.life))); err != nil {
				return err
			}
		}
		if err := t.pruneHeld(now, proof); err != nil {
			return err
		}
		if err := t.pruneCounts(now); err != nil {
			return err
		}
		if err := t.forgetStrangers(); err != nil { // after all that they are known by
			return err
		}
		return t.pruneNodes(now.Add(-consent.NodeLife))
	})
	if err == nil {
		err = db.forgetEntries(now)
	}
	if err == nil {
		_, err = freshen(db.ring, db.asker(ctx)) // keys that another node destroyed go from this one's memory
	}
	if err == nil && db.ring.OldDays(now) {
		err = db.write(ctx, func(*tx) error { return unavailable(db.ring.DropDays(now)) })
	}
	return err
}

// pruneHeld forgets reads, and what proves consent and is in order by age, unless a legal hold keeps them. A decision is kept while what
// was granted by it lasts, and so are the stop tokens of its scope: see large.
func (t *tx) pruneHeld(now time.Time, proof time.Duration) error {
	if _, err := t.exec(`DELETE FROM look WHERE opened_at < $1 AND NOT `+heldSpan("look.store", "look.opened_at"), micros(now.Add(-consent.JournalLife)), micros(now)); err != nil {
		return err
	}
	for _, kind := range []consent.EndKind{consent.EndGrant, consent.EndStore, consent.EndAll} { // one by one, since they are in order by kind first
		if _, err := t.exec(`DELETE FROM ending WHERE kind = $1 AND ended_at < $2`, string(kind), micros(now.Add(-proof))); err != nil {
			return err
		}
	}
	_, err := t.exec(`DELETE FROM proof WHERE until < $1 AND NOT `+heldLeaf("proof.log_index"), micros(now))
	return err
}

// pruneFeed remembers how far it went: a node that stands before that has missed something.
func (t *tx) pruneFeed(now time.Time) error {
	if err := t.lock(); err != nil {
		return err
	}
	var last sql.NullInt64
	if err := t.row(`SELECT MAX(change) FROM feed WHERE entered_at < $1`, micros(now.Add(-consent.FeedLife))).into(&last); err != nil {
		return err
	}
	return t.forgetFeed(last)
}

// forgetFeed forgets the feed up to a change, if there is one.
func (t *tx) forgetFeed(last sql.NullInt64) error {
	if !last.Valid {
		return nil
	}
	if _, err := t.exec(`DELETE FROM feed WHERE change <= $1`, last.Int64); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE counter SET floor = $1 WHERE id = 1`, last.Int64)
	return err
}

func (t *tx) pruneNodes(before time.Time) error {
	var silent []string
	err := t.all(func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		silent = append(silent, id)
		return err
	}, `SELECT id FROM node WHERE polled_at < $1`, micros(before))
	for _, id := range silent {
		if err == nil {
			err = t.strikeOff(id, before)
		}
	}
	if err != nil {
		return fmt.Errorf("sqlstore: silent nodes: %w", err)
	}
	return nil
}
