// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/sqlstore/postgresserver"
	"doorstep/tracking"
)

// smallDisk is a file system of so many megabytes that goes with the test. It takes the right to mount one.
func smallDisk(t *testing.T, megabytes string) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "disk") // where other users get to, who run a database
	if err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		err = syscall.Mount("doorstep", dir, "tmpfs", 0, "mode=777,size="+megabytes+"m")
	}
	if errors.Is(err, syscall.EPERM) && os.Getenv("CI") != "true" {
		t.Skip("a file system cannot be mounted here: this was not tried")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill leaves no byte of a disk, until release is called.
func fill(h *house, dir string) (release func()) {
	h.Helper()
	name := filepath.Join(dir, "fill")
	f := must(os.Create(name))(h)
	h.ok(f.Chmod(0o666))
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	h.ok(f.Close())
	return func() { h.ok(os.Remove(name)) }
}

// The ledger's disk is full: a withdrawal is an error and no success, tracking stops all the same, nobody is let
// in, and counters say so. With room again the same withdrawal is carried out.
func TestTheLedgersDiskIsFull(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		dir := smallDisk(t, "4")
		diskFull(t, dir, filepath.Join(dir, "ledger.db"), func(context.Context) error { return nil }, func(context.Context) error { return nil })
	})
	t.Run("postgres", func(t *testing.T) {
		dir := smallDisk(t, "160")
		t.Setenv("TMPDIR", dir) // where the server puts its own
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s, err := postgresserver.Start(ctx, "max_wal_size=32MB", "min_wal_size=32MB")
		if errors.Is(err, postgresserver.ErrNoBinary) && os.Getenv("CI") != "true" {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		if err := s.Create(ctx, "ledger", "template0"); err != nil {
			t.Fatal(err)
		}
		useUp := func(ctx context.Context) error { // what the log of writes has in store, until there is no room for more
			for range 10 {
				if err := s.Exec(ctx, "postgres", "SELECT pg_logical_emit_message(false, 'doorstep', repeat('x', 8000000))"); err != nil {
					return nil
				}
			}
			return errors.New("there is room for everything: nothing was tried")
		}
		diskFull(t, dir, s.URL("ledger"), useUp, s.Restart)
	})
}

func diskFull(t *testing.T, dir, dsn string, useUp, restart func(context.Context) error) {
	h := newHouse(t, redis(t))
	db := must(sqlstore.Open(t.Context(), dsn, sqlstore.WithKeyring(filepath.Join(t.TempDir(), "keyring.json"))))(h)
	t.Cleanup(func() { _ = db.Close() })
	h.keepIn(db)
	n := h.start("a")
	ana, v, mei, _ := h.watched(n, n)
	ben := h.shopper("ben", "assist")
	release := fill(h, dir)
	h.ok(useUp(h.Context()))
	failed := n.Stats.PollFailed.Load()

	r := ana.stop(consent.EndStore)
	if a, err := n.End(h.Context(), r); !errors.Is(err, tracking.ErrUnavailable) {
		t.Fatalf("answered %+v, %v on a full disk", a, err)
	}
	if v.phone.end() == "" {
		t.Error("the session goes on, though it may have been ended")
	}
	h.until("nothing is served", func() bool { return !n.Serving() })
	if n.Stats.PollFailed.Load() == failed {
		t.Error("no poll counts as failed, and nothing is served")
	}
	shown := len(mei.got("position"))
	if _, err := n.Open(h.Context(), ben.opening(), &phone{log: h.log}); !errors.Is(err, tracking.ErrUnavailable) {
		t.Errorf("somebody was let in: %v", err)
	}
	equal(h, "accepted", v.at(desk()).Accepted, false)
	h.until("erased", v.tombstone)
	equal(h, "positions shown without a lease", len(mei.got("position")), shown)

	release()
	h.ok(restart(h.Context()))
	h.until("the same withdrawal is answered", func() bool {
		a, err := n.End(h.Context(), r)
		return err == nil && len(a.Ending.Ends) == 1
	})
	a, err := h.ledger.Admit(h.Context(), ana.scope)
	if err != nil || len(a.Grants) != 0 {
		t.Errorf("after the withdrawal: %+v, %v", a, err)
	}
}
