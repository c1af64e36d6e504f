// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"

	"github.com/pressly/goose/v3"
)

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

// MigrateTo makes the tables as a version before the third made them.
func MigrateTo(ctx context.Context, dsn string, version int64) (err error) {
	d, err := dialectOf(dsn)
	if err != nil {
		return err
	}
	pool, err := d.open(migrating)
	if err != nil {
		return errors.Join(err, d.close())
	}
	defer func() { err = errors.Join(err, pool.Close(), d.close()) }()
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(d.schema, pool, dir)
	if err == nil {
		_, err = p.UpTo(ctx, version)
	}
	return err
}

// Exec runs a statement on tables that no ledger has open.
func Exec(ctx context.Context, dsn, statement string) (err error) {
	d, err := dialectOf(dsn)
	if err != nil {
		return err
	}
	pool, err := d.open(migrating)
	if err != nil {
		return errors.Join(err, d.close())
	}
	_, err = pool.ExecContext(ctx, statement)
	return errors.Join(err, pool.Close(), d.close())
}

// Write runs f in a transaction that holds the counter row.
func (db *DB) Write(ctx context.Context, f func() error) error {
	return db.write(ctx, func(*tx) error { return f() })
}

// Writer is what the ledger writes by.
func (db *DB) Writer() *sql.DB { return db.writer }

// Events are the decisions and ends that are kept, as they are when opened: where their leaf is, and the leaf
// that a decision's record makes.
func (db *DB) Events(ctx context.Context) (out []KeptEvent, err error) {
	for _, kind := range []string{"record", "ending"} {
		var rows []personRow // handle and sealed
		query := `SELECT subject, body FROM ` + kind
		if kind == "ending" {
			query += ` WHERE kind <> 'session'`
		}
		err := db.all(ctx, func(r *sql.Rows) error {
			var row personRow
			err := r.Scan(&row.handle, &row.sealed)
			rows = append(rows, row)
			return err
		}, query)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			p, err := db.person(ctx, row.handle)
			if err != nil {
				return nil, err
			}
			e, err := openEvent(p, kind, row.sealed)
			if err != nil {
				return nil, err
			}
			out = append(out, KeptEvent(e))
		}
	}
	return out, nil
}

// KeptEvent is a decision or an end.
type KeptEvent keptEvent
