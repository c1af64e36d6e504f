// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"doorstep/tracking"
)

const (
	shards     = 16
	sweepEvery = time.Second
)

// Memory is the in-memory twin of Redis, for one process. It keeps the same contract but for one
// rule that has no meaning here: a write has no way to be late on, so TooLate never happens.
// All methods are safe for concurrent use.
type Memory struct {
	now  func() time.Time
	seed maphash.Seed
	bus  bus

	shards [shards]shard

	mu     sync.Mutex
	timer  *time.Timer // guarded by mu; runs while there is anything to sweep
	closed bool        // guarded by mu
}

// shard holds the visits of some stores; all of one store are in one shard, so that a batch is
// atomic under one lock.
type shard struct {
	mu     sync.Mutex
	visits map[tracking.Slot]*entry // guarded by mu
}

// entry is a tombstone, or a registration with or without a payload.
type entry struct {
	owner   string
	seq     int64
	payload []byte // ours alone; wiped when it goes
	expires time.Time
	dead    bool
}

var _ tracking.Live = (*Memory)(nil)

// NewMemory returns an empty twin that takes its time from now; nil means time.Now.
func NewMemory(now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	m := &Memory{now: now, seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].visits = make(map[tracking.Slot]*entry)
	}
	return m
}

func (m *Memory) shard(store string) *shard {
	return &m.shards[maphash.String(m.seed, store)%shards]
}

// get returns a visit's entry if it has not expired, and wipes it if it has. Needs sh.mu.
func (sh *shard) get(s tracking.Slot, now time.Time) *entry {
	e := sh.visits[s]
	if e != nil && !now.Before(e.expires) {
		sh.drop(s, e)
		return nil
	}
	return e
}

// drop removes an entry and overwrites what it held. Needs sh.mu.
func (sh *shard) drop(s tracking.Slot, e *entry) {
	clear(e.payload)
	delete(sh.visits, s)
}

// Register implements tracking.Live.
func (m *Memory) Register(ctx context.Context, s tracking.Slot, owner string, seq int64, ttl time.Duration) error {
	if err := checkRegister(s, owner, seq, ttl); err != nil {
		return err
	}
	if err := m.enter(ctx, "Register"); err != nil {
		return err
	}
	sh, now := m.shard(s.Store), m.now()
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.get(s, now)
	if e != nil && e.dead {
		return tracking.ErrFenced
	}
	if e != nil {
		sh.drop(s, e)
	}
	sh.visits[s] = &entry{owner: owner, seq: seq, expires: now.Add(life(ttl))}
	return nil
}

// life is the expiry that Redis would keep: whole milliseconds, at most PositionLife.
func life(ttl time.Duration) time.Duration { return time.Duration(lifeMS(ttl)) * time.Millisecond }

// Write implements tracking.Live. What a batch has of one store in a row is one atomic step.
func (m *Memory) Write(ctx context.Context, batch []tracking.LiveWrite) ([]tracking.WriteResult, error) {
	if err := checkBatch(batch); err != nil {
		return nil, err
	}
	if err := m.enter(ctx, "Write"); err != nil {
		return nil, err
	}
	results := make([]tracking.WriteResult, 0, len(batch))
	for len(batch) > 0 {
		store, n := batch[0].Slot.Store, 1
		for n < len(batch) && batch[n].Slot.Store == store {
			n++
		}
		results = m.writeStore(results, store, batch[:n])
		batch = batch[n:]
	}
	return results, nil
}

// Home implements tracking.Live: there is no other.
func (m *Memory) Home(string) string { return "" }

