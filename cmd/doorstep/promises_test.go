// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/cmd/doorstep/demostore"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/live"
)

// With a grant missing, refused, withdrawn, expired or for another store, no fix is accepted and Redis
// is never told anything about that shopper.
func TestWithoutAGrantNothingIsAccepted(t *testing.T) {
	mall := mallIndex(t)
	r := serveStores(t, demoIndex(t), mall)
	r.console(t, demostore.ID)
	r.console(t, mall.Site().ID)
	redis := tapRedis(t, r.scanURL)
	for name, prepare := range map[string]func(t *testing.T, a *app){
		"missing":            func(*testing.T, *app) {},
		"refused":            func(t *testing.T, a *app) { a.decide(t, demostore.ID, "no") },
		"not now":            func(t *testing.T, a *app) { a.decide(t, demostore.ID, "not_now") },
		"for another store":  func(t *testing.T, a *app) { a.decide(t, mall.Site().ID, "visit") },
		"of another purpose": func(t *testing.T, a *app) { a.decideFor(t, demostore.ID, "pickup", "visit") },
		"of the same shopper": func(t *testing.T, a *app) {
			other := r.app(t)
			other.sub = a.sub
			other.decide(t, demostore.ID, "visit")
		},
		"of somebody else on the same phone": func(t *testing.T, a *app) {
			owner := a.sub
			a.decide(t, demostore.ID, "visit")
			a.sub = "canary-" + uuid.NewString()
			t.Cleanup(func() { a.sub = owner })
		},
		"withdrawn": func(t *testing.T, a *app) {
			a.decide(t, demostore.ID, "term")
			if _, err := a.Withdraw(t.Context(), client.Withdrawal{Scope: "store", Store: demostore.ID}); err != nil {
				t.Fatal(err)
			}
		},
		"expired": func(t *testing.T, a *app) {
			a.decide(t, demostore.ID, "visit")
			r.expire(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := r.app(t)
			prepare(t, a)
			before := len(redis.heard("ds:{" + demostore.ID + "}:v:"))
			_, err := a.Connect(t.Context(), demostore.ID, []string{askPurpose})
			var p *client.Problem
			if !errors.As(err, &p) || p.Code != "not_granted" || p.Status != 403 || p.Remedy == "" {
				t.Fatalf("connecting answered %v, not the problem not_granted", err)
			}
			if after := redis.heard("ds:{" + demostore.ID + "}:v:"); len(after) != before {
				t.Errorf("Redis was told about the shopper: %v", after[before:])
			}
		})
	}
	if n := r.node.Stats.Fixes.Load(); n != 0 {
		t.Errorf("%d fixes were taken", n)
	}
}

// expire moves the ledger's clock past the end of every grant for a visit, until the test ends.
func (r *running) expire(t *testing.T) {
	t.Helper()
	r.ahead.Store(int64(72 * time.Hour))
	t.Cleanup(func() { r.ahead.Store(0) })
}

