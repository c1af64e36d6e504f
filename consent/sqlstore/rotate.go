// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"doorstep/consent"
)

// rotate replaces the keys of the buckets of those who go: the others in them are carried over, and those who
// go are left behind. The new keys and the entry are on the disk before the transaction commits.
func (t *tx) rotate(gone []string, j erasedEntry) error {
	if len(gone) == 0 {
		return nil
	}
	n, err := rotations(t.row)
	if err != nil {
		return err
	}
	labels, err := t.labelsOf(gone)
	if err != nil {
		return err
	}
	fresh, err := t.db.ring.Begin(n, labels)
	if err != nil {
		return unavailable(err)
	}
	for _, handle := range gone {
		if _, err := t.exec(`DELETE FROM person WHERE handle = $1`, handle); err != nil {
			return err
		}
	}
	for old, b := range fresh {
		mates, err := t.carryOver(old, b)
		if err != nil {
			return err
		}
		j.Mates = append(j.Mates, mates...)
	}
	j.Rotation = n + 1
	if err := t.db.saveEntry(j); err != nil {
		return unavailable(err)
	}
	clear(t.people)
	return t.countRotation(j.Rotation)
}

func (t *tx) countRotation(n int64) error {
	_, err := t.exec(`UPDATE counter SET rotations = $1 WHERE id = 1`, n)
	return err
}

func (t *tx) labelsOf(handles []string) (labels []string, err error) {
	seen := map[string]bool{}
	for _, handle := range handles {
		var label string
		if err := t.row(`SELECT bucket FROM person WHERE handle = $1`, handle).into(&label); err != nil {
			return nil, err
		}
		if !seen[label] {
			seen[label] = true
			labels = append(labels, label)
		}
	}
	return labels, nil
}

// carryOver puts all who are under a key under another one.
func (t *tx) carryOver(label string, to consent.Bucket) ([]mate, error) {
	from, ok := t.db.ring.Bucket(label)
	if !ok {
		return nil, unavailable(fmt.Errorf("%s has no key for a person: %w", t.db.keyring, errRing))
	}
	var rows []personRow
	err := t.all(func(r *sql.Rows) error {
		var p personRow
		err := r.Scan(p.fields()...)
		rows = append(rows, p)
		return err
	}, `SELECT `+personColumns+` FROM person WHERE bucket = $1`, label)
	var out []mate
	for _, r := range rows {
		if err != nil {
			break
		}
		var key []byte
		var ref consent.Ref
		if key, ref, err = r.open(from); err == nil {
			r.seal(to, key, ref)
			m := mate{r.handle, to.Mark(r.kind, string(ref)), r.bucket, r.sealed}
			out = append(out, m)
			err = t.moveMate(m)
		}
	}
	return out, err
}

func (t *tx) moveMate(m mate) error {
	_, err := t.exec(`UPDATE person SET lookup = $2, bucket = $3, sealed = $4 WHERE handle = $1`, m.Handle, m.Lookup, m.Bucket, m.Sealed)
	return err
}

// settle destroys the keys that a committed rotation replaced.
func (db *DB) settle(ctx context.Context) error {
	if _, begun := db.ring.Rotations(); !begun {
		return nil
	}
	return db.writeNow(ctx, func(t *tx) error {
		n, err := rotations(t.row)
		if err == nil {
			err = unavailable(db.ring.Settle(n))
		}
		return err
	})
}
