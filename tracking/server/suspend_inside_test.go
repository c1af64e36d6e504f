// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"fmt"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
	"doorstep/tracking/wire"
)

// Attempts count for an hour, and no longer.
func TestAttemptsAreOfAnHour(t *testing.T) {
	start := time.Unix(0, 0)
	for later, out := range map[time.Duration]bool{undeclaredWithin - 1: true, undeclaredWithin: false} {
		a := newAttempts()
		for i := range 9 {
			if a.add("app", consent.Ref(fmt.Sprint(i)), start, 10) {
				t.Fatalf("out after %d", i+1)
			}
		}
		if got := a.add("app", "the last one", start.Add(later), 10); got != out {
			t.Errorf("the tenth after %s: out %v, want %v", later, got, out)
		}
	}
}

// Asking for what was not granted is counted, and keeps nobody out: the registry declares it.
func TestOnlyTheUndeclaredKeepsOut(t *testing.T) {
	for code, out := range map[wire.Code]int{wire.CodeUndeclared: 1, wire.CodeNotGranted: 0} {
		s := &Server{attempts: newAttempts(), outcasts: make(chan string, 16)}
		s.Undeclared.After, s.Now, s.Ledger = 3, time.Now, consent.New(nil, consent.NewKeys(), consent.DevelopmentRegistry(), time.Now)
		for i := range 3 {
			s.attempt("app", consent.Ref(fmt.Sprint(i)), code)
		}
		if len(s.outcasts) != out {
			t.Errorf("%s: %d apps are to be suspended, want %d", code, len(s.outcasts), out)
		}
	}
}

// A withdrawal is counted once, by the time that it took; one that is not true everywhere yet as later.
func TestAWithdrawalIsCountedOnce(t *testing.T) {
	took := func(d time.Duration, repeated bool) tracking.Answer {
		return tracking.Answer{Ending: consent.Ending{ID: "x", Repeated: repeated}, Took: d}
	}
	kept := &tallyStore{}
	s := &Server{}
	s.Ledger = consent.New(kept, consent.NewKeys(), consent.DevelopmentRegistry(), time.Now)
	s.ended(took(time.Millisecond, false), nil)
	s.ended(took(time.Millisecond, true), nil)
	s.ended(took(time.Millisecond, false), tracking.ErrNotComplete)
	s.ended(tracking.Answer{}, tracking.ErrUnavailable)
	if err := s.Ledger.WriteCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(kept.n) != 2 || kept.n[consent.Within100ms] != 1 || kept.n[consent.Later] != 1 {
		t.Errorf("counted %v", kept.n)
	}
}

// tallyStore takes tallies, and has nothing else.
type tallyStore struct {
	consent.Store
	n map[string]int64
}

func (s *tallyStore) AddTallies(_ context.Context, list []consent.Tally) error {
	s.n = map[string]int64{}
	for _, t := range list {
		s.n[t.What] += t.N
	}
	return nil
}
