// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorstep/consent/sqlstore"
	"doorstep/consent/sqlstore/postgresserver"
)

// Patient are settings for tests on a machine that is busy with others: no time limit of the database decides.
const Patient = "&lock_timeout=60s&statement_timeout=60s&idle_in_transaction_session_timeout=60s"

// server is the one of this process, started when first asked for.
var server struct {
	sync.Mutex
	*postgresserver.Server
	err       error
	databases atomic.Int64
}

// PostgresServer is a PostgreSQL server that the tests of a package share. Its TestMain runs Main. Where none is installed the test is skipped, or fails if the environment says CI=true.
func PostgresServer(t testing.TB) *postgresserver.Server {
	t.Helper()
	server.Lock()
	defer server.Unlock()
	if server.Server == nil && server.err == nil {
		server.Server, server.err = startServer()
	}
	if errors.Is(server.err, postgresserver.ErrNoBinary) && os.Getenv("CI") != "true" {
		t.Skip(server.err)
	}
	if server.err != nil {
		t.Fatal(server.err)
	}
	return server.Server
}

const pattern = "ledger" // the database that all others are copies of

func startServer() (*postgresserver.Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := postgresserver.Start(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.Create(ctx, pattern, "template0"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	db, err := sqlstore.Open(ctx, s.URL(pattern)+Patient)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, db.Close()
}

// Main runs the tests of a package that uses PostgresServer, and stops the server after them.
type Main struct{ *testing.M }

// Run runs them.
func (m Main) Run() int {
	code := m.M.Run()
	server.Lock()
	defer server.Unlock()
	if server.Server != nil {
		if err := server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}

// PostgresURL is the address of an empty ledger in a database of its own, which goes with the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	s := PostgresServer(t)
	name := fmt.Sprint("test", server.databases.Add(1))
	if err := s.Create(t.Context(), name, pattern); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Drop(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return s.URL(name) + Patient
}

// Postgres opens an empty ledger on PostgreSQL, which goes with the test.
func Postgres(t testing.TB, now func() time.Time) *sqlstore.DB {
	t.Helper()
	return open(t, PostgresURL(t), now)
}
