// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"time"

	"doorstep/consent"
)

// For the benchmarks of the writer: sessions without ledger and phone, and a tick at a time.

// Trust gives the node a lease that lasts for d.
func (n *Node) Trust(d time.Duration) { n.lease.renew(n.Clock.Boot()+d, 1) }

// Stand is a session that was never opened.
func (n *Node) Stand(store, visit string) *Session {
	return &Session{node: n, scope: consent.Scope{Store: store}, visit: visit, owner: newOwner(), batch: n.writer.batch(store)}
}

// Enlist registers it in the live state.
func (s *Session) Enlist() error {
	return s.node.Live.Register(context.Background(), Slot{s.scope.Store, s.visit}, s.owner, 0, PositionLife)
}

// Put is what becomes of an accepted fix.
func (s *Session) Put(p *Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	s.node.writer.add(s, p, unixMS(s.node.Clock.Now().Add(PositionLife)))
}

// Flush is a tick of the writer, and waits until it has been written.
func (n *Node) Flush() {
	n.writer.tick()
	n.writer.flying.Wait()
}
