// SPDX-License-Identifier: Apache-2.0

package sqlstore

import "database/sql"

// Reader lets tests look at the tables themselves.
func (db *DB) Reader() *sql.DB { return db.reader }

// WithPools lets a test stand between the ledger and its connections.
func WithPools(wrap func(*sql.DB) *sql.DB) Option {
	return func(db *DB) {
		open := db.open
		db.open = func(u use) (*sql.DB, error) {
			p, err := open(u)
			if err != nil || u != writing {
				return p, err
			}
			return wrap(p), nil
		}
	}
}
