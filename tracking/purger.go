// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// purgeFor is how long a purge is repeated after the end was committed: until every node's lease
	// has run out, the last write it may have sent has passed its deadline, and whatever a failover
	// brought back has expired.
	purgeFor = LeaseTime + WriteDeadline + PositionLife
)

// purger repeats purges, since nobody announces that a failover took one back.
type purger struct {
	node *Node

	mu    sync.Mutex
	slots map[Slot]*purging
}

// purging is one slot that is being kept clear. It belongs to the purger's mutex.
type purging struct {
	until     time.Duration // boot time
	confirmed bool          // Redis has said so, once at least
}

func newPurger(n *Node) *purger {
	return &purger{node: n, slots: make(map[Slot]*purging)}
}

// now purges at once, confirms, and keeps repeating. With it goes whatever else of these stores has not
// been confirmed yet: a visit that ended a moment ago is as gone, by the time this answers, as this one.
func (p *purger) now(ctx context.Context, slots []Slot) error {
	p.keep(slots)
	return p.purge(ctx, p.withUnconfirmed(slots))
}

// soon is now in the background, for at most as long as a write may take; the channel is closed when it
// is over, whatever became of it. The repetition does the rest.
func (p *purger) soon(slots []Slot) <-chan struct{} {
	p.keep(slots)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), WriteDeadline)
		defer cancel()
		if err := p.purge(ctx, slots); err != nil {
			p.node.Log.Warn("a position that must go is not purged yet; it will be", "error", err)
		}
	}()
	return done
}

func (p *purger) withUnconfirmed(slots []Slot) []Slot {
	stores := make(map[string]bool)
	for _, s := range slots {
		stores[s.Store] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Slot
	for s, state := range p.slots {
		if stores[s.Store] && !state.confirmed {
			all = append(all, s)
		}
	}
	return all
}

func (p *purger) keep(slots []Slot) {
	until := p.node.Clock.Boot() + purgeFor
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range slots {
		p.slots[s] = &purging{until: until}
	}
}

// purge purges store by store, all at the same time: one whose server cannot be reached keeps no other waiting.
func (p *purger) purge(ctx context.Context, slots []Slot) error {
	stores := byStore(slots)
	failed := make(chan error, len(stores))
	for store, visits := range stores {
		go func() {
			err := p.node.Live.Purge(ctx, store, visits)
			if err == nil {
				p.confirm(store, visits)
			}
			failed <- err
		}()
	}
	var err error
	for range stores {
		err = errors.Join(err, <-failed)
	}
	return err
}

func (p *purger) confirm(store string, visits []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, v := range visits {
		if state := p.slots[Slot{store, v}]; state != nil {
			state.confirmed = true
		}
	}
}

func byStore(slots []Slot) map[string][]string {
	m := make(map[string][]string)
	for _, s := range slots {
		m[s.Store] = append(m[s.Store], s.Visit)
	}
	return m
}

func (p *purger) run(ctx context.Context) error {
	tick := time.NewTicker(PurgeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			p.repeat(ctx)
		}
	}
}

func (p *purger) repeat(ctx context.Context) {
	due := p.due(p.node.Clock.Boot())
	if len(due) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, PurgeEvery)
	defer cancel()
	if err := p.purge(ctx, due); err != nil && ctx.Err() == nil {
		p.node.Log.Warn("purge not repeated; it will be", "count", len(due), "error", err)
	}
}

func (p *purger) due(now time.Duration) []Slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := make([]Slot, 0, len(p.slots))
	for s, state := range p.slots {
		if now > state.until {
			delete(p.slots, s)
			continue
		}
		due = append(due, s)
	}
	return due
}
