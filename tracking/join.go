// SPDX-License-Identifier: Apache-2.0

package tracking

import "context"

// Join opens a console: it is on duty from here on, for the purposes that its person is there for, and is sent a snapshot first. The caller calls
// leave when the screen is gone. Errors: ErrShuttingDown, ErrNoStore, ErrUnavailable without a lease, or
// the ledger's.
func (n *Node) Join(ctx context.Context, store string, p Person, s Screen) (c *Console, leave func(), err error) {
	return n.join(ctx, store, p, s, nil)
}

func (n *Node) join(ctx context.Context, store string, p Person, s Screen, m *missed) (c *Console, leave func(), err error) {
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
	if err := n.Ledger.SetDuty(ctx, n.ID, store, p.duties(), n.Clock.Now().Add(dutyLife)); err != nil {
		return nil, nil, err
	}
	ds := n.desks
	ds.mu.Lock()
	d := ds.desks[store]
	if d != nil && d.index != x { // its consoles are on their way out, and have to be told of ends until they are
		ds.mu.Unlock()
		return nil, nil, ErrUnavailable
	}
	if d == nil {
		d = newDesk(n, store, x)
		ds.desks[store] = d
		work, cancel := context.WithCancel(ds.ctx)
		d.stop = cancel
		ds.work.Go(func() { d.run(work) })
	}
	c = newConsole(d, p, s)
	c.missed = m
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
	ds.node.offDuty(d.store, c.person.duties())
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

// snapshot is what the console may see now, or what changed since it was here. It is made under the console's gate, right before it is
// written, so that nothing in it can have ended meanwhile.
func (d *desk) snapshot(c *Console) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := c.takeMissed(); m != nil {
		return d.resumed(c, m)
	}
	s := snapshotFrame{Type: "snapshot", Offset: d.offset, Alerts: []AlertFrame{}}
	var visits []string
	for _, a := range d.alerts {
		if !d.tellable(a) {
			continue
		}
		s.Alerts = append(s.Alerts, d.render(c, a))
		visits = append(visits, a.Visit)
	}
	c.paid(visits)
	return s
}

// tellable leaves out what has ended and what is known only by its end. Called with mu held.
func (d *desk) tellable(a *shownAlert) bool {
	over := d.node.ended.has(a.Visit) && !a.Off && !a.Final()
	return !over && a.Kind != ""
}
