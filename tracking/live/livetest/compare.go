// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

// Compare runs random commands against two implementations and wants the same answers and the same
// state after each. reset empties both.
func Compare(t *testing.T, a, b Fixture, reset func()) {
	rapid.Check(t, func(rt *rapid.T) {
		reset()
		step := &stepper{rt: rt, t: t}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			command := step.draw()
			got, want := command(a), command(b)
			if got != want {
				rt.Fatalf("the answers differ:\n %s\n %s", got, want)
			}
			if got, want := state(a), state(b); got != want {
				rt.Fatalf("the states differ:\n%s\n%s", got, want)
			}
		}
	})
}

// state is what a fixture holds, expiries to the nearest second: the real one moves a little.
func state(f Fixture) (s string) {
	keys := f.Keys()
	slices.SortFunc(keys, func(a, b live.Key) int {
		return cmp.Or(cmp.Compare(a.Slot.Store, b.Slot.Store), cmp.Compare(a.Slot.Visit, b.Slot.Visit))
	})
	for _, k := range keys {
		s += fmt.Sprintf(" %s/%s tombstone=%v position=%v %v\n", k.Slot.Store, k.Slot.Visit, k.Tombstone, k.HasPosition, k.TTL.Round(time.Second))
	}
	return s
}

// stepper draws commands; each answers with what can be compared.
type stepper struct {
	rt *rapid.T
	t  *testing.T
}

func (s *stepper) draw() func(Fixture) string {
	switch rapid.SampledFrom([]string{"register", "write", "write", "write", "read", "purge", "pass"}).Draw(s.rt, "command") {
	case "register":
		return s.register()
	case "write":
		return s.write()
	case "read":
		return s.read()
	case "purge":
		return s.purge()
	}
	d := time.Duration(rapid.IntRange(1, 35).Draw(s.rt, "seconds")) * time.Second
	return func(f Fixture) string { f.Pass(d); return "" }
}

// Few names and few numbers, so that commands meet.
func (s *stepper) store() string { return rapid.SampledFrom([]string{"s1", "s2"}).Draw(s.rt, "store") }
func (s *stepper) visit() string {
	return rapid.SampledFrom([]string{"v1", "v2", "v3"}).Draw(s.rt, "visit")
}
func (s *stepper) owner() string {
	return rapid.SampledFrom([]string{"a", "ab", "b"}).Draw(s.rt, "owner")
}
func (s *stepper) seq() int64 { return rapid.Int64Range(-3, 6).Draw(s.rt, "seq") }

// ttl is a lease that ends between two whole seconds: both round it the same way. Some are none.
func (s *stepper) ttl() time.Duration {
	n := rapid.IntRange(-3, 40).Draw(s.rt, "ttl")
	if n < 0 {
		return []time.Duration{time.Millisecond - 1, 0, -time.Second}[-n-1]
	}
	return min(time.Duration(n)*time.Second+450*time.Millisecond, tracking.PositionLife)
}

func (s *stepper) register() func(Fixture) string {
	slot, owner, seq, ttl := tracking.Slot{Store: s.store(), Visit: s.visit()}, s.owner(), s.seq(), s.ttl()
	return func(f Fixture) string {
		err := f.Live.Register(s.t.Context(), slot, owner, seq, ttl)
		return fmt.Sprintf("register: fenced=%v invalid=%v ok=%v", errors.Is(err, tracking.ErrFenced), errors.Is(err, live.ErrInvalid), err == nil)
	}
}

func (s *stepper) write() func(Fixture) string {
	store := s.store()
	var batch []tracking.LiveWrite
	for range rapid.IntRange(1, 5).Draw(s.rt, "items") {
		batch = append(batch, tracking.LiveWrite{
			Slot: tracking.Slot{Store: store, Visit: s.visit()}, Owner: s.owner(), Seq: s.seq(), TTL: s.ttl(),
			Payload: rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(s.rt, "payload"), Show: rapid.Bool().Draw(s.rt, "show"),
		})
	}
	return func(f Fixture) string {
		got, err := f.Live.Write(s.t.Context(), batch)
		return fmt.Sprintf("write: %v %v", got, err)
	}
}

func (s *stepper) read() func(Fixture) string {
	store := s.store()
	return func(f Fixture) string {
		got, err := f.Live.Read(s.t.Context(), store, []string{"v1", "v2", "v3"})
		owners, ownErr := f.Live.Owners(s.t.Context(), store, []string{"v1", "v2", "v3"})
		return fmt.Sprintf("read: %q %v; owners: %v %v", got, err, owners, ownErr) // fmt sorts maps
	}
}

func (s *stepper) purge() func(Fixture) string {
	store, visits := s.store(), []string{s.visit(), s.visit()}
	return func(f Fixture) string { return fmt.Sprint("purge: ", f.Live.Purge(s.t.Context(), store, visits)) }
}
