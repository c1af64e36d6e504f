// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent/storetest"
	"doorstep/mobile-sdk-spec/go/client"
)

// A backup from before a withdrawal is put in place while no server runs: none starts on it, and each says what to do. Once
// that is done, nobody whose grant is in the backup is let in without being asked anew.
func TestAnOldBackupIsNotServed(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		d := alone(t)
		files := func(from, to string) {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				data, err := os.ReadFile(filepath.Join(d.data, from+suffix))
				if errors.Is(err, os.ErrNotExist) {
					err = os.RemoveAll(filepath.Join(d.data, to+suffix))
				} else if err == nil {
					err = os.WriteFile(filepath.Join(d.data, to+suffix), data, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		restoreUnder(d, func() { files("ledger.db", "copy") }, func() { files("copy", "ledger.db") })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		pg := storetest.PostgresServer(t)
		name := "restored" + strings.ReplaceAll(uuid.NewString(), "-", "")
		d := together(t, "DOORSTEP_DATABASE="+pg.URL(name)+storetest.Patient)
		replace := func(to, from string) {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			for { // the connections of who was killed go by themselves
				err := errors.Join(pg.Drop(ctx, to), pg.Create(ctx, to, from))
				if err == nil {
					return
				}
				select {
				case <-ctx.Done():
					t.Fatal(err)
				case <-time.After(50 * time.Millisecond):
				}
			}
		}
		replace(name, "ledger")
		t.Cleanup(func() {
			for _, n := range []string{name, name + "_copy"} {
				if err := pg.Drop(context.Background(), n); err != nil {
					t.Error(err)
				}
			}
		})
		restoreUnder(d, func() { replace(name+"_copy", name) }, func() { replace(name, name+"_copy") })
	})
}

func restoreUnder(d *deployment, take, putBack func()) {
	s := d.start()
	front := d.witnessed(s.address)
	ana, ben := d.app(front), d.app(front)
	for _, a := range []*app{ana, ben} {
		a.decide(d.T, demostore.ID, "term")
	}
	s.kill(d.T)
	take()
	s = d.start()
	if c, err := d.sameAt(ana, d.witnessed(s.address)).Withdraw(d.Context(), client.Withdrawal{Scope: "all"}); err != nil || c.Receipt == "" {
		d.Fatalf("%+v, %v", c, err)
	}
	s.kill(d.T)
	putBack()
	for range 2 {
		s, err := d.tryStart()
		if err == nil || !strings.Contains(s.said.String(), "`doorstep ledger restored`") {
			d.Fatalf("it was served: %v: %s", err, s.said)
		}
	}
	args := []string{"ledger", "restored", "--data", d.data}
	for _, v := range d.env {
		if at, ok := strings.CutPrefix(v, "DOORSTEP_DATABASE="); ok {
			args = append(args, "--database", at)
		}
	}
	out, errs, status := command(d.T, "", args...)
	if status != 0 || !strings.Contains(out, "in force of 2 shoppers has ended") || !strings.Contains(out, "generation 2") {
		d.Fatalf("exit status %d: %s%s", status, out, errs)
	}
	s = d.start()
	for _, a := range []*app{ana, ben} {
		if _, err := d.sameAt(a, s.address).Connect(d.Context(), demostore.ID, []string{askPurpose}); !refusedGrant(err) {
			d.Errorf("let in by a grant from the backup: %v", err)
		}
	}
	d.sameAt(ben, s.address).decide(d.T, demostore.ID, "visit") // and asked anew, may agree anew
}
