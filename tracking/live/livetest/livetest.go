// SPDX-License-Identifier: Apache-2.0

// Package livetest is the contract of tracking.Live as tests. Every implementation runs it.
package livetest

import (
	"context"
	"strconv"
	"testing"
	"time"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

// Fixture is an empty live state with what a test needs beside it.
type Fixture struct {
	Live tracking.Live
	// Late is another client of the same state, whose writes always arrive past their deadline; nil
	// where nothing lies between a client and the state.
	Late tracking.Live
	// Pass lets time pass for everything that has an expiry.
	Pass func(d time.Duration)
	// Keys lists what is stored, whoever put it there, under the names that visits have in Redis.
	Keys func() []live.Key
}

// Run runs the contract; open makes a fixture that lives as long as its test.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Fixture)
	}{
		{"Register", testRegister},
		{"Register/newest owner wins", testNewestOwner},
		{"Write/results", testWriteResults},
		{"Write/long batches", testLongBatch},
		{"Write/a visit twice", testTwice},
		{"Write/several stores", testSeveralStores},
		{"Write/no lease left", testNoLease},
		{"Write/late", testLate},
		{"Blank", testBlank},
		{"Read", testRead},
		{"Owners", testOwners},
		{"Purge", testPurge},
		{"Purge/beats a late write", testPurgeBeatsWrite},
		{"Purge/fence life", testFenceLife},
		{"Expiry", testExpiry},
		{"Expiry/every key has one", testEveryKeyExpires},
		{"Stores are apart", testStoresApart},
		{"Publish", testPublish},
		{"Publish/with the write", testShown},
		{"Publish/only what was written", testShownOnlyWritten},
		{"Subscribe/until the context ends", testUnsubscribe},
		{"Arguments", testArguments},
		{"Context", testContext},
		{"Concurrency/owners", testConcurrentOwners},
		{"Concurrency/purge", testConcurrentPurge},
		{"Concurrency/linearizable", testLinearizable},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

const (
	store = "s1"
	life  = 20 * time.Second
)

func slot(visit string) tracking.Slot { return tracking.Slot{Store: store, Visit: visit} }

// item is a write with the usual lease.
func item(visit, owner string, seq int64, payload string) tracking.LiveWrite {
	return tracking.LiveWrite{Slot: slot(visit), Owner: owner, Seq: seq, Payload: []byte(payload), TTL: life}
}

func shown(w tracking.LiveWrite) tracking.LiveWrite {
	w.Show = true
	return w
}

func register(t testing.TB, l tracking.Live, visit, owner string, seq int64) {
	t.Helper()
	if err := l.Register(t.Context(), slot(visit), owner, seq, life); err != nil {
		t.Fatalf("register %s for %s: %v", visit, owner, err)
	}
}

// write sends a batch and checks the results.
func write(t testing.TB, l tracking.Live, want []tracking.WriteResult, batch ...tracking.LiveWrite) {
	t.Helper()
	got, err := l.Write(t.Context(), batch)
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	if len(got) != len(want) {
		t.Fatalf("write: %d results, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("write, item %d: got %d, want %d", i, got[i], want[i])
		}
	}
}

func results(r ...tracking.WriteResult) []tracking.WriteResult { return r }

// holds checks what Read says about some visits; an empty want says absent.
func holds(t testing.TB, l tracking.Live, want map[string]string) {
	t.Helper()
	var visits []string
	for v := range want {
		visits = append(visits, v)
	}
	got, err := l.Read(t.Context(), store, visits)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	for v, w := range want {
		payload, there := got[v]
		if there != (w != "") || string(payload) != w {
			t.Errorf("read %s: got %q (there: %v), want %q", v, payload, there, w)
		}
	}
}

func purge(t testing.TB, l tracking.Live, visits ...string) {
	t.Helper()
	if err := l.Purge(t.Context(), store, visits); err != nil {
		t.Fatalf("purge: %v", err)
	}
}

// listener collects what arrives on some channels.
type listener struct {
	t        *testing.T
	l        tracking.Live
	channels []string
	messages chan tracking.Message
	ends     int
}

func listen(t *testing.T, l tracking.Live, channels ...string) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	s := &listener{t: t, l: l, channels: channels, messages: make(chan tracking.Message, 4096)}
	if err := l.Subscribe(ctx, func(m tracking.Message) { s.messages <- m }, channels...); err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	return s
}

// all publishes an end mark on each channel and returns what arrived on it before.
func (s *listener) all() map[string][]string {
	s.t.Helper()
	s.ends++
	end := "end " + strconv.Itoa(s.ends)
	for _, c := range s.channels {
		if err := s.l.Publish(s.t.Context(), c, []byte(end)); err != nil {
			s.t.Fatalf("publish the end mark: %v", err)
		}
	}
	got, patience := make(map[string][]string), time.After(10*time.Second)
	for open := len(s.channels); open > 0; {
		select {
		case m := <-s.messages:
			if string(m.Payload) == end {
				open--
				continue
			}
			got[m.Channel] = append(got[m.Channel], string(m.Payload))
		case <-patience:
			s.t.Fatal("the end marks did not arrive within 10 s")
		}
	}
	return got
}

// decoded are the shown positions among messages, as "visit=payload", one string per message.
func decoded(t *testing.T, messages []string) (out []string) {
	t.Helper()
	for _, m := range messages {
		list, err := tracking.DecodeShown([]byte(m))
		if err != nil {
			t.Fatalf("decode a publication: %v", err)
		}
		line := ""
		for _, s := range list {
			line += s.Visit + "=" + string(s.Payload) + ";"
		}
		out = append(out, line)
	}
	return out
}
