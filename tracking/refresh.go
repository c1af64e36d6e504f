// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"sync"
	"time"
)

// How often a desk reads the live state, for how long it goes by what it has read, and how many looks may wait for their
// first position.
const (
	liveEvery  = time.Second
	unreadMost = 2 * time.Second
	seenMost   = 64
)

// run joins the live state to the store's alerts for as long as a console is open.
func (d *desk) run(ctx context.Context) {
	var sub sync.WaitGroup
	sub.Go(func() { _ = d.node.subscribe(ctx, d.shown, d.store) })
	defer sub.Wait()
	live, duty := time.NewTicker(liveEvery), time.NewTicker(dutyEvery)
	defer live.Stop()
	defer duty.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-live.C:
			d.refresh(ctx)
			d.repeatLooks(ctx)
			d.keepClaims()
			d.forget()
			d.remind()
		case t := <-d.seen:
			d.showOnce(ctx, t)
		case <-duty.C:
			if err := d.node.Ledger.SetDuty(ctx, d.node.ID, d.store, d.duties(), d.node.Clock.Now().Add(dutyLife)); err != nil && ctx.Err() == nil {
				d.node.Log.Warn("duty not recorded; shoppers may be told that nobody is there", "error", err)
			}
		}
	}
}

// refresh reads the live state of the visits that have an open alert, once a second: zones come from
// it, and what a lost hint would have said.
func (d *desk) refresh(ctx context.Context) {
	visits, hides := d.openVisits()
	if len(visits) == 0 || !d.node.Serving() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, liveEvery)
	defer cancel()
	found, err := d.node.Live.Read(ctx, d.store, visits)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.hideUnread()
		return
	}
	d.read = d.node.Clock.Boot()
	for _, a := range d.alerts {
		if a.Final() || a.Off {
			continue
		}
		p, ok := decodePosition(found[a.Visit])
		ok = ok && !d.node.ended.has(a.Visit) && d.mayShow(a, p)
		if ok && a.hidden > hides {
			continue // hidden since this was read
		}
		if ok {
			d.setZone(a, d.zone(a.Purpose, p), d.nearness(a, p))
		}
		d.setAlertPresence(a, ok)
	}
}

// hideUnread hides everybody once the live state has not been read for a while: where they were then is not where they
// are. The next good reading shows them again. Called with mu held.
func (d *desk) hideUnread() {
	if d.node.Clock.Boot()-d.read <= unreadMost {
		return
	}
	for _, a := range d.alerts {
		if !a.Final() && !a.Off {
			d.setAlertPresence(a, false)
		}
	}
}

// openVisits are those with an open alert, and how many hidings have been heard of so far.
func (d *desk) openVisits() (list []string, hides int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := make(map[string]bool)
	var visits []string
	for _, a := range d.alerts {
		if !a.Final() && !a.Off && !seen[a.Visit] {
			seen[a.Visit] = true
			visits = append(visits, a.Visit)
		}
	}
	return visits, d.hides
}

// mayShow doubts a position that should not be there any more: the blanking of a visit that was hidden
// may not have reached Redis. A session of this node knows; of another's, what its phone had captured before the
// hiding does not count, by the phone's own clock, whatever that says. Called with mu held.
func (d *desk) mayShow(a *shownAlert, p Position) bool {
	if s := d.node.sessions.byVisit(a.Visit); s != nil {
		return s.shown.Load()
	}
	return p.T > a.hiddenT
}

func (d *desk) setZone(a *shownAlert, z *ZoneFrame, near string) {
	if (z == nil) == (a.zone == nil) && (z == nil || *z == *a.zone) && near == a.near {
		return
	}
	a.zone, a.near = z, near
	if a.presence != presenceVisible {
		return // told with the presence
	}
	for c := range d.consoles {
		c.put(d.live(c, a))
	}
}

// remind wakes the consoles: one that is owed a snapshot may get it as soon as there is a lease.
func (d *desk) remind() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.consoles {
		c.signal()
	}
}

// forget lets go of alerts that were over a while ago.
func (d *desk) forget() {
	old := d.node.Clock.Now().Add(-2 * time.Minute)
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, a := range d.alerts {
		if a.Final() && a.ChangedAt.Before(old) {
			delete(d.alerts, id)
		}
	}
}
