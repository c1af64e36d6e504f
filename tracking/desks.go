// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"sync"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
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

func (ds *desks) applyAlert(a Alert, offset int64) {
	if d := ds.get(a.Store); d != nil {
		d.takeAlert(a, offset)
	}
}

func (ds *desks) presence(store, visit string, shown bool, t int64) {
	if d := ds.get(store); d != nil {
		d.setPresence(visit, shown, t)
	}
}

// told is a visit whose phone knows that somebody looks, and the owner whose session told it.
type told struct{ visit, owner string }

// seen is heard when a visit's phone has been told that somebody looks.
func (ds *desks) seen(store string, t told) {
	d := ds.get(store)
	if d == nil {
		return
	}
	select {
	case d.seen <- t:
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

// remap lets go of the consoles of a store whose map is another now: what they are sent is in metres of
// the old one. They come back to the new one.
func (ds *desks) remap(x *geofence.Index) {
	d := ds.get(x.Site().ID)
	if d == nil || d.index == x {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.consoles {
		go c.cut(consent.MapChanged)
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
