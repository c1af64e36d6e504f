// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"fmt"

	"doorstep/consent"
)

// Positions are those of a shopper's visits that are there now, by visit, for the shopper's own export: whichever
// node the visit is at. A visit that has ended has none.
func (n *Node) Positions(ctx context.Context, scopes []consent.HeldScope) (map[string]Position, error) {
	slots := make([]Slot, 0, len(scopes))
	for _, s := range scopes {
		if !n.ended.has(s.Visit) {
			slots = append(slots, Slot{s.Scope.Store, s.Visit})
		}
	}
	out := map[string]Position{}
	for store, visits := range byStore(slots) {
		found, err := n.Live.Read(ctx, store, visits)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}

		for visit, b := range found {
			if p, ok := decodePosition(b); ok {
				out[visit] = p
			}
		}
	}
	return out, nil
}
