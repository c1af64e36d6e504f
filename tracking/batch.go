// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"sync"
	"sync/atomic"
	"time"
)

// storeBatch is what is to be written of one store: one part gathers while the other is on its way.
type storeBatch struct {
	store   string
	failing atomic.Int64 // boot time of the first write since the last that was stored, as of its flush; 0: the last one was

	mu      sync.Mutex // owns the rest, and the turn and at of the store's sessions
	pending []pendingWrite
	sent    []pendingWrite // belongs to the flight while busy
	turn    int64          // which pending this is, from 1: a session's place in it is good for one
	busy    bool           // a batch is on its way
	again   bool           // flush once more when it is back
}

// pendingWrite is the newest of a session: a position, or its blanking. Its memory is used again.
type pendingWrite struct {
	session *Session
	seq     int64
	payload []byte // empty: a blanking
	show    bool
	until   int64 // the session's lease, Unix milliseconds
}

// blank makes it hide what was written before.
func (p *pendingWrite) blank(seq, until int64) {
	p.seq, p.payload, p.show, p.until = seq, p.payload[:0], false, until
}

// forget wipes what is not to be kept.
func (p *pendingWrite) forget() {
	clear(p.payload)
	p.session, p.payload = nil, p.payload[:0]
}

// item is the session's place among the pending. Called with mu held.
func (b *storeBatch) item(s *Session) *pendingWrite {
	if s.turn == b.turn {
		return &b.pending[s.at]
	}
	s.turn, s.at = b.turn, len(b.pending)
	if len(b.pending) < cap(b.pending) {
		b.pending = b.pending[:len(b.pending)+1] // keeps the payload's memory
	} else {
		b.pending = append(b.pending, pendingWrite{})
	}
	b.pending[s.at].session = s
	return &b.pending[s.at]
}

// depart puts what is pending on its way. It reports whether there is anything that can go now.
func (b *storeBatch) depart() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case len(b.pending) == 0:
		return false
	case b.busy:
		b.again = true
		return false
	}
	b.busy = true
	b.pending, b.sent = b.sent[:0], b.pending
	b.turn++
	return true
}

// land takes the batch back that was on its way, and reports whether another is to follow at once.
func (b *storeBatch) land(stored bool) (again bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !stored {
		b.hideAgain()
	}
	for i := range b.sent {
		b.sent[i].forget()
	}
	again = b.again
	b.busy, b.again = false, false
	return again
}

// note takes down whether a write, or a registration, was stored.
func (b *storeBatch) note(stored bool, boot int64) {
	if stored {
		b.failing.Store(0)
	} else {
		b.failing.CompareAndSwap(0, boot)
	}
}

// lost reports whether nothing has been stored for a position's life: then no position of the store's is there any more, and
// no registration by which one could be written.
func (b *storeBatch) lost(boot time.Duration) bool {
	since := time.Duration(b.failing.Load())
	return since > 0 && boot-since > PositionLife
}

// hideAgain takes back the blankings of a batch that was not stored: a position may be dropped, but
// one that should be hidden would be read, and shown, until its life runs out. Called with mu held.
func (b *storeBatch) hideAgain() {
	for i := range b.sent {
		old := &b.sent[i]
		if newer := old.session.turn == b.turn; newer || len(old.payload) > 0 || old.session.over.Load() {
			continue
		}
		b.item(old.session).blank(old.seq, old.until)
	}
}

// flight is the batches of some stores that go out together. One goroutine has it at a time.
type flight struct {
	batches []*storeBatch
	starts  []int       // where in writes each begins, and the end
	writes  []LiveWrite // of batches, less what is not to be written any more
	who     []*Session  // whose they are
}

// pending counts what is in the batches.
func (f *flight) pending() (n int64) {
	for _, b := range f.batches {
		n += int64(len(b.sent))
	}
	return n
}

// load makes the writes of the sessions that go on, for what is left of their lease.
func (f *flight) load(now int64) {
	for _, b := range f.batches {
		f.starts = append(f.starts, len(f.writes))
		for i := range b.sent {
			item := &b.sent[i]
			s, left := item.session, time.Duration(item.until-now)*time.Millisecond
			if s.over.Load() || left <= 0 {
				continue
			}
			f.writes = append(f.writes, LiveWrite{Slot: Slot{b.store, s.visit}, Owner: s.owner, Seq: item.seq,
				Payload: item.payload, TTL: min(left, PositionLife), Show: item.show})
			f.who = append(f.who, s)
		}
	}
	f.starts = append(f.starts, len(f.writes))
}

// reset keeps the memory, and nothing of anybody.
func (f *flight) reset() {
	clear(f.batches)
	clear(f.writes)
	clear(f.who)
	f.batches, f.starts, f.writes, f.who = f.batches[:0], f.starts[:0], f.writes[:0], f.who[:0]
}
