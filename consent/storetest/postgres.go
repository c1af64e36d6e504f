// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
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
	err  error
	made int      // databases
	free []string // of them, those that are empty and nobody's
}

// PostgresServer is a PostgreSQL server that the tests of a package share. Its TestMain runs Main. Where none is
// installed the test is skipped, or fails if the environment says CI=true.
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
	dir, err := os.MkdirTemp("", "keyring")
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	defer os.RemoveAll(dir) // nobody is in it: a copy begins with a keyring of its own
	db, err := sqlstore.Open(ctx, s.URL(pattern)+Patient, sqlstore.WithKeyring(filepath.Join(dir, "keyring.json")))
	if err == nil {
		err = db.Close()
	}
	if err == nil {
		err = s.Exec(ctx, pattern, keepPristine)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// A database is emptied and used again: to make one takes longer than most tests.
const (
	keepPristine = `DO $$ DECLARE t TEXT; BEGIN
		CREATE SCHEMA pristine;
		FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
			EXECUTE format('CREATE TABLE pristine.%I AS TABLE public.%I', t, t);
		END LOOP; END $$`
	makePristine = `DO $$ DECLARE t TEXT; BEGIN
		SET LOCAL session_replication_role = replica; -- in whatever order
		FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'pristine' LOOP
			EXECUTE format('DELETE FROM public.%I', t);
			EXECUTE format('INSERT INTO public.%I SELECT * FROM pristine.%I', t, t);
		END LOOP; END $$`
)

// lend gives out an empty database.
func lend(ctx context.Context) (name string, err error) {
	server.Lock()
	defer server.Unlock()
	if n := len(server.free); n > 0 {
		name, server.free = server.free[n-1], server.free[:n-1]
		return name, nil
	}
	server.made++
	name = fmt.Sprint("test", server.made)
	return name, server.Create(ctx, name, pattern)
}

func takeBack(name string) error {
	if err := server.Exec(context.Background(), name, makePristine); err != nil {
		return err
	}
	server.Lock()
	defer server.Unlock()
	server.free = append(server.free, name)
	return nil
}

// Main runs the tests of a package that uses PostgresServer, and stops the server after them.
type Main struct {
	M interface{ Run() int }
}

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

// PostgresURL is the address of an empty ledger in a database of its own, for as long as the test runs.
func PostgresURL(t testing.TB) string {
	t.Helper()
	s := PostgresServer(t)
	name, err := lend(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := takeBack(name); err != nil {
			t.Error(err)
		}
	})
	return s.URL(name) + Patient
}

// PostgresBare is the address of a database without any tables. It stays until the server goes.
func PostgresBare(t testing.TB) string {
	t.Helper()
	s := PostgresServer(t)
	server.Lock()
	defer server.Unlock()
	server.made++
	name := fmt.Sprint("bare", server.made)
	if err := s.Create(t.Context(), name, "template0"); err != nil {
		t.Fatal(err)
	}
	return s.URL(name) + Patient
}

// Postgres opens an empty ledger on PostgreSQL, which goes with the test.
func Postgres(t testing.TB, now func() time.Time) *sqlstore.DB {
	t.Helper()
	return open(t, PostgresURL(t), now)
}
