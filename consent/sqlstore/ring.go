// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"doorstep/consent"
)

// WithKeyring names the file that holds the keys by which people can be read, outside the database. Without
// it, it lies beside a SQLite file, by the name of that and ".keyring". PostgreSQL needs it, and all processes
// that use one database share the file.
func WithKeyring(path string) Option { return func(db *DB) { db.keyring = path } }

// loadRing reads the keyring, if there is one.
func (db *DB) loadRing() (err error) {
	if db.keyring == "" {
		if !db.alone {
			return errors.New("sqlstore: a ledger on a server needs a keyring in a file of its own: name it")
		}
		db.keyring = db.name + ".keyring"
	}
	db.high.path = db.keyring + ".mark"
	db.ring, err = consent.LoadKeyring(db.keyring)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// needRing makes a keyring for a ledger that never had one.
func (db *DB) needRing() (err error) {
	if db.ring == nil {
		db.ring, err = consent.CreateKeyring(db.keyring)
	}
	return err
}

const ringSetting = "keyring"

// fitRing refuses a keyring that is not the ledger's, and a ledger whose keyring is not there: it would read as
// if nobody had ever been here, and no stop would find anything.
func (db *DB) fitRing(ctx context.Context) error {
	var held string
	err := db.row(ctx, `SELECT value FROM setting WHERE name = $1`, ringSetting).into(&held)
	switch {
	case noRow(err):
		return db.needRing()
	case err != nil:
		return err
	case db.ring == nil:
		return fmt.Errorf("sqlstore: %s is not there: %w", db.keyring, consent.ErrKeyring)
	case db.ring.ID() != held:
		return fmt.Errorf("sqlstore: %s belongs to another ledger: %w", db.keyring, consent.ErrKeyring)
	}
	db.bound.Store(true)
	return db.meetRing(ctx)
}

// bind ties the database to the keyring, before the first person is written under it.
func (t *tx) bind() error {
	if t.db.bound.Load() {
		return nil
	}
	var held string
	err := t.row(`SELECT value FROM setting WHERE name = $1`, ringSetting).into(&held)
	switch {
	case noRow(err):
		if _, err = t.exec(`INSERT INTO setting (name, value) VALUES ($1, $2)`, ringSetting, t.db.ring.ID()); err == nil {
			err = t.needMark()
		}
	case err == nil && held != t.db.ring.ID():
		err = fmt.Errorf("sqlstore: %s belongs to another ledger: %w", t.db.keyring, consent.ErrKeyring)
	case err == nil:
		t.db.bound.Store(true)
	}
	return err
}
