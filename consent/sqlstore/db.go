// SPDX-License-Identifier: Apache-2.0

// Package sqlstore keeps the consent ledger and the alerts in one SQL database: a SQLite file for one node, or
// PostgreSQL for several.
//
// Every write is one transaction, which begins by taking the counter row and ends on the disk; so writes come
// one after the other, on either database. The SQL is that which both share, and dialect is what they do not;
// what a driver says of itself is translated here, into consent.ErrUnavailable.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// DB is a ledger on a database: a consent.Store and a tracking.AlertStore. Its methods are safe
// for concurrent use.
type DB struct {
	dialect
	writer *sql.DB
	reader *sql.DB    // sees every committed write
	turn   *turns     // who has one may use a connection of writer
	stmts  statements // of the one connection of writer, if this is kept here; used only by who has the turn
	now    func() time.Time
	wrote  atomic.Int64 // committed

	keyring string // path of the keys by which people can be read
	ring    *consent.Keyring
	bound   atomic.Bool // the database says that this keyring is its own

	high     highMark // how far the ledger has come, outside of it
	restored bool     // it may be behind that: see AfterRestore
}

var (
	_ consent.Store       = (*DB)(nil)
	_ tracking.AlertStore = (*DB)(nil)
)

// Option changes how a database is opened.
type Option func(*DB)

// WithClock sets the server's clock; time.Now if it is not given.
func WithClock(now func() time.Time) Option { return func(db *DB) { db.now = now } }

// Open opens the ledger and brings its tables up to date. dsn is the path of a SQLite file, which is created
// if there is none ("sqlite:" may stand before it), or the address of a PostgreSQL database,
// "postgres://user:password@host:port/database".
//
// A SQLite file is open in one process at a time: a second one gets an error that wraps ErrInUse. Since no
// other process can be there, whoever was listed as a node or on duty has died, and is struck off. On
// PostgreSQL several processes work side by side, and nodes that died are struck off when their time is over
// (consent.NodeLife). Tables of a newer program are refused with ErrNewer.
func Open(ctx context.Context, dsn string, opts ...Option) (*DB, error) {
	d, err := dialectOf(dsn)
	if err != nil {
		return nil, err
	}
	db := &DB{dialect: d, turn: newTurns(d.writers), now: time.Now}
	for _, o := range opts {
		o(db)
	}
	if err := db.start(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) start(ctx context.Context) (err error) {
	if err := db.loadRing(); err != nil {
		return err
	}
	if err := db.migrate(ctx); err != nil {
		return err
	}
	if err := db.loadRing(); err != nil { // again: another process that starts at the same time may have made it
		return err
	}
	if db.writer, err = db.pool(writing, db.writers); err != nil {
		return err
	}
	if db.reader, err = db.pool(reading, db.readers); err != nil {
		return err
	}
	if db.prepares {
		db.stmts.prepare = db.writer.PrepareContext
	}
	if err := db.fitMark(ctx); err != nil {
		return err
	}
	if err := db.fitRing(ctx); err != nil {
		return err
	}
	if db.alone {
		return db.write(ctx, strikeOffAll)
	}
	return nil
}

func (db *DB) pool(u use, size int) (*sql.DB, error) {
	p, err := db.open(u)
	if err != nil {
		return nil, unavailable(err)
	}
	p.SetMaxOpenConns(size)
	p.SetMaxIdleConns(size)
	return p, nil
}

// CheckAddress tells what is wrong with an address for Open, as far as can be said without opening anything.
func CheckAddress(dsn string) error {
	if isPostgres(dsn) {
		_, err := postgresConfig(dsn)
		return err
	}
	_, err := sqlitePath(dsn)
	return err
}

// Place says which database it is, for people: a path, or a host and the name of a database.
func (db *DB) Place() string { return db.name }

// Commits is how many transactions have been committed to the disk since Open, not counting the marks that nodes
// make of having polled and acknowledged.
func (db *DB) Commits() int64 { return db.wrote.Load() }

// strikeOffAll forgets the nodes and duties of the process that held this file before.
func strikeOffAll(t *tx) error {
	if _, err := t.exec(`DELETE FROM node`); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM duty`)
	return err
}

// Close waits for the writes under way and releases the database.
func (db *DB) Close() error {
	var errs []error
	if db.writer != nil {
		// Kept for good: whoever comes after waits for its context.
		patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		for range db.writers {
			if db.turn.take(patience, true) != nil {
				errs = append(errs, errors.New("sqlstore: a write is still under way"))
				break
			}
		}
		errs = append(errs, db.stmts.close(), db.writer.Close())
	}
	if db.reader != nil {
		errs = append(errs, db.reader.Close())
	}
	db.high.work.Wait()
	return errors.Join(append(errs, db.close())...)
}

// micros is a time as the tables hold it.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
