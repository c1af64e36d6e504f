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

// tickets holds them in the live state, so that whichever node a balancer chooses can redeem what another issued. A ticket
// lies there as a visit does, under the hash of its secret, sealed, and for its life at most. It is redeemed by the write
// with the next number, which one caller can do: whoever comes second is out of order.
type tickets struct {
	live tracking.Live
	seal func() consent.Secret
	now  func() time.Time
}

// heldTicket is what is sealed.
type heldTicket struct {
	Owner  string
	Ticket auth.Ticket
}

const (
	ticketIssued = 1 + iota // the numbers of the two writes
	ticketRedeemed
)

// slotOfTicket spreads tickets over a cluster.
func slotOfTicket(secret string) tracking.Slot {
	sum := sha256.Sum256([]byte(secret))
	name := hex.EncodeToString(sum[:])
	return tracking.Slot{Store: "tickets-" + name[:2], Visit: name}
}

// Issue implements auth.TicketStore.
func (s *tickets) Issue(ctx context.Context, t auth.Ticket) (secret string, end time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, tracking.WriteDeadline)
	defer cancel()
	end = time.UnixMilli(s.now().Add(auth.TicketLife).UnixMilli())
	secret = auth.TimedSecret(end)
	slot, held := slotOfTicket(secret), heldTicket{rand.Text(), t}
	text, err := json.Marshal(held)
	if err != nil {
		return "", end, fmt.Errorf("a ticket: %w", err)
	}
	if err := s.live.Register(ctx, slot, held.Owner, 0, auth.TicketLife); err != nil {
		return "", end, err
	}
	sealed := s.seal().Seal(slot.Visit, text)
	wrote, err := s.write(ctx, slot, held.Owner, ticketIssued, []byte(sealed), auth.TicketLife)
	if err == nil && wrote != tracking.Written {
		err = tracking.ErrUnavailable
	}
	return secret, end, err
}

// Redeem implements auth.TicketStore.
func (s *tickets) Redeem(ctx context.Context, secret string) (auth.Ticket, error) {
	end, ok := auth.EndOf(secret)
	if !ok {
		return auth.Ticket{}, auth.ErrUnknown
	}
	left := end.Sub(s.now())
	if left <= 0 {
		return auth.Ticket{}, auth.ErrExpired
	}
	ctx, cancel := context.WithTimeout(ctx, tracking.WriteDeadline)
	defer cancel()
	slot := slotOfTicket(secret)
	found, err := s.live.Read(ctx, slot.Store, []string{slot.Visit})
	if err != nil {
		return auth.Ticket{}, err
	}
	var held heldTicket
	text, err := s.seal().Open(slot.Visit, string(found[slot.Visit]))
	if err != nil || json.Unmarshal(text, &held) != nil {
		return auth.Ticket{}, auth.ErrUnknown
	}
	wrote, err := s.write(ctx, slot, held.Owner, ticketRedeemed, nil, max(left, time.Millisecond))
	switch {
	case err != nil:
		return auth.Ticket{}, err
	case wrote == tracking.TooLate:
		return auth.Ticket{}, tracking.ErrUnavailable
	case wrote != tracking.Written:
		return auth.Ticket{}, auth.ErrUnknown
	}
	return held.Ticket, nil
}

func (s *tickets) write(ctx context.Context, slot tracking.Slot, owner string, seq int64, payload []byte, ttl time.Duration) (tracking.WriteResult, error) {
	results, err := s.live.Write(ctx, []tracking.LiveWrite{{Slot: slot, Owner: owner, Seq: seq, Payload: payload, TTL: min(ttl, tracking.PositionLife)}})
	if err != nil {
		return 0, err
	}
	return results[0], nil
}
