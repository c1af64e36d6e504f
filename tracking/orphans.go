// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
)

// orphans ends visits that nobody owns any more: their node was killed, or let go of them, and no app
// came back. Their positions have expired by themselves; what is left is what they asked for, which
// staff must not go looking for. It belongs to dueLoop's goroutine.
//
// Whether somebody owns a visit is known from this node's sessions, and of another node's from their
// registrations in the live state, which each write renews, also one without a position.
type orphans struct {
	node  *Node
	since map[string]time.Duration // boot time since which a visit has been missing
}

const orphansEvery = 5 // seconds

func (o *orphans) sweep(ctx context.Context) {
	missing := make(map[string]time.Duration)
	for _, x := range o.node.Atlas.All() {
		o.sweepStore(ctx, x.Site().ID, missing)
	}
	o.since = missing
}

func (o *orphans) sweepStore(ctx context.Context, store string, missing map[string]time.Duration) {
	alerts, _, err := o.node.Alerts.Alerts(ctx, store)
	if err != nil {
		return // the next one
	}
	visits := make(map[string]bool)
	for _, a := range alerts {
		if !a.Final() && !a.Off && o.node.sessions.byVisit(a.Visit) == nil {
			visits[a.Visit] = true
		}
	}
	if len(visits) == 0 {
		return
	}
	list := make([]string, 0, len(visits))
	for v := range visits {
		list = append(list, v)
	}
	owners, err := o.node.Live.Owners(ctx, store, list)
	if err != nil {
		return
	}
	boot := o.node.Clock.Boot()
	for _, v := range list {
		if _, owned := owners[v]; owned {
			continue
		}
		since, known := o.since[v]
		if !known {
			since = boot
		}
		if boot-since < PositionLife {
			missing[v] = since
			continue
		}
		o.end(store, v)
	}
}

func (o *orphans) end(store, visit string) {
	n := o.node
	purged := n.purger.soon([]Slot{{store, visit}})
	n.enders.add(purged, consent.EndRequest{ID: endID(visit), Kind: consent.EndSession, Visit: visit,
		Reason: consent.Reason(geofence.Silent), Claimed: n.Clock.Now(), KeepRequest: true})
}
