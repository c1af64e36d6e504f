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