// writeStore appends the results of one store's writes.
func (m *Memory) writeStore(results []tracking.WriteResult, store string, batch []tracking.LiveWrite) []tracking.WriteResult {
	var shown []byte
	sh, now := m.shard(store), m.now()
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for i := range batch {
		w := &batch[i]
		result := sh.write(w, now)
		results = append(results, result)
		if result == tracking.Written && w.Show {
			shown = tracking.AppendShownHead(shown, w.Slot.Visit, len(w.Payload))
			shown = append(shown, w.Payload...)
		}
	}
	if len(shown) > 0 { // under the lock: the order on the channel is the order of the writes
		m.bus.publish(store, append([]byte{tracking.ShownVersion}, shown...))
	}
	return results
}

// write applies one item by the same rules, in the same order, as write.lua. Needs sh.mu.
func (sh *shard) write(w *tracking.LiveWrite, now time.Time) tracking.WriteResult {
	e := sh.get(w.Slot, now)
	switch {
	case e != nil && e.dead:
		return tracking.Fenced
	case lifeMS(w.TTL) == 0:
		return tracking.NotOwner
	case e == nil:
		return tracking.Missing
	case e.owner != w.Owner:
		return tracking.NotOwner
	case w.Seq <= e.seq:
		return tracking.OutOfOrder
	}
	clear(e.payload)
	e.seq, e.payload, e.expires = w.Seq, append(e.payload[:0], w.Payload...), now.Add(life(w.TTL))
	return tracking.Written
}

// Read implements tracking.Live.
func (m *Memory) Read(ctx context.Context, store string, visits []string) (map[string][]byte, error) {
	found := make(map[string][]byte, len(visits))
	err := m.entries(ctx, "Read", store, visits, func(visit string, e *entry) {
		if len(e.payload) > 0 {
			found[visit] = append([]byte(nil), e.payload...)
		}
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Owners implements tracking.Live.
func (m *Memory) Owners(ctx context.Context, store string, visits []string) (map[string]string, error) {
	found := make(map[string]string, len(visits))
	err := m.entries(ctx, "Owners", store, visits, func(visit string, e *entry) {
		if !e.dead {
			found[visit] = e.owner
		}
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// entries calls take, under the shard's lock, for each of the visits that has one.
func (m *Memory) entries(ctx context.Context, op, store string, visits []string, take func(visit string, e *entry)) error {
	if err := checkVisits(op, store, visits); err != nil {
		return err
	}
	if err := m.enter(ctx, op); err != nil {
		return err
	}
	sh, now := m.shard(store), m.now()
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, v := range visits {
		if e := sh.get(tracking.Slot{Store: store, Visit: v}, now); e != nil {
			take(v, e)
		}
	}
	return nil
}

// Purge implements tracking.Live.
func (m *Memory) Purge(ctx context.Context, store string, visits []string) error {
	if err := checkVisits("Purge", store, visits); err != nil {
		return err
	}
	if err := m.enter(ctx, "Purge"); err != nil {
		return err
	}
	sh, now := m.shard(store), m.now()
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, v := range visits {
		s := tracking.Slot{Store: store, Visit: v}
		if e := sh.visits[s]; e != nil {
			sh.drop(s, e)
		}
		sh.visits[s] = &entry{dead: true, expires: now.Add(tracking.FenceLife)}
	}
	return nil
}

// Publish implements tracking.Live.
func (m *Memory) Publish(ctx context.Context, channel string, payload []byte) error {
	if err := checkChannels("Publish", []string{channel}); err != nil {
		return err
	}
	if err := m.enter(ctx, "Publish"); err != nil {
		return err
	}
	m.bus.publish(channel, append([]byte(nil), payload...))
	return nil
}

// Subscribe implements tracking.Live. It returns at once, with the subscription in force.
func (m *Memory) Subscribe(ctx context.Context, f func(tracking.Message), channels ...string) error {
	if err := checkChannels("Subscribe", channels); err != nil {
		return err
	}
	if err := m.enter(ctx, "Subscribe"); err != nil {
		return err
	}
	m.bus.subscribe(ctx, f, channels)
	return nil
}

// Ping implements tracking.Live.
func (m *Memory) Ping(ctx context.Context) error { return m.enter(ctx, "Ping") }
