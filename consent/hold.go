// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Hold keeps what would be pruned from being so, because a court or a claim needs it: entries of the journal of
// one store that were made in a span, or the proof at one place in the log. Two people set it, it has an end, and it
// extends no position: there is none that could be kept. It keeps from pruning only; erasure goes before it, and what
// proves consent survives that anyway.
type Hold struct {
	ID       string    `json:"id"`
	Store    string    `json:"store,omitempty"`
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"`
	Leaf     *int64    `json:"log_index,omitempty"` // instead of store, from and to: a proof, by its place in the log
	Reason   string    `json:"reason"`
	Until    time.Time `json:"until"`
	By       string    `json:"by,omitempty"`       // pseudonym of who asked for it
	Approved string    `json:"approved,omitempty"` // and of who approved it
	Since    time.Time `json:"since,omitzero"`
	LiftedBy string    `json:"lifted_by,omitempty"`
	LiftedAt time.Time `json:"lifted_at,omitzero"`
}

// HoldMost is the longest that a hold lasts before two people must set it anew.
const HoldMost = 366 * 24 * time.Hour

// ErrNoHold answers a hold that is not in force.
var ErrNoHold = &Problem{"no_hold", 404, "there is no such hold in force", "list the holds", ErrNotFound}

// AskHold asks for a hold, which is in force once somebody else has approved it.
func (l *Ledger) AskHold(ctx context.Context, h Hold, by string) error {
	if err := l.checkHold(h); err != nil {
		return err
	}
	body, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("a hold: %w", err)
	}
	return l.Move(ctx, Motion{ID: h.ID, Kind: HoldMotion, Store: h.Store, Body: body, By: by})
}

func (l *Ledger) checkHold(h Hold) error {
	now := l.now()
	span := h.Store != "" && h.From.Before(h.To) && h.Leaf == nil
	one := h.Leaf != nil && *h.Leaf >= 0 && h.Store == "" && h.From.IsZero() && h.To.IsZero()
	switch {
	case !span && !one:
		return fmt.Errorf("%w: scope: name a store with a span of time, or one place in the log", ErrRequest)
	case !h.Until.After(now) || h.Until.After(now.Add(HoldMost)):
		return fmt.Errorf("%w: until: a hold ends, at most a year from now", ErrRequest)
	}
	return CheckReason(h.Reason)
}

// ApproveHold puts a hold into force. ErrNoMotion, ErrSamePerson, ErrMotionOver.
func (l *Ledger) ApproveHold(ctx context.Context, id, by string) (Hold, error) {
	return l.store.CarryHold(ctx, id, by, l.now())
}

// LiftHold ends a hold before its time: what it kept is pruned with the rest. One person may, since forgetting is what
// was promised. ErrNoHold.
func (l *Ledger) LiftHold(ctx context.Context, id, by string) error {
	return l.store.LiftHold(ctx, id, by, l.now())
}

// Holds lists every hold that is or was in force, newest first.
func (l *Ledger) Holds(ctx context.Context) ([]Hold, error) { return l.store.Holds(ctx) }
