// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
)

// onceAnywhere holds what is good once, tickets and codes, in the live state, so that whichever node a balancer chooses can
// redeem what another issued. It lies there as a visit does, under the hash of its secret, sealed, and for
// auth.TicketLife at most. It is redeemed by the write with the next number, which one caller can do: whoever comes second
// is out of order.
type onceAnywhere[T any] struct {
	kind string // in the plural
	live tracking.Live
	keys func() consent.Keys
	now  func() time.Time
}

// held is what is sealed.
type held[T any] struct {
	Owner string
	What  T
}

const (
	onceIssued = 1 + iota // the numbers of the two writes
	onceRedeemed
)

// slot spreads them over a cluster.
func (s *onceAnywhere[T]) slot(secret string) tracking.Slot {
	sum := sha256.Sum256([]byte(secret))
	name := hex.EncodeToString(sum[:])
	return tracking.Slot{Store: s.kind + "-" + name[:2], Visit: name}
}

// Issue implements auth.TicketStore, and is the same for codes.
func (s *onceAnywhere[T]) Issue(ctx context.Context, what T) (secret string, end time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, tracking.WriteDeadline)
	defer cancel()
	end = time.UnixMilli(s.now().Add(auth.TicketLife).UnixMilli())
	secret = auth.TimedSecret(end)
	slot, it := s.slot(secret), held[T]{rand.Text(), what}
	text, err := json.Marshal(it)
	if err != nil {
		return "", end, fmt.Errorf("%s: %w", s.kind, err)
	}
	if err := s.live.Register(ctx, slot, it.Owner, 0, auth.TicketLife); err != nil {
		return "", end, err
	}
	sealed := s.keys().Tickets().Seal(slot.Visit, text)
	wrote, err := s.write(ctx, slot, it.Owner, onceIssued, []byte(sealed), auth.TicketLife)
	if err == nil && wrote != tracking.Written {
		err = tracking.ErrUnavailable
	}
	return secret, end, err
}

// Redeem implements auth.TicketStore, and is the same for codes.
func (s *onceAnywhere[T]) Redeem(ctx context.Context, secret string) (T, error) {
	var none T
	end, ok := auth.EndOf(secret)
	if !ok {
		return none, auth.ErrUnknown
	}
	left := end.Sub(s.now())
	if left <= 0 {
		return none, auth.ErrExpired
	}
	ctx, cancel := context.WithTimeout(ctx, tracking.WriteDeadline)
	defer cancel()
	slot := s.slot(secret)
	found, err := s.live.Read(ctx, slot.Store, []string{slot.Visit})
	if err != nil {
		return none, err
	}
	var it held[T]
	text, err := s.keys().Tickets().Open(slot.Visit, string(found[slot.Visit]))
	if err != nil || json.Unmarshal(text, &it) != nil {
		return none, auth.ErrUnknown
	}
	wrote, err := s.write(ctx, slot, it.Owner, onceRedeemed, nil, max(left, time.Millisecond))
	switch {
	case err != nil:
		return none, err
	case wrote == tracking.TooLate:
		return none, tracking.ErrUnavailable
	case wrote != tracking.Written:
		return none, auth.ErrUnknown
	}
	return it.What, nil
}

func (s *onceAnywhere[T]) write(ctx context.Context, slot tracking.Slot, owner string, seq int64, payload []byte, ttl time.Duration) (tracking.WriteResult, error) {
	results, err := s.live.Write(ctx, []tracking.LiveWrite{{Slot: slot, Owner: owner, Seq: seq, Payload: payload, TTL: min(ttl, tracking.PositionLife)}})
	if err != nil {
		return 0, err
	}
	return results[0], nil
}
