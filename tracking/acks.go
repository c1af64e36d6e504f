// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"sync"
	"time"
)

// acks is the barrier before an answer: every node that was listed when an end was committed has
// acknowledged it, or can no longer act on what it knew before.
type acks struct {
	node *Node

	mu      sync.Mutex
	waiting map[*ackWait]struct{}
}

// ackWait waits for one change. Its fields belong to the mutex of acks.
type ackWait struct {
	acks     *acks
	change   int64
	missing  map[string]bool
	heard    int
	seen     int // consoles that other nodes reported
	complete chan struct{}
}

func newAcks(n *Node) *acks { return &acks{node: n, waiting: make(map[*ackWait]struct{})} }

// expect starts to wait for the nodes listed at the commit, this one excepted: it applies the end
// itself before it waits.
func (a *acks) expect(change int64, nodes []string) *ackWait {
	w := &ackWait{acks: a, change: change, missing: make(map[string]bool), complete: make(chan struct{})}
	if change > 0 {
		for _, id := range nodes {
			if id != a.node.ID {
				w.missing[id] = true
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting[w] = struct{}{}
	if len(w.missing) == 0 {
		close(w.complete)
	}
	return w
}

// heard takes in an acknowledgement. One of a later change covers all before it.
func (a *acks) heard(node string, change int64, consoles int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for w := range a.waiting {
		if change < w.change || !w.missing[node] {
			continue
		}
		delete(w.missing, node)
		w.heard++
		w.seen += consoles
		if len(w.missing) == 0 {
			close(w.complete)
		}
	}
}

// done returns once the barrier has been passed. committed is the boot time right after the commit
// returned: a lease that was running then has run out LeaseTime later, whoever held it.
func (w *ackWait) done(ctx context.Context, committed time.Duration) error {
	ask := time.NewTicker(PollEvery / 4)
	defer ask.Stop()
	for {
		select {
		case <-w.complete:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-ask.C:
			if w.acks.node.Clock.Boot()-committed > LeaseTime {
				return nil
			}
			w.askLedger(ctx)
		}
	}
}

// askLedger looks the acknowledgements up, in case the hints were lost.
func (w *ackWait) askLedger(ctx context.Context) {
	known, err := w.acks.node.Ledger.Acked(ctx, w.outstanding())
	if err != nil {
		return // the lease decides
	}
	for node, change := range known {
		w.acks.heard(node, change, 0)
	}
}

func (w *ackWait) outstanding() []string {
	w.acks.mu.Lock()
	defer w.acks.mu.Unlock()
	nodes := make([]string, 0, len(w.missing))
	for id := range w.missing {
		nodes = append(nodes, id)
	}
	return nodes
}

// result is how many other nodes acknowledged, and how many consoles they reported.
func (w *ackWait) result() (nodes, consoles int) {
	w.acks.mu.Lock()
	defer w.acks.mu.Unlock()
	return w.heard, w.seen
}

func (w *ackWait) close() {
	w.acks.mu.Lock()
	defer w.acks.mu.Unlock()
	delete(w.acks.waiting, w)
}
