// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"slices"
	"time"
)

// Duty figures: how long a sign-in counts without being repeated, and how often it is repeated.
const (
	dutyLife  = 90 * time.Second
	dutyEvery = 30 * time.Second
	dutyGrace = 10 * time.Second
)

// duties are the purposes that somebody at the desk's consoles is there for.
func (d *desk) duties() (list []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.consoles {
		list = append(list, c.person.duties()...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// attended divides purposes of a store into those that somebody is there for at this node, and the others.
func (n *Node) attended(store string, purposes []string) (here, left []string) {
	var now []string
	if d := n.desks.get(store); d != nil {
		now = d.duties()
	}
	for _, p := range purposes {
		if slices.Contains(now, p) {
			here = append(here, p)
		} else {
			left = append(left, p)
		}
	}
	return here, left
}

// offDuty lets a store's duty end soon after the last console of a purpose has gone: long enough for a page to be
// loaded anew, and no longer.
func (n *Node) offDuty(store string, purposes []string) {
	until := n.Clock.Now().Add(dutyGrace)
	n.enders.put(func(ctx context.Context) {
		_, left := n.attended(store, purposes)
		if len(left) == 0 {
			return // somebody else is there, or is back
		}
		if err := n.Ledger.SetDuty(ctx, n.ID, store, left, until); err != nil && ctx.Err() == nil {
			n.Log.Warn("the end of duty is not recorded; it runs out by itself", "error", err)
		}
		back, _ := n.attended(store, left)
		if len(back) == 0 {
			return
		}
		// Somebody came back while this was being written: the last word is theirs.
		if err := n.Ledger.SetDuty(ctx, n.ID, store, back, n.Clock.Now().Add(dutyLife)); err != nil && ctx.Err() == nil {
			n.Log.Warn("duty not recorded; it will be", "error", err)
		}
	})
}
