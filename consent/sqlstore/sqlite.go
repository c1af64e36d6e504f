// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqlite opens a file, which it makes if there is none, and locks every other process out.
func sqlite(dsn string) (dialect, error) {
	path, err := sqlitePath(dsn)
	if err != nil {
		return dialect{}, err
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return dialect{}, err
	}
	// Made here, so that it is nobody else's to read; the write-ahead log takes over its mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return dialect{}, errors.Join(fmt.Errorf("sqlstore: %w", err), lock.Close())
	}
	return dialect{
		name: path, schema: goose.DialectSQLite3, close: lock.Close, alone: true, prepares: true,
		open: func(u use) (*sql.DB, error) { return sql.Open("sqlite", sqliteURI(path, u)) },
		// BEGIN IMMEDIATE holds the whole file already. One connection writes: waiting happens here, where a
		// context can end it, and not in the database.
		counter: `SELECT change, tree_size FROM counter WHERE id = 1`,
		writers: 1, readers: 4,
	}, nil
}

func sqlitePath(dsn string) (string, error) {
	path := strings.TrimPrefix(dsn, "sqlite:")
	if scheme, _, ok := strings.Cut(path, "://"); ok && !strings.ContainsAny(scheme, `/\`) {
		return "", fmt.Errorf("sqlstore: no driver for %s: give the path of a SQLite file, or postgres://user@host/database", scheme)
	}
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return "", errors.New("sqlstore: a ledger needs a file: give its path")
	}
	return filepath.Abs(path)
}

// sqliteURI says what a connection is for: a write is on the disk before its commit returns (WAL with
// synchronous FULL), takes its lock at the beginning (else two that read first fail each other), and
// leaves nothing of what it deletes.
func sqliteURI(path string, u use) string {
	q := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)"}}
	switch u {
	case migrating:
		q.Add("_pragma", "synchronous(FULL)")
		q.Add("_pragma", "secure_delete(ON)")
	case writing:
		q.Add("_txlock", "immediate")
		q.Add("_pragma", "synchronous(FULL)")
		q.Add("_pragma", "secure_delete(ON)")
	case reading:
		q.Add("_pragma", "query_only(ON)")
	}
	uri := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return uri.String()
}