// A withdrawal under way of a visit: once it is answered nothing is left of the visit, and the grant
// opens no other.
func TestWithdrawalLeavesNothing(t *testing.T) {
	r := serveStores(t)
	r.console(t, demostore.ID)
	a, s := r.visit(t, insideOf(t, r.indexes[0]))
	c, err := a.Withdraw(t.Context(), client.Withdrawal{Scope: "all"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Receipt == "" || c.Removed.Nodes != 1 {
		t.Errorf("the confirmation is %+v", c)
	}
	if left, err := scanOnce(t, r, s.Welcome().Session); err != nil || left != 0 {
		t.Errorf("%d keys left at the answer (%v)", left, err)
	}
	if _, err := a.Connect(t.Context(), demostore.ID, []string{askPurpose}); err == nil {
		t.Error("a withdrawn grant opened another session")
	}
}

func scanOnce(t *testing.T, r *running, visit string) (int, error) {
	t.Helper()
	s, stop, err := r.scanner(t.Context())
	if err != nil {
		return 0, err
	}
	defer stop()
	return s.Left(visit)
}

// A walk that leaves the store, from a phone that does not hold the fence and sends everything: not
// one coordinate from outside reaches Redis, a console, a log or the ledger's files; and neither do
// the shopper's id or the phone's key anywhere but where they were sent.
func TestNothingFromOutsideGoesAnywhere(t *testing.T) {
	t.Run("own store", func(t *testing.T) { nothingFromOutside(t, demoIndex(t)) })
	t.Run("real mall", func(t *testing.T) { nothingFromOutside(t, mallIndex(t)) })
}

func nothingFromOutside(t *testing.T, x *geofence.Index) {
	r := serveStores(t, x)
	w := r.console(t, x.Site().ID)
	redis := tapRedis(t, r.scanURL)
	a, s := r.visit(t, insideOf(t, x))
	alert := callForHelp(t, s, w, true)
	look(t, s, w, alert)
	inside, outside := leave(t, s, x)
	if _, err := w.Until(t.Context(), alert, func(a crowd.Seen) time.Time { return a.Gone }); err != nil {
		t.Fatal(err)
	}
	if len(outside) < 3 || len(inside) < 3 {
		t.Fatalf("the walk had %d fixes inside and %d outside", len(inside), len(outside))
	}
	views, err := a.Journal(t.Context())
	if err != nil || len(views) != 1 || views[0].Team != "Shoes" || views[0].Purpose != askPurpose || views[0].OpenedT == 0 {
		t.Errorf("the journal of the one look holds %+v, %v", views, err)
	}
	shown := w.Totals().Shown
	for _, p := range shown {
		if !x.Locate(x.Site().Frame().LatLng(p[0], p[1]), 0, false).Inside {
			t.Error("the console was shown a position outside")
		}
	}
	if len(shown) == 0 {
		t.Error("the console was shown nothing at all: this test would see nothing")
	}
	r.stop()
	logs, files := r.logs.String(), ledgerFiles(t, r.dir)
	heard := 0
	for _, p := range inside {
		heard += len(redis.heard(kept(p)))
	}
	if heard == 0 {
		t.Error("Redis was told no position inside: this test would see nothing")
	}
	within := make(map[string]bool) // who leaves due east keeps the latitude of the way inside
	for _, p := range inside {
		within[digits(p.Lat)], within[digits(p.Lng)] = true, true
	}
	only := 0
	for _, p := range outside {
		if found := redis.heard(kept(p)); len(found) > 0 {
			t.Errorf("Redis was told a place outside: %v", found)
		}
		for _, c := range []string{digits(p.Lat), digits(p.Lng)} {
			if within[c] {
				continue
			}
			only++
			if found := redis.heard(c); len(found) > 0 {
				t.Errorf("Redis was told a coordinate outside: %v", found)
			}
		}
	}
	if only < len(outside) {
		t.Errorf("of %d fixes outside only %d coordinates are none of the way inside: this test sees too little", len(outside), only)
	}
	for _, p := range append(inside, outside...) {
		for _, c := range []string{digits(p.Lat), digits(p.Lng)} {
			if strings.Contains(logs, c) || strings.Contains(files, c) {
				t.Errorf("a coordinate is in the log or in the ledger's files")
			}
		}
	}
	for _, id := range []string{a.sub, a.key.Thumbprint()} {
		if strings.Contains(logs, id) || strings.Contains(files, id) || len(redis.heard(id)) > 0 {
			t.Errorf("an id was written down in plain text")
		}
	}
}

// digits is a coordinate to some 10 cm, as it would be printed.
func digits(v float64) string {
	text := strconv.FormatFloat(v, 'f', 9, 64)
	return text[:len(text)-3]
}

// ledgerFiles is all that the server wrote to its folder, but for the keys.
func ledgerFiles(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	if all.Len() < 4096 {
		t.Fatalf("only %d bytes in %d files: the ledger is not here", all.Len(), len(entries))
	}
	return all.String()
}

// A phone that vanishes without goodbye: within the lease nothing about it is left, and the console
// knows that its location is off. The request itself stays.
func TestVanishedPhone(t *testing.T) {
	t.Parallel()
	r := serveStores(t)
	w := r.console(t, demostore.ID)
	_, s := r.visit(t, insideOf(t, r.indexes[0]))
	alert := callForHelp(t, s, w, false)
	visit := s.Welcome().Session
	if left, err := scanOnce(t, r, visit); err != nil || left != 1 {
		t.Fatalf("%d keys (%v) before: this test would see nothing", left, err)
	}
	vanished := time.Now()
	s.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
	defer cancel()
	off, err := w.Until(ctx, alert, func(a crowd.Seen) time.Time { return a.Off })
	if err != nil {
		t.Fatal("the console was never told that the location is off")
	}
	if took := off.Sub(vanished); took > 33*time.Second {
		t.Errorf("it took %v, the lease is 30 s", took)
	}
	if left, err := scanOnce(t, r, visit); err != nil || left != 0 {
		t.Errorf("%d keys (%v) are left after the lease", left, err)
	}
	if r.node.Sessions() != 0 {
		t.Errorf("the node still has %d sessions", r.node.Sessions())
	}
}

// The rest of what an app may ask, held against the specification as it is answered.
func TestAnswersFitTheSpecification(t *testing.T) {
	r := serveStores(t)
	r.console(t, demostore.ID)
	a := r.app(t)
	if err := a.SyncTime(t.Context()); err != nil {
		t.Error(err)
	}
	stores, err := a.Stores(t.Context())
	if err != nil || len(stores) != 1 {
		t.Fatalf("%d stores, %v", len(stores), err)
	}
	if _, err := a.Fence(t.Context(), stores[0].ID, stores[0].Fence); err != nil {
		t.Error(err)
	}
	me, err := a.Me(t.Context(), demostore.ID)
	if err != nil || len(me.Grants) != 0 || !me.MayPrompt {
		t.Errorf("before the decision: %+v, %v", me, err)
	}
	a.decide(t, demostore.ID, "term")
	me, err = a.Me(t.Context(), demostore.ID)
	if err != nil || len(me.Grants) != 1 || me.Grants[0].Purpose != askPurpose || me.Grants[0].VisitOnly {
		t.Errorf("after the decision: %+v, %v", me, err)
	}
	if views, err := a.Journal(t.Context()); err != nil || len(views) != 0 {
		t.Errorf("%d views, %v", len(views), err)
	}
	for _, path := range []string{"/v1/cards/" + demostore.ID, "/.well-known/jwks.json", "/v1/stores/none/fences/x"} {
		resp, err := (&http.Client{Transport: schooled{t}}).Get(r.address() + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
}

// In a fitting room there is no dot: the position is not written anywhere, and a call for help from
// there is seen without a place.
func TestNoDotInSensitiveZones(t *testing.T) {
	r := serveStores(t)
	x := r.indexes[0]
	var room *geofence.Zone
	for i, z := range x.Site().Levels[1].Zones {
		if z.Sensitive {
			room = &x.Site().Levels[1].Zones[i]
		}
	}
	if room == nil {
		t.Fatal("the demonstration's store has no sensitive zone upstairs")
	}
	w := r.console(t, demostore.ID)
	redis := tapRedis(t, r.scanURL)
	ring := room.Shape[0][0]
	in := geofence.LatLng{Lat: (ring[0].Lat + ring[2].Lat) / 2, Lng: (ring[0].Lng + ring[2].Lng) / 2}
	if at := x.Locate(in, 1, true); at.N == 0 || !at.Zones[0].Sensitive {
		t.Fatal("the middle of the fitting room is not in it")
	}
	_, s := r.visit(t, in)
	alert := callForHelp(t, s, w, true)
	look(t, s, w, alert)
	pace := time.NewTicker(300 * time.Millisecond)
	defer pace.Stop()
	for range 9 { // as many as are acknowledged at once
		<-pace.C
		if err := s.Fix(client.Fix{T: time.Now().UnixMilli(), Lat: in.Lat, Lng: in.Lng, AccuracyM: 6, Source: "sim"}); err != nil {
			t.Fatal(err)
		}
	}
	await(t, s, func(a client.Ack) bool { return a.AcceptedSeq == a.Seq && a.Seq > 2 })
	if found := append(redis.heard(kept(in)), redis.heard(digits(in.Lat))...); len(found) > 0 {
		t.Errorf("a position in a fitting room was written: %v", found)
	}
	if len(redis.heard(live.KeyOf(demostore.ID, s.Welcome().Session))) == 0 {
		t.Error("Redis was told nothing of the visit: this test would see nothing")
	}
	if n := w.Totals().Dots; n != 0 {
		t.Errorf("%d dots were shown from a fitting room", n)
	}
}

// A Redis that dies and comes back empty: the phone is told to come back, not that it was replaced, and
// is taken in again without a new decision.
func TestRedisRestart(t *testing.T) {
	r := serveStores(t)
	r.console(t, demostore.ID)
	at := insideOf(t, r.indexes[0])
	a, s := r.visit(t, at)
	r.redis.Kill()
	pace := time.NewTicker(500 * time.Millisecond)
	defer pace.Stop()
	closed := make(chan client.Closed, 1)
	go func() {
		for e := range s.Events() {
			if c, ok := e.(client.Closed); ok {
				closed <- c
			}
		}
	}()
	for waiting := true; waiting; {
		select {
		case c := <-closed:
			if !c.Retry || c.Code != 4005 {
				t.Fatalf("closed with %+v", c)
			}
			waiting = false
		case <-pace.C:
			_ = s.Fix(client.Fix{T: time.Now().UnixMilli(), Lat: at.Lat, Lng: at.Lng, AccuracyM: 6, Source: "sim"})
		}
	}
	var again *client.Session
	err := crowd.Patiently(t.Context(), func() (err error) {
		again, err = a.Connect(t.Context(), demostore.ID, []string{askPurpose})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	enter(t, again, at)
}
