// SPDX-License-Identifier: Apache-2.0

// Package sqlstore keeps the consent ledger and the alerts in one SQL database.
//
// It serves one node from a SQLite file. Every write is one transaction on one connection, which
// begins by taking the lock (BEGIN IMMEDIATE) and ends on the disk (WAL, synchronous FULL). The SQL
// is that which SQLite and PostgreSQL share; what a driver says of itself is translated here, into
// consent.ErrUnavailable.
package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"doorstep/consent"
	"doorstep/tracking"
)

//go:embed migrations/*.sql
var migrations embed.FS

// readers is how many connections read at once. Readers never wait for the writer.
const readers = 4

// DB is a ledger on a database: a consent.Store and a tracking.AlertStore. Its methods are safe
// for concurrent use.
type DB struct {
	writer *sql.DB    // one connection: writes queue here, not in the database
	reader *sql.DB    // sees every committed write
	turn   turns      // who has it may use writer
	stmts  statements // of writer; used only by who has the turn
	lock   *os.File   // held while open
	now    func() time.Time

	keyring string // path of the keys by which people can be read
}

var (
	_ consent.Store       = (*DB)(nil)
	_ tracking.AlertStore = (*DB)(nil)
)

// Option changes how a database is opened.
type Option func(*DB)

// WithClock sets the server's clock; time.Now if it is not given.
func WithClock(now func() time.Time) Option { return func(db *DB) { db.now = now } }

// Open opens the ledger in a SQLite file, which it creates if there is none, and brings its tables
// up to date. dsn is a path, or "sqlite:" and a path. One process at a time: a second one gets an
// error that wraps ErrInUse. Since no other process can be there, whoever was listed as a node or on
// duty has died, and is struck off.
func Open(ctx context.Context, dsn string, opts ...Option) (*DB, error) {
	path, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	db := &DB{now: time.Now}
	for _, o := range opts {
		o(db)
	}
	if db.lock, err = lockFile(path + ".lock"); err != nil {
		return nil, err
	}
	if err := db.start(ctx, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// parseDSN gives the path of the file.
func parseDSN(dsn string) (string, error) {
	path := strings.TrimPrefix(dsn, "sqlite:")
	if scheme, _, ok := strings.Cut(path, "://"); ok && !strings.ContainsAny(scheme, `/\`) {
		return "", fmt.Errorf("sqlstore: no driver for %s: give the path of a SQLite file", scheme)
	}
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return "", errors.New("sqlstore: a ledger needs a file: give its path")
	}
	return filepath.Abs(path)
}

func (db *DB) start(ctx context.Context, path string) error {
	// Made here, so that it is nobody else's to read; the write-ahead log takes over its mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	if err := migrate(ctx, path); err != nil {
		return err
	}
	if db.writer, err = sql.Open("sqlite", uri(path, "_txlock", "immediate", "_pragma", "synchronous(FULL)", "_pragma", "secure_delete(ON)")); err != nil {
		return unavailable(err)
	}
	db.writer.SetMaxOpenConns(1)
	db.stmts.prepare = db.writer.PrepareContext
	if db.reader, err = sql.Open("sqlite", uri(path, "_pragma", "query_only(ON)")); err != nil {
		return unavailable(err)
	}
	db.reader.SetMaxOpenConns(readers)
	db.reader.SetMaxIdleConns(readers)
	return db.write(ctx, strikeOffAll)
}

func uri(path string, options ...string) string {
	q := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)"}}
	for i := 0; i < len(options); i += 2 {
		q.Add(options[i], options[i+1])
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}

func migrate(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", uri(path, "_pragma", "synchronous(FULL)"))
	if err != nil {
		return unavailable(err)
	}
	defer db.Close()
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("sqlstore: bringing the tables up to date: %w", err)
	}
	return nil
}

// strikeOffAll forgets the nodes and duties of the process that held this file before.
func strikeOffAll(t *tx) error {
	if _, err := t.exec(`DELETE FROM node`); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM duty`)
	return err
}

// Close waits for the write under way and releases the file.
func (db *DB) Close() error {
	var errs []error
	if db.writer != nil {
		// Kept for good: whoever comes after waits for its context.
		patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if db.turn.take(patience, true) != nil {
			errs = append(errs, errors.New("sqlstore: a write is still under way"))
		}
		errs = append(errs, db.stmts.close(), db.writer.Close())
	}
	if db.reader != nil {
		errs = append(errs, db.reader.Close())
	}
	return errors.Join(append(errs, db.lock.Close())...)
}

// unavailable marks what a driver said as the ledger being out of reach.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", consent.ErrUnavailable, err)
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
