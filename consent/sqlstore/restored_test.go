// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
)

// kept is a ledger with a copy of it, on either database.
type kept struct {
	*testing.T
	dsn     string
	ring    string
	copy    func() // as it is now; nobody has it open
	putBack func() // in its place
	keys    consent.Keys
	db      *sqlstore.DB
	l       *consent.Ledger
}

func eachKept(t *testing.T, f func(k *kept)) {
	t.Run("sqlite", func(t *testing.T) {
		dsn := storetest.SQLiteFile(t)
		move := func(from, to string) func() {
			return func() {
				data, err := os.ReadFile(from)
				if err == nil {
					err = os.WriteFile(to, data, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		f(newKept(t, dsn, move(dsn, dsn+".copy"), move(dsn+".copy", dsn)))
	})
	t.Run("postgres", func(t *testing.T) {
		s := storetest.PostgresServer(t)
		name := "kept" + strings.ReplaceAll(uuid.NewString(), "-", "")
		move := func(from, to string) func() {
			return func() {
				if err := errors.Join(s.Drop(t.Context(), to), s.Create(t.Context(), to, from)); err != nil {
					t.Fatal(err)
				}
			}
		}
		move("ledger", name)()
		t.Cleanup(func() {
			if err := errors.Join(s.Drop(context.Background(), name), s.Drop(context.Background(), name+"_copy")); err != nil {
				t.Error(err)
			}
		})
		f(newKept(t, s.URL(name)+storetest.Patient, move(name, name+"_copy"), move(name+"_copy", name)))
	})
}

func newKept(t *testing.T, dsn string, take, putBack func()) *kept {
	k := &kept{T: t, dsn: dsn, ring: filepath.Join(t.TempDir(), "keyring.json"), copy: take, putBack: putBack, keys: consent.NewKeys()}
	k.open()
	t.Cleanup(func() { _ = k.db.Close() })
	return k
}

func (k *kept) tryOpen(opts ...sqlstore.Option) error {
	db, err := sqlstore.Open(k.Context(), k.dsn, append(opts, sqlstore.WithKeyring(k.ring))...)
	if err == nil {
		k.db, k.l = db, consent.New(db, k.keys, consent.DevelopmentRegistry(), time.Now)
		err = k.l.Bind(k.Context())
	}
	return err
}

func (k *kept) ok(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

func (k *kept) open(opts ...sqlstore.Option) {
	k.Helper()
	k.ok(k.tryOpen(opts...))
}

func (k *kept) reopen() {
	k.Helper()
	k.ok(k.db.Close())
	k.open()
}

func (k *kept) admit(p person) consent.Admission {
	k.Helper()
	a, err := k.l.Admit(k.Context(), p.scope())
	k.ok(err)
	return a
}

// stop withdraws and acknowledges.
func (k *kept) stop(p person) consent.Ending {
	k.Helper()
	e, err := k.l.End(k.Context(), consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn})
	k.ok(err)
	k.ok(k.l.Remember(k.Context(), e.Change))
	return e
}

// A copy from before an acknowledged end is refused, whoever tries to start on it and however often. Once it is said to be
// restored, everything in it has ended, no visit is called like one that was, and the log of it is sound.
func TestAnOlderCopyIsRefused(t *testing.T) {
	eachKept(t, func(k *kept) {
		ana, ben := shopper(k.keys, "ana"), shopper(k.keys, "ben")
		for _, p := range []person{ana, ben} {
			k.ok(p.grant(k.Context(), k.l))
		}
		pending, err := ben.ask(k.Context(), k.l)
		k.ok(err)
		k.ok(k.db.Close())
		k.copy()
		k.open()
		names := map[string]bool{k.admit(ana).Visit: true, k.admit(ben).Visit: true}
		for range 3 { // visits of which the copy knows nothing
			k.stop(ana)
			k.ok(ana.grant(k.Context(), k.l))
			names[k.admit(ana).Visit] = true
		}
		last := k.stop(ana)
		k.reopen() // the ledger itself is not refused
		k.ok(k.db.Close())
		k.putBack()
		for range 2 {
			if err := k.tryOpen(); !errors.Is(err, consent.ErrRestored) || !strings.Contains(err.Error(), "doorstep ledger restored") {
				k.Fatalf("opened: %v", err)
			}
		}
		k.open(sqlstore.AfterRestore())
		n, err := k.db.Restored(k.Context(), k.l)
		if err != nil || n != 2 {
			k.Fatalf("%d ended, %v", n, err)
		}
		k.reopen()
		for _, p := range []person{ana, ben} {
			if a := k.admit(p); len(a.Grants) != 0 {
				k.Errorf("in force again: %+v", a)
			}
		}
		if _, err := k.db.Served(k.Context(), pending.ServedID, time.Now()); !errors.Is(err, consent.ErrServed) {
			k.Errorf("a notice that was served before: %v", err)
		}
		if g, err := k.db.Generation(k.Context()); err != nil || g != 2 {
			k.Errorf("generation %d, %v", g, err)
		}
		k.ok(k.db.Join(k.Context(), "n1"))
		if _, err := k.db.Poll(k.Context(), "n1", last.Change); !errors.Is(err, consent.ErrBehind) {
			k.Errorf("a node that knew the ledger that is lost goes on: %v", err)
		}
		for _, p := range []person{ana, ben, shopper(k.keys, "new")} {
			k.ok(p.grant(k.Context(), k.l))
			if a := k.admit(p); len(a.Grants) != 1 || names[a.Visit] {
				k.Errorf("granted again: %+v", a)
			}
		}
		k.sound()
	})
}

// sound wants the audit to find nothing.
func (k *kept) sound() {
	k.Helper()
	x, err := sqlstore.OpenEvidence(k.Context(), k.dsn, sqlstore.WithKeyring(k.ring))
	k.ok(err)
	defer x.Close()
	r, err := consent.Audit(k.Context(), x, k.keys, nil, time.Now())
	if err != nil || len(r.Findings) != 0 {
		k.Errorf("the audit says %+v, %v", r.Findings, err)
	}
}

// An older copy that is put in place under a running process is neither polled nor written to: its count must not come up
// to the mark by itself.
func TestAnOlderCopyUnderARunningProcess(t *testing.T) {
	eachKept(t, func(k *kept) {
		ana := shopper(k.keys, "ana")
		k.ok(ana.grant(k.Context(), k.l))
		k.ok(k.db.Join(k.Context(), "n1"))
		change := k.stop(ana).Change
		for what, by := range map[string]int64{"behind": -1, "as it was": 0} {
			if strings.HasPrefix(k.dsn, "postgres") {
				run(k.T, k.dsn, fmt.Sprintf("UPDATE counter SET change = %d", change+by))
			} else if by < 0 {
				continue // two processes cannot have it: only the mark can move
			}
			_, polled := k.db.Poll(k.Context(), "n1", 0)
			written := k.db.SetDuty(k.Context(), "n1", what, []string{consent.EveryPurpose}, time.Now().Add(time.Hour), time.Now())
			for _, err := range []error{polled, written} {
				if by < 0 != (errors.Is(err, consent.ErrRestored) && errors.Is(err, consent.ErrUnavailable)) {
					k.Errorf("%s: %v", what, err)
				}
			}
		}
	})
}

// The mark must be there once anybody is in the ledger; a ledger from before there were marks gets one; and one in which
// nobody was ever written takes up where the former of the same keys ended.
func TestTheMarkMustBeThere(t *testing.T) {
	eachKept(t, func(k *kept) {
		k.ok(k.db.Close())
		k.copy() // nobody is in it
		k.open()
		ana := shopper(k.keys, "ana")
		k.ok(ana.grant(k.Context(), k.l))
		last := k.stop(ana)
		k.ok(k.db.Close())
		mark := k.ring + ".mark"
		was, err := os.ReadFile(mark)
		k.ok(err)
		k.ok(os.Remove(mark))
		if err := k.tryOpen(); !errors.Is(err, consent.ErrRestored) || !strings.Contains(err.Error(), "is not there") {
			k.Errorf("without its mark: %v", err)
		}
		k.ok(os.WriteFile(mark, []byte("spoiled"), 0o600))
		if err := k.tryOpen(); err == nil || !strings.Contains(err.Error(), "restore the newest copy") {
			k.Errorf("with a spoiled one: %v", err)
		}
		k.ok(os.WriteFile(mark, was, 0o600))
		k.open()
		k.ok(k.db.Close())
		k.putBack()
		k.open()
		ben := shopper(k.keys, "ben")
		k.ok(ben.grant(k.Context(), k.l))
		if e := k.stop(ben); e.Change <= last.Change {
			k.Errorf("a new ledger counts %d, the one before it counted %d", e.Change, last.Change)
		}
	})
}
