// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"doorstep/consent/sqlstore"
)

// SQLite opens an empty ledger in a file of its own, which goes with the test.
func SQLite(t testing.TB, now func() time.Time) *sqlstore.DB {
	t.Helper()
	return open(t, SQLiteFile(t), now)
}

// SQLiteFile is the path of an empty ledger, which goes with the test. The file is a copy of one that was brought up
// to date once: under the race detector the migrations would take most of a test's time.
func SQLiteFile(t testing.TB) (path string) {
	t.Helper()
	data, err := template()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// open opens a ledger that is closed with the test.
func open(t testing.TB, dsn string, now func() time.Time) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), dsn, sqlstore.WithClock(now), sqlstore.WithKeyring(filepath.Join(t.TempDir(), "keyring.json")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var template = sync.OnceValues(func() (data []byte, err error) {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ledger.db")
	db, err := sqlstore.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
