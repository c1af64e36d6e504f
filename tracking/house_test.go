// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
	"doorstep/geofence"
	"doorstep/tracking"
	"doorstep/tracking/canary"
	"doorstep/tracking/live"
)

func TestMain(m *testing.M) {
	// A connection that ends while a wire is cut may leave this one of the proxy behind: it is not ours to end.
	goleak.VerifyTestMain(storetest.Main{M: m}, goleak.IgnoreTopFunction("github.com/Shopify/toxiproxy/v2/toxics.(*NoopToxic).Pipe"))
}

// The stores of a house. The second one is the same building under another name.
const (
	shop  = demostore.ID
	annex = "annex"
)

// house is a deployment for a test: a real ledger in a file of its own, a live state, and nodes as the
// test starts them. Everything that is told to somebody goes into one log, in the order in which it was.
type house struct {
	*testing.T
	keys   consent.Keys
	db     *sqlstore.DB
	ledger *consent.Ledger
	live   tracking.Live
	memory *live.Memory // live, unless the test brought another
	clock  *clock
	log    *record
	said   *canary.Aviary // by the nodes, in their logs

	history history // of visits that are withdrawn
}

// inBubble runs f with a house in which time passes only when everybody waits.
func inBubble(t *testing.T, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newHouse(t, nil)) })
}

// newHouse makes a house on the given live state, or on one in memory.
func newHouse(t *testing.T, l tracking.Live) *house {
	return newHouseOn(t, l, consent.NewKeys(), storetest.SQLite)
}

// newHouseOn makes it with these keys, and its ledger in a database that open opens for as long as the test runs.
func newHouseOn(t *testing.T, l tracking.Live, k consent.Keys, open func(testing.TB, func() time.Time) *sqlstore.DB) *house {
	c := &clock{start: time.Now()}
	h := &house{T: t, keys: k, clock: c, log: &record{clock: c}, said: canary.New(t), live: l}
	if l == nil {
		h.memory = live.NewMemory(c.Now)
		h.live = h.memory
		t.Cleanup(func() { h.ok(h.memory.Close()) })
	}
	h.keepIn(open(t, c.Now))
	return h
}

// keepIn has the house's ledger in a database.
func (h *house) keepIn(db *sqlstore.DB) {
	h.db, h.ledger = db, consent.New(db, h.keys, consent.DevelopmentRegistry(), h.clock.Now)
}

// parts are what a node depends on; several may lead to the same database and live state.
type parts struct {
	db     *sqlstore.DB
	ledger *consent.Ledger
	live   tracking.Live
}

func (h *house) parts() parts { return parts{h.db, h.ledger, h.live} }

// clock is the bubble's time, or the machine's outside of one; boot can be moved ahead of it, as if
// the machine had slept, and the wall clock be wrong.
type clock struct {
	start       time.Time
	slept, skew atomic.Int64
}

func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.skew.Load())) }

func (c *clock) Boot() time.Duration {
	return time.Hour + time.Since(c.start) + time.Duration(c.slept.Load())
}

// node is a node under test, with a tap on each of the parts that it depends on.
type node struct {
	*tracking.Node
	h      *house
	ledger *ledgerTap
	live   *liveTap
	stop   func()
}

// start runs a node until the test ends, and waits until it has heard from the ledger.
func (h *house) start(id string) *node {
	h.Helper()
	return h.startOn(id, h.parts())
}

// startOn is start with parts of the node's own.
func (h *house) startOn(id string, p parts) *node {
	h.Helper()
	n := h.makeOf(id, h.clock, p)
	h.run(n)
	<-n.Started()
	return n
}

// make makes a node that does not run yet.
func (h *house) make(id string, c tracking.Clock) *node { return h.makeOf(id, c, h.parts()) }

func (h *house) makeOf(id string, c tracking.Clock, p parts) *node {
	n := &node{h: h}
	n.ledger = &ledgerTap{Ledger: p.ledger, tap: newTap(), log: h.log}
	n.live = &liveTap{Live: p.live, tap: newTap()}
	n.Node = tracking.New(tracking.Config{
		ID: id, Ledger: n.ledger, Alerts: p.db, Live: n.live, Atlas: tracking.NewAtlas(indexes()...), Clock: c,
		Stores: p.db, ReadMap: readMap,
		Rules: geofence.DefaultRules(), Log: h.said.Log(),
		Prove: func(alert string, e consent.End, _ time.Time) string { return proof(alert, e.Change) },
	})
	return n
}

func proof(alert string, change int64) string { return fmt.Sprintf("signed %s %d", alert, change) }

func (h *house) run(n *node) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.Errorf("node %s: %v", n.ID, err)
		}
	})
	h.Cleanup(n.stop)
}

var indexes = sync.OnceValue(func() []*geofence.Index {
	src, err := demostore.Sources()
	if err != nil {
		panic(err)
	}
	var out []*geofence.Index
	for _, id := range []string{shop, annex} {
		for i := range src {
			src[i].Data = bytes.ReplaceAll(src[i].Data, []byte(shop), []byte(id))
		}
		site, _, err := geofence.Load(id, src...)
		if err != nil {
			panic(err)
		}
		x, err := geofence.NewIndex(site)
		if err != nil {
			panic(err)
		}
		out = append(out, x)
	}
	return out
})

// pass lets time go by. Only for a house in a bubble.
func (h *house) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// until waits for something to become true that is only a matter of time.
func (h *house) until(what string, f func() bool) {
	h.Helper()
	for range 2000 {
		if f() {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
	h.Fatalf("never came about: %s", what)
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// must hands on a value, or fails.
func must[T any](v T, err error) func(*house) T {
	return func(h *house) T {
		h.Helper()
		h.ok(err)
		return v
	}
}

func equal[T comparable](h *house, what string, got, want T) {
	h.Helper()
	if got != want {
		h.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
