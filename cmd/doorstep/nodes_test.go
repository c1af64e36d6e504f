// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/consent/storetest"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/live/redisserver"
	"doorstep/tracking/server/auth"
)

// twoServers are two server processes' worth on one PostgreSQL and one Redis, with one data folder, as two machines
// share it.
func twoServers(t *testing.T) (a, b *running) {
	t.Helper()
	dev, err := auth.NewDevKey()
	if err != nil {
		t.Fatal(err)
	}
	redis, err := redisserver.Start(t.Context())
	needs(t, !errors.Is(err, redisserver.ErrNoBinary), "redis-server")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	set := settings{data: t.TempDir(), database: storetest.PostgresURL(t), redis: redis.AdminURL(), devKey: dev}
	set.indexes = []*geofence.Index{demoIndex(t)}
	return serveWith(t, set), serveWith(t, set)
}

// same is the same phone of the same shopper, by another server.
func (r *running) same(t *testing.T, a *app) *app {
	t.Helper()
	return r.sameAt(t, a, r.address())
}

// sameAt is same by whichever server is at an address.
func (r *running) sameAt(t *testing.T, a *app, address string) *app {
	t.Helper()
	other := &app{sub: a.sub, key: a.key}
	var err error
	other.Client, err = client.New(client.Config{BaseURL: address, Installation: a.key, Token: func(context.Context) (string, error) {
		return r.devKey.MintShopper(a.sub, "doorstep-test", "adult", 15*time.Minute)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// A withdrawal at one server has ended the session at the other before it is answered; no key of it is left, and
// neither server lets the phone in again.
func TestWithdrawalAtAnotherServer(t *testing.T) {
	here, there := twoServers(t)
	there.console(t, demostore.ID)
	a, s := there.visit(t, insideOf(t, there.indexes[0]))
	if there.node.Sessions() != 1 || here.node.Sessions() != 0 {
		t.Fatalf("%d sessions there and %d here", there.node.Sessions(), here.node.Sessions())
	}
	c, err := here.same(t, a).Withdraw(t.Context(), client.Withdrawal{Scope: "all"})
	if err != nil {
		t.Fatal(err)
	}
	if n := there.node.Sessions(); n != 0 {
		t.Errorf("%d sessions there when the withdrawal was answered", n)
	}
	if c.Receipt == "" || c.Removed.Nodes != 2 {
		t.Errorf("the confirmation is %+v", c)
	}
	if left, err := scanOnce(t, here, s.Welcome().Session); err != nil || left != 0 {
		t.Errorf("%d keys left at the answer (%v)", left, err)
	}
	for _, r := range []*running{here, there} {
		if _, err := r.same(t, a).Connect(t.Context(), demostore.ID, []string{askPurpose}); err == nil {
			t.Error("a withdrawn grant opened another session")
		}
	}
}

// What an operator sets at one server is in force at the other.
func TestStoreIsClosedAtEveryServer(t *testing.T) {
	here, there := twoServers(t)
	if err := here.db.SetClosed(t.Context(), demostore.ID, true, "op"); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for patience := time.After(30 * time.Second); ; {
		if _, closed := there.node.Atlas.Hours(demostore.ID); closed {
			return
		}
		select {
		case <-tick.C:
		case <-patience:
			t.Fatal("it is open there")
		}
	}
}

// While the database is away nothing is asked, nothing granted and nobody let in, and a stop is not acknowledged;
// when it is back, the stop repeated under its id is carried out. Nobody has to start anything anew.
func TestDatabaseGoesAway(t *testing.T) {
	here, there := twoServers(t)
	there.console(t, demostore.ID)
	a, _ := there.visit(t, insideOf(t, there.indexes[0]))
	at := here.same(t, a)
	pg := storetest.PostgresServer(t)
	pg.Kill()
	refused := func(what string, err error) {
		t.Helper()
		var p *client.Problem
		if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: answered %v, not 503", what, err)
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := at.Prompt(short, client.PromptRequest{Store: demostore.ID, Purpose: askPurpose, Lang: "en", Opened: true})
	refused("a prompt", err)
	_, err = at.Connect(short, demostore.ID, []string{askPurpose})
	refused("a session", err)
	stop := client.Withdrawal{ID: uuid.NewString(), Scope: "all"}
	if c, err := at.Withdraw(short, stop); err == nil {
		t.Errorf("a withdrawal was acknowledged without a database: %+v", c)
	}
	again, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := pg.Restart(again); err != nil {
		t.Fatal(err)
	}
	c, err := at.Withdraw(again, stop)
	if err != nil || c.Receipt == "" {
		t.Fatalf("repeated: %+v, %v", c, err)
	}
	if n := there.node.Sessions(); n != 0 {
		t.Errorf("%d sessions there", n)
	}
	if admission, err := here.ledger.Admit(again, scopeOf(here, a)); err != nil || len(admission.Grants) != 0 {
		t.Errorf("after the stop: %+v, %v", admission, err)
	}
}

// scopeOf is the phone in the demonstration's store, as the ledger knows it.
func scopeOf(r *running, a *app) consent.Scope {
	return consent.Scope{Installation: r.ledger.Keys().Installation(a.key.Thumbprint()), Store: demostore.ID}
}
