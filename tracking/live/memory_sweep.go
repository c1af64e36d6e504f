// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"time"

	"doorstep/tracking"
)

// Key is what a visit's place holds, without the payload itself.
type Key struct {
	Slot        tracking.Slot // of Redis, Visit is the name that it has there: NameOf
	Tombstone   bool
	HasPosition bool
	TTL         time.Duration // until it expires; above zero
}

// Keys lists what is there, in no order. A demo's check and tests use it.
func (m *Memory) Keys() []Key {
	var keys []Key
	now := m.now()
	for i := range m.shards {
		sh := &m.shards[i]
		sh.mu.Lock()
		for s := range sh.visits {
			if e := sh.get(s, now); e != nil {
				keys = append(keys, Key{Slot: s, Tombstone: e.dead, HasPosition: len(e.payload) > 0, TTL: e.expires.Sub(now)})
			}
		}
		sh.mu.Unlock()
	}
	return keys
}

// Close wipes everything and stops the sweeping; whoever subscribed hears nothing more. Calls
// after it answer ErrClosed.
func (m *Memory) Close() error {
	m.mu.Lock()
	m.closed = true
	if m.timer != nil {
		m.timer.Stop()
	}
	m.mu.Unlock()
	m.bus.close()
	m.sweep(func(*entry) bool { return true })
	return nil
}

// enter is what every call begins with: it honours the context and Close, and sees to it that
// what is about to be stored will be swept.
func (m *Memory) enter(ctx context.Context, op string) error {
	if ctx.Err() != nil {
		return &Error{Op: op, Family: ErrUnavailable, Cause: ctx.Err()}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return &Error{Op: op, Family: ErrClosed}
	}
	if m.timer == nil {
		m.timer = time.AfterFunc(sweepEvery, m.tick)
	}
	return nil
}

// tick wipes what has expired, and comes again while anything is left: a position nobody reads
// must go as well. With nothing left there is no timer.
func (m *Memory) tick() {
	m.mu.Lock()
	m.timer = nil // a call from now on starts the next one
	m.mu.Unlock()
	now := m.now()
	if left := m.sweep(func(e *entry) bool { return !now.Before(e.expires) }); left == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed && m.timer == nil {
		m.timer = time.AfterFunc(sweepEvery, m.tick)
	}
}

// sweep drops every entry that gone says to, and counts the others.
func (m *Memory) sweep(gone func(*entry) bool) (left int) {
	for i := range m.shards {
		sh := &m.shards[i]
		sh.mu.Lock()
		for s, e := range sh.visits {
			if gone(e) {
				sh.drop(s, e)
			}
		}
		left += len(sh.visits)
		sh.mu.Unlock()
	}
	return left
}
