// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
	"doorstep/tracking"
)

func run(t *testing.T, dsn, statement string) {
	t.Helper()
	if err := sqlstore.Exec(t.Context(), dsn, statement); err != nil {
		t.Fatal(err)
	}
}

func withKeyring(t *testing.T) sqlstore.Option {
	t.Helper()
	return sqlstore.WithKeyring(filepath.Join(t.TempDir(), "keyring.json"))
}

// An acknowledged write has been synced, and a write sees what was committed before it: whatever the server, the role
// or the address itself would have it.
func TestPostgresConnectionsAreSetForDurability(t *testing.T) {
	dsn := storetest.PostgresURL(t)
	for _, setting := range []string{"synchronous_commit", "default_transaction_isolation", "default_transaction_read_only"} {
		value := map[string]string{"synchronous_commit": "off", "default_transaction_isolation": "serializable", "default_transaction_read_only": "on"}[setting]
		run(t, dsn, "ALTER ROLE doorstep SET "+setting+" = '"+value+"'")
		t.Cleanup(func() {
			if err := sqlstore.Exec(context.Background(), dsn, "ALTER ROLE doorstep RESET "+setting); err != nil {
				t.Error(err)
			}
		})
	}
	db := open(t, dsn+"&synchronous_commit=off&options=-c%20synchronous_commit%3Doff", withKeyring(t))
	for setting, want := range map[string][2]string{
		"synchronous_commit": {"on", "on"}, "transaction_isolation": {"read committed", "read committed"}, "transaction_read_only": {"off", "on"},
	} {
		var writes, reads string
		err := errors.Join(db.Writer().QueryRow("SHOW "+setting).Scan(&writes), db.Reader().QueryRow("SHOW "+setting).Scan(&reads))
		if err != nil || writes != want[0] || reads != want[1] {
			t.Errorf("%s: %s for writing and %s for reading, %v", setting, writes, reads, err)
		}
	}
	if err := db.Join(t.Context(), "n1"); err != nil {
		t.Error(err)
	}
}

// What is wrong with a server is said with what to do about it, and without the password.
func TestPostgresIsRefused(t *testing.T) {
	dsn, pg := storetest.PostgresURL(t), storetest.PostgresServer(t)
	refused := func(what, dsn, says string) {
		t.Helper()
		db, err := sqlstore.Open(t.Context(), dsn, withKeyring(t))
		if db != nil {
			_ = db.Close()
		}
		u, _ := url.Parse(dsn)
		password, _ := u.User.Password()
		if err == nil || !errors.Is(err, consent.ErrUnavailable) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("no such database", pg.URL("nowhere"), "create it with createdb")
	other, _ := url.Parse(dsn)
	other.User = url.UserPassword("doorstep", "hunter2")
	refused("a wrong password", other.String(), "does not let this user in")
	run(t, pg.URL("postgres"), "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
	refused("another encoding", pg.URL("ascii"), "create it with ENCODING 'UTF8'")
	refused("nobody there", "postgres://me:hunter2@127.0.0.1:1/ledger", "connection refused: is PostgreSQL running there?")
	refused("a setting that it does not know", dsn+"&no_such_setting=1", "no_such_setting")
	run(t, pg.URL("postgres"), "CREATE ROLE guest LOGIN PASSWORD 'hunter2'")
	other.User = url.UserPassword("guest", "hunter2")
	refused("a user who owns nothing", other.String(), "be the user's own")
	refused("a pooler", throughPooler(t, dsn, pg.Socket()), "connect to the server itself")
	run(t, pg.URL("postgres"), "ALTER SYSTEM SET fsync = off")
	reload := func() { run(t, pg.URL("postgres"), "SELECT pg_reload_conf()") }
	reload()
	t.Cleanup(func() {
		_ = sqlstore.Exec(context.Background(), pg.URL("postgres"), "ALTER SYSTEM RESET fsync")
		_ = sqlstore.Exec(context.Background(), pg.URL("postgres"), "SELECT pg_reload_conf()")
	})
}

// throughPooler is the address of something that hands connections on, and, as a pooler does, gives out a number of its
// own for the process behind.
func throughPooler(t *testing.T, dsn, socket string) string {
	t.Helper()
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", socket)
			if err != nil {
				t.Error(err)
				return
			}
			all.Go(func() { _, _ = io.Copy(server, client); _ = server.Close() })
			all.Go(func() { renumber(client, server); _ = client.Close() })
		}
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	return u.String()
}

// renumber hands on what a server says, with another number of its process.
func renumber(to io.Writer, from io.Reader) {
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		if head[0] == 'K' {
			binary.BigEndian.PutUint32(body, binary.BigEndian.Uint32(body)+1)
		}
		if _, err := to.Write(append(head, body...)); err != nil {
			return
		}
	}
}

