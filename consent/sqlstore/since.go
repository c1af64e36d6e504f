// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"fmt"

	"doorstep/consent"
	"doorstep/tracking"
)

// sinceMost is how many pages of the feed are read for a console that comes back: with more, all it can be shown anew is shorter.
const sinceMost = 4

// AlertsSince lists the alerts of a store that have changed after a change number; see tracking.AlertStore.
func (db *DB) AlertsSince(ctx context.Context, store string, since int64) (changed []tracking.Alert, change int64, err error) {
	err = db.mark(ctx, func(t *tx) error {
		change = since
		for page := range sinceMost + 1 {
			feed, err := t.feedAfter(change)
			if err == nil && (change == 0 || page == sinceMost) {
				err = consent.ErrBehind
			}
			if err == nil {
				err = t.fillAlerts(feed.Entries)
			}
			if err != nil {
				return err
			}
			change = feed.Change
			for _, e := range feed.Entries {
				if e.Kind != consent.EntryAlert || e.Store != store || e.Body == nil {
					continue
				}
				a, ok := tracking.ParseAlert(e.Body)
				if !ok {
					return fmt.Errorf("sqlstore: an alert in the feed cannot be read")
				}
				changed = append(changed, a)
			}
			if !feed.More {
				return nil
			}
		}
		return nil
	})
	return changed, change, err
}

// AlertEpoch names what change numbers count from: another one after a restore, and in any other ledger.
func (db *DB) AlertEpoch(ctx context.Context) (string, error) {
	var generation string
	err := db.row(ctx, `SELECT value FROM setting WHERE name = 'ledger_generation'`).into(&generation)
	if err != nil {
		return "", err
	}
	return db.ring.Mark("alert epoch", generation)[:16], nil
}
