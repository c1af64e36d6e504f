// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"slices"
	"sync"
)

// turns hands the writing connections to as many callers at a time: first come, first served, but for
// those that the promises wait for. A node whose poll stands in a queue of grants loses its lease and
// with it every session; an end that stands in one keeps a shopper waiting to be gone.
type turns struct {
	mu      sync.Mutex // owns the rest
	free    int
	urgent  []chan struct{}
	patient []chan struct{}
}

func newTurns(n int) *turns { return &turns{free: n} }

// take waits for a turn, for as long as ctx lasts.
func (t *turns) take(ctx context.Context, urgent bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	queue := &t.patient
	if urgent {
		queue = &t.urgent
	}
	*queue = append(*queue, mine)
	t.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(*queue, mine); i >= 0 {
		*queue = slices.Delete(*queue, i, i+1)
		return ctx.Err()
	}
	t.pass() // it was handed over at the same moment
	return ctx.Err()
}

// give ends the turn.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pass()
}

// pass hands the turn to whoever is next. Called with mu held.
func (t *turns) pass() {
	for _, queue := range []*[]chan struct{}{&t.urgent, &t.patient} {
		if len(*queue) > 0 {
			next := (*queue)[0]
			*queue = (*queue)[1:]
			close(next)
			return
		}
	}
	t.free++
}