// While the server is away every method says so, nothing is admitted and nothing asked; when it is back, the same
// ledger goes on.
func TestPostgresGoesAway(t *testing.T) {
	dsn, pg := storetest.PostgresURL(t), storetest.PostgresServer(t)
	db := open(t, dsn, withKeyring(t))
	l := consent.New(db, consent.NewKeys(), consent.DevelopmentRegistry(), time.Now)
	ctx, p := t.Context(), shopper(l.Keys(), "ana")
	if err := p.grant(ctx, l); err != nil {
		t.Fatal(err)
	}
	q, err := p.ask(ctx, l)
	if err != nil {
		t.Fatal(err)
	}
	pg.Kill()
	stop := consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn}
	for what, do := range map[string]func() error{
		"admit":  func() error { _, err := l.Admit(ctx, p.scope()); return err },
		"prompt": func() error { _, err := p.ask(ctx, l); return err },
		"decide": func() error { _, err := l.Decide(ctx, p.answer(q, consent.ForATerm)); return err },
		"end":    func() error { _, err := l.End(ctx, stop); return err },
		"enter":  func() error { return l.Enter(ctx, consent.Entered{Scope: p.scope()}) },
		"due":    func() error { _, err := l.Due(ctx, time.Now(), 10); return err },
		"look": func() error {
			return l.OpenView(ctx, consent.View{ID: "v", Store: "shop", Visit: "x", Reader: "s1", Purpose: "assist"})
		},
		"raise": func() error {
			_, _, err := db.RaiseAlert(ctx, tracking.Alert{ID: "a", Store: "shop", Visit: "x"})
			return err
		},
		"alerts": func() error { _, _, err := db.Alerts(ctx, "shop"); return err },
		"join":   func() error { return db.Join(ctx, "n1") },
		"poll":   func() error { _, err := db.Poll(ctx, "n1", 0); return err },
		"ack":    func() error { return db.Ack(ctx, "n1", 1) },
		"prune":  func() error { return l.Prune(ctx) },
		"log":    func() error { _, err := l.TreeHead(ctx); return err },
		"stores": func() error { _, err := db.Stores(ctx); return err },
	} {
		if err := do(); !errors.Is(err, consent.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	again, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := pg.Restart(again); err != nil {
		t.Fatal(err)
	}
	if a, err := l.Admit(ctx, p.scope()); err != nil || len(a.Grants) != 1 {
		t.Errorf("what was granted before: %+v, %v", a, err)
	}
	if e, err := l.End(ctx, stop); err != nil || e.Repeated || len(e.Ends) != 1 {
		t.Errorf("the stop, repeated: %+v, %v", e, err)
	}
	checkWhole(t, db)
}

// Connections that the server has cut cost one error each at most.
func TestPostgresCutsConnections(t *testing.T) {
	dsn := storetest.PostgresURL(t)
	db := open(t, dsn, withKeyring(t))
	for round := range 3 {
		if err := db.Join(t.Context(), "n1"); err != nil {
			t.Fatal(err)
		}
		run(t, dsn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		failed := 0
		for db.Join(t.Context(), "n1") != nil {
			if failed++; failed > 8 {
				t.Fatalf("round %d: it does not come back", round)
			}
		}
	}
}

// A process that hangs with the counter row in its hand is cut off: the others go on, and its own write, which has
// not been acknowledged, has not happened.
func TestHangingProcessIsCutOff(t *testing.T) {
	dsn, keyring := storetest.PostgresURL(t), withKeyring(t)
	hung := open(t, strings.Replace(dsn, "idle_in_transaction_session_timeout=60s", "idle_in_transaction_session_timeout=50ms", 1), keyring)
	other := open(t, dsn, keyring)
	holds, goOn, done := make(chan bool), make(chan bool), make(chan error)
	go func() {
		done <- hung.Write(t.Context(), func() error { close(holds); <-goOn; return nil })
	}()
	<-holds
	if err := other.SetClosed(t.Context(), "shop", true, "op"); err != nil {
		t.Errorf("the other process: %v", err)
	}
	close(goOn)
	if err := <-done; !errors.Is(err, consent.ErrUnavailable) {
		t.Errorf("the one that hung: %v", err)
	}
	if err := hung.SetClosed(t.Context(), "shop", false, "op"); err != nil {
		t.Errorf("its next write: %v", err)
	}
}

// Somebody who holds the tables makes a write fail in time, and not wait for ever: by the server's limit, or by the
// caller's.
func TestHeldTableIsNotWaitedForForEver(t *testing.T) {
	dsn, keyring := storetest.PostgresURL(t), withKeyring(t)
	holder := open(t, dsn, keyring)
	limited := open(t, strings.Replace(dsn, "lock_timeout=60s", "lock_timeout=20ms", 1), keyring)
	err := holder.Write(t.Context(), func() error {
		if err := limited.Join(t.Context(), "n1"); !errors.Is(err, consent.ErrUnavailable) || !strings.Contains(err.Error(), "55P03") {
			t.Errorf("with a limit: %v", err)
		}
		patient := open(t, dsn, keyring)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := patient.Join(ctx, "n1"); !errors.Is(err, consent.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a deadline: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := limited.Join(t.Context(), "n1"); err != nil {
		t.Error(err)
	}
}

// processes are two on one database, which know of each other only through it.
func processes(t *testing.T) (dbs [2]*sqlstore.DB, ledgers [2]*consent.Ledger) {
	t.Helper()
	dsn, keyring, keys := storetest.PostgresURL(t), withKeyring(t), consent.NewKeys()
	for i := range dbs {
		dbs[i] = open(t, dsn, keyring)
		ledgers[i] = consent.New(dbs[i], keys, consent.DevelopmentRegistry(), time.Now)
	}
	return dbs, ledgers
}

// Two processes race for everything that can be raced for: one decision a served notice, one end an id, a
// withdrawal that wins over a grant, and each change once and in order, whoever polls.
func TestTwoProcessesRace(t *testing.T) {
	dbs, ls := processes(t)
	ctx, keys := t.Context(), ls[0].Keys()
	if err := dbs[0].Join(ctx, "n0"); err != nil {
		t.Fatal(err)
	}
	stop, polled := make(chan bool), make(chan error)
	go func() { polled <- pollInOrder(ctx, dbs[0], stop) }()
	for i := range 20 {
		p := shopper(keys, fmt.Sprint("ana", i))
		q, err := p.ask(ctx, ls[0])
		if err != nil {
			t.Fatal(err)
		}
		r := consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn}
		var all sync.WaitGroup
		var mu sync.Mutex
		granted, first := map[string]bool{}, 0
		for n := range 6 {
			all.Go(func() {
				d, err := ls[n%2].Decide(ctx, p.answer(q, consent.ForATerm))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					granted[d.Receipt] = true
				} else if !errors.Is(err, consent.ErrServed) {
					t.Error(err)
				}
			})
			if n < 2 {
				continue
			}
			all.Go(func() {
				e, err := ls[n%2].End(ctx, r)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				} else if !e.Repeated {
					first++
				}
			})
		}
		all.Wait()
		a, err := ls[1].Admit(ctx, p.scope())
		if err != nil || len(a.Grants) != 0 || len(granted) > 1 || first != 1 {
			t.Errorf("%d decisions, %d ends, grants %v, %v", len(granted), first, a.Grants, err)
		}
	}
	close(stop)
	if err := <-polled; err != nil {
		t.Error(err)
	}
	checkWhole(t, dbs[1])
}

// pollInOrder polls until it is stopped, and once more.
func pollInOrder(ctx context.Context, db *sqlstore.DB, stop <-chan bool) error {
	for since, last := int64(0), false; ; {
		f, err := db.Poll(ctx, "n0", since)
		if err != nil {
			return err
		}
		for _, e := range f.Entries {
			if since++; e.Change != since {
				return fmt.Errorf("change %d follows %d", e.Change, since-1)
			}
		}
		if since != f.Change {
			return fmt.Errorf("the feed ends at %d and says %d", since, f.Change)
		}
		if last && !f.More {
			return nil
		}
		select {
		case <-stop:
			last = true
		default:
		}
	}
}

// A node joins while another process ends things: either the end waits for it, or it knows of the end.
func TestJoiningRacesAnEnd(t *testing.T) {
	dbs, ls := processes(t)
	ctx, keys := t.Context(), ls[0].Keys()
	for i := range 25 {
		p, node := shopper(keys, fmt.Sprint("ben", i)), fmt.Sprint("node", i)
		if err := p.grant(ctx, ls[0]); err != nil {
			t.Fatal(err)
		}
		var e consent.Ending
		var a consent.Admission
		var both sync.WaitGroup
		both.Go(func() {
			var err error
			if e, err = ls[0].End(ctx, consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn}); err != nil {
				t.Error(err)
			}
		})
		both.Go(func() {
			err := dbs[1].Join(ctx, node)
			if err == nil {
				a, err = ls[1].Admit(ctx, p.scope())
			}
			if err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if awaited := strings.Contains(strings.Join(e.Nodes, " ")+" ", node+" "); len(a.Grants) > 0 && !awaited {
			t.Errorf("%s admits what was ended, and nobody waits for it: %v", node, e.Nodes)
		}
	}
}

// At midnight the first process whose clock gets there makes the day's key, and the other finds by it what that one wrote.
func TestDayBreaksAtOneProcessFirst(t *testing.T) {
	dsn, keyring, keys := storetest.PostgresURL(t), withKeyring(t), consent.NewKeys()
	var times [2]atomic.Int64
	var dbs [2]*sqlstore.DB
	var ls [2]*consent.Ledger
	for i := range dbs {
		now := func() time.Time { return time.Unix(times[i].Load(), 0) }
		times[i].Store(time.Date(2026, 11, 22, 23, 59, 40, 0, time.UTC).Unix())
		dbs[i] = open(t, dsn, keyring, sqlstore.WithClock(now))
		ls[i] = consent.New(dbs[i], keys, consent.DevelopmentRegistry(), now)
	}
	ctx, p := t.Context(), shopper(keys, "ana")
	for day := range 3 {
		if err := p.grant(ctx, ls[day%2]); err != nil {
			t.Fatal(err)
		}
		times[0].Add(25) // over midnight, which the other reaches later
		q, err := p.ask(ctx, ls[0])
		if err == nil {
			_, err = ls[1].Decide(ctx, p.answer(q, consent.ForATerm))
		}
		if err != nil {
			t.Errorf("day %d: asked at one, decided at the other: %v", day, err)
		}
		a, err := ls[1].Admit(ctx, p.scope())
		if err != nil {
			t.Fatal(err)
		}
		r := consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndSession, Scope: p.scope(), Visit: a.Visit, Reason: consent.Bye}
		first, err := ls[0].End(ctx, r)
		if err != nil || first.Repeated {
			t.Errorf("day %d: ended at one: %+v, %v", day, first, err)
		}
		if second, err := ls[1].End(ctx, r); err != nil || !second.Repeated || second.Change != first.Change {
			t.Errorf("day %d: the same at the other: %+v, %v", day, second, err)
		}
		times[1].Add(25)
		for i := range times {
			times[i].Add(24*60*60 - 25)
		}
		checkWhole(t, dbs[1])
	}
}
