// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
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
	until map[Slot]time.Duration // boot time
}

func newPurger(n *Node) *purger {
	return &purger{node: n, until: make(map[Slot]time.Duration)}
}

// now purges at once, confirms, and keeps repeating.
func (p *purger) now(ctx context.Context, slots []Slot) error {
	p.keep(slots)
	return p.purge(ctx, slots)
}

func (p *purger) keep(slots []Slot) {
	until := p.node.Clock.Boot() + purgeFor
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range slots {
		p.until[s] = until
	}
}

func (p *purger) purge(ctx context.Context, slots []Slot) error {
	for store, visits := range byStore(slots) {
		if err := p.node.Live.Purge(ctx, store, visits); err != nil {
			return err
		}
	}
	return nil
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
	due := make([]Slot, 0, len(p.until))
	for s, until := range p.until {
		if now > until {
			delete(p.until, s)
			continue
		}
		due = append(due, s)
	}
	return due
}
