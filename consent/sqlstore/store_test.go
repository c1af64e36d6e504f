// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
	"doorstep/tracking"
)

func TestMain(m *testing.M) {
	if isWriter() {
		writeUntilKilled()
		return
	}
	goleak.VerifyTestMain(storetest.Main{M: m})
}

var _ tracking.Ledger = (*consent.Ledger)(nil)

func open(t testing.TB, path string, opts ...sqlstore.Option) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), path, opts...)
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

func TestContract(t *testing.T) {
	for name, open := range map[string]func(testing.TB, func() time.Time) *sqlstore.DB{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store { return open(t, now) })
		})
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	db := open(t, path)
	if _, err := sqlstore.Open(t.Context(), path); !errors.Is(err, sqlstore.ErrInUse) {
		t.Fatalf("got %v, want %v", err, sqlstore.ErrInUse)
	}
	if err := db.Join(t.Context(), "n1"); err != nil {
		t.Fatalf("the first one is disturbed: %v", err)
	}
}
