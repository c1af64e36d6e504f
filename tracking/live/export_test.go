// SPDX-License-Identifier: Apache-2.0

package live

import (
	"time"

	"doorstep/tracking"
)

// Allow replaces tracking.WriteDeadline: a negative one makes every write late.
func (o Options) Allow(d time.Duration) Options {
	o.allow = d
	return o
}

// The unexported that tests look at directly.
var (
	Translate  = translate
	ParseURL   = parseURL
	AppendHead = tracking.AppendShownHead
)

// Queue is what is on its way to the nodes: the callers that wait for a flush, and whether one is
// under way.
func (r *Redis) Queue() (waiting int, sending bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.writers {
		w.mu.Lock()
		waiting, sending = waiting+len(w.queue), sending || w.running
		w.mu.Unlock()
	}
	return waiting, sending
}

// Held counts what is in memory, expired or not.
func (m *Memory) Held() int { return m.sweep(func(*entry) bool { return false }) }

// Sweeping reports whether the timer is set.
func (m *Memory) Sweeping() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.timer != nil
}

// Subscribers counts them.
func (m *Memory) Subscribers() int {
	m.bus.mu.Lock()
	defer m.bus.mu.Unlock()
	return len(m.bus.subs)
}
