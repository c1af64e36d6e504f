// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
	"doorstep/tracking/live"
	"doorstep/tracking/server/auth"
)

type tickets = onceAnywhere[auth.Ticket]

// twoNodes are the tickets of two nodes that share a live state and their keys.
func twoNodes(t *testing.T) (shared *live.Memory, a, b *tickets) {
	shared = live.NewMemory(time.Now)
	keys := func(k consent.Keys) func() consent.Keys { return func() consent.Keys { return k } }(consent.NewKeys())
	return shared, &tickets{"tickets", shared, keys, time.Now}, &tickets{"tickets", shared, keys, time.Now}
}

// A ticket that one node issued is redeemed at any, once, to one of any number who try at the same time; through the last
// millisecond of its life, and then it has run out. Nobody else's keys open it.
func TestTicketsAtEveryNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared, a, b := twoNodes(t)
		want := auth.Ticket{Subject: "s", Store: "a", Purposes: []string{"assist"}, AuthUntil: time.Now().Add(time.Hour).UTC()}
		issue := func() string {
			t.Helper()
			secret, end, err := a.Issue(t.Context(), want)
			if err != nil || !end.Equal(time.Now().Add(auth.TicketLife)) {
				t.Fatalf("until %v, %v", end, err)
			}
			return secret
		}
		for range 20 {
			secret := issue()
			var won, lost atomic.Int64
			var all sync.WaitGroup
			for i := range 32 {
				all.Go(func() {
					got, err := []*tickets{a, b}[i%2].Redeem(t.Context(), secret)
					switch {
					case err == nil && got.Subject == want.Subject && slices.Equal(got.Purposes, want.Purposes) && got.AuthUntil.Equal(want.AuthUntil):
						won.Add(1)
					case errors.Is(err, auth.ErrUnknown):
						lost.Add(1)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 || lost.Load() != 31 {
				t.Fatalf("%d won, %d lost", won.Load(), lost.Load())
			}
		}
		stranger := &tickets{"tickets", shared, consent.NewKeys, time.Now}
		other := &tickets{"codes", shared, a.keys, time.Now}
		early, late := issue(), issue()
		time.Sleep(auth.TicketLife - time.Millisecond)
		if _, err := stranger.Redeem(t.Context(), early); !errors.Is(err, auth.ErrUnknown) {
			t.Errorf("under other keys: %v", err)
		}
		if _, err := other.Redeem(t.Context(), early); !errors.Is(err, auth.ErrUnknown) {
			t.Errorf("as something else: %v", err)
		}
		if _, err := b.Redeem(t.Context(), early); err != nil {
			t.Errorf("a millisecond before its end: %v", err)
		}
		time.Sleep(time.Millisecond)
		if _, err := b.Redeem(t.Context(), late); !errors.Is(err, auth.ErrExpired) {
			t.Errorf("at its end: %v", err)
		}
		for _, s := range []string{"", "x", issue() + "A"} {
			if _, err := b.Redeem(t.Context(), s); !errors.Is(err, auth.ErrUnknown) {
				t.Errorf("%q: %v", s, err)
			}
		}
		last := issue()
		if err := shared.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := b.Redeem(t.Context(), last)
		if err == nil || errors.Is(err, auth.ErrUnknown) || errors.Is(err, auth.ErrExpired) {
			t.Errorf("without the live state: %v, which ends the app's hopes", err)
		}
	})
}

// bothRead is a live state in which two readers have both read before either may write.
type bothRead struct {
	tracking.Live
	read sync.WaitGroup
}

func (l *bothRead) Read(ctx context.Context, store string, visits []string) (map[string][]byte, error) {
	found, err := l.Live.Read(ctx, store, visits)
	l.read.Done()
	l.read.Wait()
	return found, err
}

// Two who have both found a ticket unused do not both use it.
func TestATicketThatBothHaveReadHasOneWinner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared, a, b := twoNodes(t)
		defer shared.Close()
		secret, _, err := a.Issue(t.Context(), auth.Ticket{Subject: "s"})
		if err != nil {
			t.Fatal(err)
		}
		gate := &bothRead{Live: shared}
		gate.read.Add(2)
		a.live, b.live = gate, gate
		errs := make(chan error)
		for _, node := range []*tickets{a, b} {
			go func() {
				_, err := node.Redeem(t.Context(), secret)
				errs <- err
			}()
		}
		one, other := <-errs, <-errs
		if one != nil {
			one, other = other, one
		}
		if one != nil || !errors.Is(other, auth.ErrUnknown) {
			t.Errorf("redeemed by two at once: %v and %v, want one of them to be refused", one, other)
		}
	})
}
