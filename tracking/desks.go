// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"sync"
	"time"

	"doorstep/consent"
)

// desks are the stores that have a console open on this node.
type desks struct {
	node *Node

	mu    sync.Mutex
	ctx   context.Context // what a desk's own work lives under; set by run
	ready chan struct{}
	desks map[string]*desk
	empty chan struct{} // closed when the last desk goes, and replaced
	work  sync.WaitGroup
}

func newDesks(n *Node) *desks {
	return &desks{node: n, desks: make(map[string]*desk), ready: make(chan struct{}), empty: make(chan struct{})}
}

// Duty figures: how long a sign-in counts without being repeated, and how often it is repeated.
const (
	dutyLife  = 90 * time.Second
	dutyEvery = 30 * time.Second
	dutyGrace = 10 * time.Second
	liveEvery = time.Second
	seenMost  = 64 // looks that wait for their first position
)

func (ds *desks) run(ctx context.Context) error {
	ds.mu.Lock()
	ds.ctx = ctx
	close(ds.ready)
	ds.mu.Unlock()
	<-ctx.Done()
	ds.work.Wait()
	return ctx.Err()
}

func (ds *desks) get(store string) *desk {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	return ds.desks[store]
}

func (ds *desks) applyAlert(store string, offset int64, body []byte) {
	d := ds.get(store)
	if d == nil {
		return
	}
	if a, ok := parseAlert(body); ok {
		d.takeAlert(a, offset)
	}
}

func (ds *desks) presence(store, visit string, shown bool) {
	if d := ds.get(store); d != nil && !(shown && ds.node.ended.has(visit)) {
		d.setPresence(visit, shown)
	}
}

// seen is heard when a visit's phone has been told that somebody looks.
func (ds *desks) seen(store, visit string) {
	d := ds.get(store)
	if d == nil {
		return
	}
	select {
	case d.seen <- visit:
	default: // the look is repeated, and so is this
	}
}

func (ds *desks) gone(e consent.End, at time.Time) int {
	if d := ds.get(e.Scope.Store); d != nil {
		return d.gone(e, at)
	}
	return 0
}

func (ds *desks) closeAll() {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	for _, d := range ds.desks {
		d.mu.Lock()
		for c := range d.consoles {
			go c.cut(closeShutdown)
		}
		d.mu.Unlock()
	}
}

// wait returns when no console is left, or after the given time.
func (ds *desks) wait(atMost time.Duration) {
	ds.mu.Lock()
	empty := ds.empty
	if len(ds.desks) == 0 {
		ds.mu.Unlock()
		return
	}
	ds.mu.Unlock()
	timeout := time.NewTimer(atMost)
	defer timeout.Stop()
	select {
	case <-empty:
	case <-timeout.C:
	}
}

// Join opens a console: it is on duty from here on, and is sent a snapshot first. The caller calls
// leave when the screen is gone. Errors: ErrShuttingDown, ErrNoStore, ErrUnavailable without a lease, or
// the ledger's.
func (n *Node) Join(ctx context.Context, store string, p Person, s Screen) (c *Console, leave func(), err error) {
	if n.draining.Load() {
		return nil, nil, ErrShuttingDown
	}
	x, ok := n.Atlas.Index(store)
	if !ok {
		return nil, nil, ErrNoStore
	}
	if !n.Serving() {
		return nil, nil, ErrUnavailable
	}
	select {
	case <-n.desks.ready:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if err := n.Ledger.SetDuty(ctx, n.ID, store, n.Clock.Now().Add(dutyLife)); err != nil {
		return nil, nil, err
	}
	ds := n.desks
	ds.mu.Lock()
	d := ds.desks[store]
	if d == nil {
		d = newDesk(n, store, x)
		ds.desks[store] = d
		work, cancel := context.WithCancel(ds.ctx)
		d.stop = cancel
		ds.work.Go(func() { d.run(work) })
	}
	c = newConsole(d, p, s)
	d.mu.Lock()
	d.consoles[c] = struct{}{}
	d.introduce()
	d.mu.Unlock()
	work := ds.ctx
	ds.mu.Unlock()
	if err := d.welcome(ctx, c); err != nil {
		ds.leave(d, c)
		return nil, nil, err
	}
	run, cancel := context.WithCancel(work)
	ds.work.Go(func() { c.run(run) })
	return c, func() { cancel(); ds.leave(d, c) }, nil
}

func (ds *desks) leave(d *desk, c *Console) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.consoles, c) // from here on no look can begin
	d.introduce()
	if len(d.consoles) == 0 {
		ds.node.offDuty(d.store)
	}
	c.endAllLooks()
	if len(d.consoles) == 0 && ds.desks[d.store] == d {
		delete(ds.desks, d.store)
		d.stop()
		if len(ds.desks) == 0 {
			close(ds.empty)
			ds.empty = make(chan struct{})
		}
	}
}

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

// welcome loads the store's alerts, of which the console is owed a snapshot.
func (d *desk) welcome(ctx context.Context, c *Console) error {
	alerts, offset, err := d.node.Alerts.Alerts(ctx, d.store)
	if err != nil {
		return err
	}
	for _, a := range alerts {
		d.takeAlert(a, offset)
	}
	d.refresh(ctx)
	return nil
}

// snapshot is what the console may see now. It is made under the console's gate, right before it is
// written, so that nothing in it can have ended meanwhile.
func (d *desk) snapshot(c *Console) snapshotFrame {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := snapshotFrame{Type: "snapshot", Offset: d.offset, Alerts: []AlertFrame{}}
	var visits []string
	for _, a := range d.alerts {
		over := d.node.ended.has(a.Visit) && !a.Off && !a.Final()
		if over || a.Kind == "" { // the second: known only by its end
			continue
		}
		s.Alerts = append(s.Alerts, d.render(c, a))
		visits = append(visits, a.Visit)
	}
	c.paid(visits)
	return s
}

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
			d.forget()
			d.remind()
		case visit := <-d.seen:
			d.showOnce(ctx, visit)
		case <-duty.C:
			if err := d.node.Ledger.SetDuty(ctx, d.node.ID, d.store, d.node.Clock.Now().Add(dutyLife)); err != nil && ctx.Err() == nil {
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
	if err != nil {
		return // the next one, or the page's own rule, hides what is stale
	}
	d.mu.Lock()
	defer d.mu.Unlock()
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
			d.setZone(a, d.zone(p))
		}
		d.setAlertPresence(a, ok)
	}
}

// mayShow doubts a position that should not be there any more: the blanking of a visit that was hidden
// may not have reached Redis. A session of this node knows; of another's, what was captured before the
// hiding does not count. Called with mu held.
func (d *desk) mayShow(a *shownAlert, p Position) bool {
	if s := d.node.sessions.byVisit(a.Visit); s != nil {
		return s.shown.Load()
	}
	return p.T > a.hiddenT
}

func (d *desk) setZone(a *shownAlert, z *ZoneFrame) {
	if (z == nil) == (a.zone == nil) && (z == nil || *z == *a.zone) {
		return
	}
	a.zone = z
	if a.presence != presenceVisible {
		return // told with the presence
	}
	for c := range d.consoles {
		c.put(outgoing{visit: a.Visit, frame: liveFrame{"live", a.ID, z, Word(a.Visit)}})
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
