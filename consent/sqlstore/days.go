// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"fmt"

	"doorstep/consent"
)

// day makes sure that there is a key for the day of the transaction, and that it is known here, whichever node has
// made it; and that of a day which another node's clock may have reached.
func (t *tx) day() error {
	_, today := t.db.ring.Day(t.now)
	if _, soon := t.db.ring.Day(t.now.Add(clockSkew)); today && soon {
		return nil
	}
	if err := t.lock(); err != nil {
		return err
	}
	return unavailable(t.db.ring.MakeDays(t.now))
}

// mark is an id that lives for a day at most, as it is written.
func (t *tx) mark(kind, id string) (string, error) {
	if err := t.day(); err != nil {
		return "", err
	}
	key, _ := t.db.ring.Day(t.now)
	return key.Mark(kind, id), nil
}

// marks are the forms in which mark may have written an id that is still alive: always three, to look for.
func (t *tx) marks(kind, id string) [3]string { return t.db.ring.DayMarks(t.now, kind, id) }

// marks is the same outside a transaction.
func (db *DB) marks(kind, id string) [3]string {
	if _, ok := db.ring.Day(db.now()); !ok {
		_ = db.ring.Reload() // another node may have made it; if it cannot be read, nothing is found
	}
	return db.ring.DayMarks(db.now(), kind, id)
}

// sealDay makes text readable for a day at least and two at most. Place says what it is, and has to be the
// same when it is opened.
func (t *tx) sealDay(place string, text []byte) (string, error) {
	if err := t.day(); err != nil {
		return "", err
	}
	sealed, err := t.db.ring.SealDay(t.now, place, text)
	if err != nil {
		err = fmt.Errorf("sqlstore: %w", err)
	}
	return sealed, err
}

// openDay reads what sealDay made.
func openDay(ring *consent.Keyring, place, sealed string) ([]byte, error) {
	text, err := ring.OpenDay(place, sealed)
	if err != nil {
		err = fmt.Errorf("sqlstore: %s: %w", place, err)
	}
	return text, err
}
