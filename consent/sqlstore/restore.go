// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"doorstep/consent"
)

// meetRing makes the database and the keyring agree, before anything is served. Either counts the erasures:
//
//	the same, nothing begun             as it should be
//	the same, one begun                 a crash before the commit: taken back, and done anew by FinishErasures;
//	                                    or, if the database knows nothing of it, a backup from before it
//	the database one ahead, that begun  a crash after the commit: the old keys go
//	the database behind                 a backup was restored: the erasures since then are done again in it
//	the database further ahead          the keyring is an old copy: refused, it cannot read who is there
func (db *DB) meetRing(ctx context.Context) error {
	err := db.write(ctx, func(t *tx) error {
		if err := db.ring.Reload(); err != nil {
			return unavailable(err)
		}
		has, err := rotations(t.row)
		if err != nil {
			return err
		}
		settled, begun := db.ring.Rotations()
		last := settled
		if begun && has <= settled {
			happened, err := t.happened(settled + 1)
			if err != nil {
				return err
			}
			if happened {
				last++
			}
		}
		switch {
		case has > settled+1 || has > settled && !begun:
			return fmt.Errorf("sqlstore: %s counts %d erasures, the ledger %d: %w", db.keyring, settled, has, consent.ErrKeyring)
		case has < last:
			return t.replay(has, last)
		case begun && has == settled:
			return db.dropEntry(settled + 1)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return db.settle(ctx)
}

// happened tells of an erasure whose new keys are there beside the old ones whether it was committed, in this
// database or in the one of which it is an older copy. It was not if it is still to be done here, or if nothing was written of it.
func (t *tx) happened(rotation int64) (bool, error) {
	j, err := t.db.loadEntry(rotation)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	e, err := erasureOf(t.row, j.Row)
	if errors.Is(err, consent.ErrNoErasure) {
		return true, nil
	}
	return e.done != 0, err
}

// replay does the erasures again that a restored backup does not know of. Those who went go; the others of
// their buckets are put under the keys that are there now.
func (t *tx) replay(has, last int64) error {
	settled, _ := t.db.ring.Rotations()
	for n := has + 1; n <= last; n++ {
		j, err := t.db.loadEntry(n)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: the backup is from before erasure %d, of which %s tells no more: "+
				"restore a younger one", consent.ErrKeyring, n, t.db.keyring+".erasures")
		}
		if err != nil {
			return err
		}
		if err := t.eraseAgain(j); err != nil {
			return err
		}
	}
	if last > settled { // whoever came after the backup's time and is still under a key that goes
		if err := t.carryRest(); err != nil {
			return err
		}
	}
	if err := t.countRotation(last); err != nil {
		return err
	}
	return t.newGeneration()
}

func (t *tx) newGeneration() error {
	_, err := t.exec(`UPDATE setting SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'ledger_generation'`)
	return err
}

func (t *tx) eraseAgain(j erasedEntry) error {
	if err := t.removeRows(j.Gone, map[string]int64{}); err != nil {
		return err
	}
	for _, handle := range j.Gone {
		if _, err := t.exec(`DELETE FROM person WHERE handle = $1`, handle); err != nil {
			return err
		}
	}
	for _, m := range j.Mates {
		if err := t.moveMate(m); err != nil {
			return err
		}
	}
	if err := t.saveProofs(j.Proofs); err != nil {
		return err
	}
	return t.saveErasure(j.Row, j.At, j.Body)
}

// carryRest puts those under the new keys who are still under old ones.
func (t *tx) carryRest() error {
	for old, b := range t.db.ring.Following() {
		if _, err := t.carryOver(old, b); err != nil {
			return err
		}
	}
	return nil
}
