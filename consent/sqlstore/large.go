// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorstep/consent"
)

// prunedAtOnce is how many rows of a large table go in one transaction, so that nothing waits for it.
const prunedAtOnce = 500

// large are tables that may have very many rows and no order by age, and which rows go: $1 is the time before which they are old, $2 is now.
func large(proof time.Duration) []aging {
	return []aging{
		{"outbox", "change", `entered_at < $1`, consent.FeedLife},
		{"alert", "id", `changed_at < $1`, consent.AlertLife}, // open, if every server was away: its visit is long over
		{"record", "id", `live = 0 AND decided_at < $1 AND ended_at < $1 AND NOT ` + heldSpan("record.store", "record.decided_at"), proof},
		{"stop_token", "hash", `given_at < $1 AND NOT EXISTS (SELECT 1 FROM record r WHERE r.live = 1
			AND r.subject = stop_token.subject AND r.installation = stop_token.installation AND r.store = stop_token.store)`, proof},
	}
}

// aging is a table of which rows go by their keys.
type aging struct {
	table, key, due string
	life            time.Duration
}

// pruneLarge looks through large tables by a reader, since to do so takes longer than anybody should wait for a turn to write. What it
// finds goes row by row, if it is still due.
func (db *DB) pruneLarge(ctx context.Context, now time.Time, proof time.Duration) error {
	for _, old := range large(proof) {
		args := []any{micros(now.Add(-old.life))}
		if strings.Contains(old.due, "$2") {
			args = append(args, micros(now))
		}
		for more := true; more; {
			keys, err := db.keysDue(ctx, old, args)
			if err == nil && len(keys) > 0 {
				err = db.write(ctx, func(t *tx) error { return t.deleteDue(old, keys, args) })
			}
			if err != nil {
				return err
			}
			more = len(keys) == prunedAtOnce
		}
	}
	return nil
}

// keysDue are the keys of some rows that go.
func (db *DB) keysDue(ctx context.Context, old aging, args []any) (keys []any, err error) {
	err = db.all(ctx, func(r *sql.Rows) error {
		var key any
		err := r.Scan(&key)
		keys = append(keys, key)
		return err
	}, `SELECT `+old.key+` FROM `+old.table+` WHERE `+old.due+fmt.Sprintf(` LIMIT %d`, prunedAtOnce), args...)
	return keys, err
}

func (t *tx) deleteDue(old aging, keys, args []any) error {
	query := fmt.Sprintf(`DELETE FROM %s WHERE %s = $%d AND %s`, old.table, old.key, len(args)+1, old.due)
	for _, key := range keys {
		if _, err := t.exec(query, append(slices.Clone(args), key)...); err != nil {
			return err
		}
	}
	return nil
}
