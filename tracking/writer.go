// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"slices"
	"sync"
	"time"

	"doorstep/consent"
)

// FlushEvery is how long accepted positions gather before they are written.
const FlushEvery = 50 * time.Millisecond

// writer gathers positions per store and writes the newest of each visit, one batch in flight per
// store; what a tick has for one home of the live state goes there in one flight. Whatever ends or
// hides a visit does not wait for the tick. All memory on the way of a position is used again.
type writer struct {
	node    *Node
	flights sync.Pool // of *flight
	flying  sync.WaitGroup

	mu     sync.Mutex // owns stores; each storeBatch has its own lock
	stores map[string]*storeBatch
}

func newWriter(n *Node) *writer {
	return &writer{node: n, stores: make(map[string]*storeBatch), flights: sync.Pool{New: func() any { return new(flight) }}}
}

// batch is a store's; a session asks for it once.
func (w *writer) batch(store string) *storeBatch {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.stores[store]
	if b == nil {
		b = &storeBatch{store: store, turn: 1}
		w.stores[store] = b
	}
	return b
}

// add takes the session's newest position. Called with the session's mu held.
func (w *writer) add(s *Session, p *Position, until int64) {
	s.batch.mu.Lock()
	defer s.batch.mu.Unlock()
	item := s.batch.item(s)
	item.seq, item.payload = s.seq*2, p.append(item.payload[:0])
	item.show, item.until = s.looking > 0, until
}

// blank hides the session's position now. It takes the place of a position that was not written
// yet. Its number lies between those of the position before it and any after it. Called with the
// session's mu held, so that somebody else asks the live state where the batch is to go.
func (w *writer) blank(s *Session) {
	b := s.batch
	b.mu.Lock()
	b.item(s).blank(s.seq*2+1, s.leaseUntil())
	b.mu.Unlock()
	w.flying.Go(func() { w.send(b) })
}

func (w *writer) run(ctx context.Context) error {
	tick := time.NewTicker(FlushEvery)
	defer tick.Stop()
	defer w.flying.Wait()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			w.tick()
		}
	}
}

func (w *writer) tick() {
	boot := w.node.Clock.Boot()
	w.node.boot.Store(int64(boot))
	w.node.serving.Store(w.node.lease.valid(boot))
	w.mu.Lock()
	list := make([]*storeBatch, 0, len(w.stores))
	for _, b := range w.stores {
		list = append(list, b)
	}
	w.mu.Unlock()
	w.send(list...)
}

// send writes what is pending of these stores, but for those that have a batch on its way already:
// theirs follows it.
func (w *writer) send(list ...*storeBatch) {
	homes := make(map[string]*flight, 1)
	for _, b := range list {
		if !b.depart() {
			continue
		}
		home := w.node.Live.Home(b.store)
		f := homes[home]
		if f == nil {
			f = w.flights.Get().(*flight)
			homes[home] = f
		}
		f.batches = append(f.batches, b)
	}
	for _, f := range homes {
		w.flying.Go(func() { w.fly(f) })
	}
}

// fly writes a flight, and sends what has gathered behind it.
func (w *writer) fly(f *flight) {
	results, stored := w.store(f)
	var again []*storeBatch
	for i, b := range f.batches {
		took := stored && !slices.Contains(results[f.starts[i]:f.starts[i+1]], TooLate)
		b.note(took, w.node.boot.Load())
		if b.land(took) {
			again = append(again, b)
		}
	}
	f.reset()
	w.flights.Put(f)
	w.send(again...)
}

// store does the write, and reports whether the live state took it. A flight goes out only under a valid lease, read right
// before, and without the sessions that ended since; the tombstone and the deadline stop what is already under way.
func (w *writer) store(f *flight) (results []WriteResult, stored bool) {
	n := w.node
	// Made before the lease is read: a write reaches Redis within WriteDeadline of that, or not at all.
	ctx, cancel := context.WithTimeout(context.Background(), WriteDeadline)
	defer cancel()
	if !n.Serving() {
		n.serving.Store(false)
		n.Stats.Unstored.Add(f.pending())
		return nil, false
	}
	f.load(unixMS(n.Clock.Now()))
	if len(f.writes) == 0 {
		return nil, true
	}
	results, err := n.Live.Write(ctx, f.writes)
	if err != nil {
		n.Stats.Unstored.Add(int64(len(f.writes)))
		n.Log.Warn("positions not written; they are dropped", "stores", len(f.batches), "count", len(f.writes), "error", err)
		return nil, false
	}
	n.Stats.Batches.Add(1)
	w.written(f, results)
	return results, true
}

// written acts on what became of each write. Nearly all are just that, and are counted at once.
func (w *writer) written(f *flight, results []WriteResult) {
	n, count := w.node, int64(0)
	for i, r := range results {
		switch r {
		case Written:
			count++
		case Fenced: // ended elsewhere: the feed says why
			n.Stats.Fenced.Add(1)
			n.nudged()
		case NotOwner: // a newer connection has it, here or on another node
			n.Stats.NotOwner.Add(1)
			f.who[i].letGo(consent.Replaced)
		case Missing: // Redis lost it: the app comes back, and is registered anew
			n.Stats.Missing.Add(1)
			f.who[i].letGo(closeUnavailable)
		case OutOfOrder:
			n.Stats.OutOfOrder.Add(1)
		case TooLate:
			n.Stats.TooLate.Add(1)
		}
	}
	n.Stats.Written.Add(count)
}
