// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"slices"
	"sync"
	"time"

	"doorstep/consent"
)

// FlushEvery is how long accepted positions gather before they are written, a store at a time.
const FlushEvery = 50 * time.Millisecond

// writer gathers positions per store and writes the newest of each visit, one batch in flight per
// store. Whatever ends or hides a visit does not wait for the tick.
type writer struct {
	node *Node

	mu     sync.Mutex // owns stores; each storeBatch has its own lock
	stores map[string]*storeBatch
	flush  sync.WaitGroup
}

type storeBatch struct {
	store string

	mu      sync.Mutex // owns the rest
	pending []pendingWrite
	at      map[*Session]int // where in pending a session's newest write is
	busy    bool             // a batch is on its way
	again   bool             // flush once more when it is back
}

type pendingWrite struct {
	session *Session
	write   LiveWrite
	until   int64 // the session's lease, Unix milliseconds
}

func newWriter(n *Node) *writer {
	return &writer{node: n, stores: make(map[string]*storeBatch)}
}

// add takes the session's newest position. Called with the session's mu held.
func (w *writer) add(s *Session, p *Position, until int64) {
	b := w.batch(s.scope.Store)
	b.mu.Lock()
	defer b.mu.Unlock()
	item := b.item(s)
	item.write.Seq = s.seq * 2
	item.write.Payload = p.append(item.write.Payload[:0])
	item.write.Show = s.looking > 0
	item.until = until
}

// blank hides the session's position now. It takes the place of a position that was not written
// yet. Its number lies between those of the position before it and any after it. Called with the
// session's mu held.
func (w *writer) blank(s *Session) {
	b := w.batch(s.scope.Store)
	b.mu.Lock()
	item := b.item(s)
	item.write.Seq, item.write.Payload, item.write.Show = s.seq*2+1, item.write.Payload[:0], false
	item.until = s.leaseUntil()
	b.mu.Unlock()
	w.send(b)
}

func (b *storeBatch) item(s *Session) *pendingWrite {
	if i, ok := b.at[s]; ok {
		return &b.pending[i]
	}
	if len(b.pending) < cap(b.pending) {
		b.pending = b.pending[:len(b.pending)+1] // keeps the payload's buffer
	} else {
		b.pending = append(b.pending, pendingWrite{})
	}
	b.at[s] = len(b.pending) - 1
	item := &b.pending[len(b.pending)-1]
	item.session = s
	item.write.Slot = Slot{s.scope.Store, s.visit}
	item.write.Owner = s.owner
	return item
}

func (w *writer) batch(store string) *storeBatch {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.stores[store]
	if b == nil {
		b = &storeBatch{store: store, at: make(map[*Session]int)}
		w.stores[store] = b
	}
	return b
}

func (w *writer) run(ctx context.Context) error {
	tick := time.NewTicker(FlushEvery)
	defer tick.Stop()
	defer w.flush.Wait()
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
	for _, b := range list {
		w.send(b)
	}
}

// send writes what is pending, unless a batch of this store is on its way already.
func (w *writer) send(b *storeBatch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pending) == 0 {
		return
	}
	if b.busy {
		b.again = true
		return
	}
	b.busy = true
	batch := b.pending
	b.pending = nil
	clear(b.at)
	w.flush.Go(func() { w.write(b, batch) })
}

func (w *writer) write(b *storeBatch, batch []pendingWrite) {
	stored := w.store(b.store, batch)
	b.mu.Lock()
	b.busy = false
	if !stored {
		b.hideAgain(batch)
	}
	again := b.again
	b.again = false
	if b.pending == nil {
		b.pending = batch[:0]
	}
	b.mu.Unlock()
	if again {
		w.send(b)
	}
}

// hideAgain takes back the blankings of a batch that was not stored: a position may be dropped, but
// one that should be hidden would be read, and shown, until its life runs out. Called with mu held.
func (b *storeBatch) hideAgain(batch []pendingWrite) {
	for i := range batch {
		old := &batch[i]
		if len(old.write.Payload) > 0 || old.session.over.Load() {
			continue
		}
		if _, newer := b.at[old.session]; newer {
			continue
		}
		item := b.item(old.session)
		item.write.Seq, item.write.Payload, item.write.Show = old.write.Seq, item.write.Payload[:0], false
		item.until = old.until
	}
}

// store does the write, and reports whether the live state took the batch. A batch goes out only under a valid lease, read right before, and without
// the sessions that ended since; the tombstone and the deadline stop what is already under way.
func (w *writer) store(store string, batch []pendingWrite) bool {
	n := w.node
	// Made before the lease is read: a write reaches Redis within WriteDeadline of that, or not at all.
	ctx, cancel := context.WithTimeout(context.Background(), WriteDeadline)
	defer cancel()
	if !n.Serving() {
		n.serving.Store(false)
		n.Stats.Unstored.Add(int64(len(batch)))
		return false
	}
	now := unixMS(n.Clock.Now())
	writes := make([]LiveWrite, 0, len(batch))
	who := make([]*Session, 0, len(batch))
	for i := range batch {
		item := &batch[i]
		left := time.Duration(item.until-now) * time.Millisecond
		if item.session.over.Load() || left <= 0 {
			continue
		}
		item.write.TTL = min(left, PositionLife)
		writes = append(writes, item.write)
		who = append(who, item.session)
	}
	if len(writes) == 0 {
		return true
	}
	results, err := n.Live.Write(ctx, store, writes)
	if err != nil {
		n.Stats.Unstored.Add(int64(len(writes)))
		n.Log.Warn("positions not written; they are dropped", "store", store, "count", len(writes), "error", err)
		return false
	}
	n.Stats.Batches.Add(1)
	for i, r := range results {
		w.written(who[i], r)
	}
	return !slices.Contains(results, TooLate)
}

func (w *writer) written(s *Session, r WriteResult) {
	n := w.node
	switch r {
	case Written:
		n.Stats.Written.Add(1)
	case Fenced: // ended elsewhere: the feed says why
		n.Stats.Fenced.Add(1)
		n.nudged()
	case NotOwner: // a newer connection has it, here or on another node
		n.Stats.NotOwner.Add(1)
		s.letGo(consent.Replaced)
	case Missing: // Redis lost it: the app comes back, and is registered anew
		n.Stats.Missing.Add(1)
		s.letGo(closeUnavailable)
	case OutOfOrder:
		n.Stats.OutOfOrder.Add(1)
	case TooLate:
		n.Stats.TooLate.Add(1)
	}
}
