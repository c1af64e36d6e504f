// SPDX-License-Identifier: Apache-2.0

package tracking

// For the tests outside of the package.
const (
	DutyGrace    = dutyGrace
	EnderWorkers = enderWorkers
	LooksMost    = looksMost
	EndRetryMax  = endRetryMax
	MaxCheckins  = maxCheckins
)

// Owe promises a snapshot at once, as a frame does that was dropped for want of a lease.
func (c *Console) Owe() {
	c.owe()
	c.signal()
}

// Remembered counts what a node keeps of what is over or answered: ended visits, waits for acknowledgements, and a desk's alerts.
func (n *Node) Remembered(store string) (ended, waits, alerts int) {
	n.ended.mu.RLock()
	ended = len(n.ended.visits)
	n.ended.mu.RUnlock()
	n.acks.mu.Lock()
	waits = len(n.acks.waiting)
	n.acks.mu.Unlock()
	d := n.desks.get(store)
	d.mu.Lock()
	defer d.mu.Unlock()
	return ended, waits, len(d.alerts)
}

// DecodePosition is what a live state's payload says.
func DecodePosition(b []byte) (Position, bool) { return decodePosition(b) }

// AppendPosition is how it is written.
func AppendPosition(b []byte, p Position) []byte { return p.append(b) }
