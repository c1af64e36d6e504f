// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"time"
)

// Duty figures: how long a sign-in counts without being repeated, and how often it is repeated.
const (
	dutyLife  = 90 * time.Second
	dutyEvery = 30 * time.Second
	dutyGrace = 10 * time.Second
)

// offDuty lets a store's duty end soon after its last console has gone: long enough for a page to be
// loaded anew, and no longer.
func (n *Node) offDuty(store string) {
	until := n.Clock.Now().Add(dutyGrace)
	n.enders.put(func(ctx context.Context) {
		if n.desks.get(store) != nil {
			return // somebody is back
		}
		if err := n.Ledger.SetDuty(ctx, n.ID, store, until); err != nil && ctx.Err() == nil {
			n.Log.Warn("the end of duty is not recorded; it runs out by itself", "error", err)
		}
		if n.desks.get(store) == nil {
			return
		}
		// Somebody came back while this was being written: the last word is theirs.
		if err := n.Ledger.SetDuty(ctx, n.ID, store, n.Clock.Now().Add(dutyLife)); err != nil && ctx.Err() == nil {
			n.Log.Warn("duty not recorded; it will be", "error", err)
		}
	})
}
