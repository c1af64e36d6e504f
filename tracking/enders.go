// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"
	"sync"
	"time"

	"doorstep/consent"
)

// enders carries out what sessions decide by themselves: their ends, and alerts that wait for the
// shopper to be inside. The session is closed already; what is queued here is the durable part, and
// it is repeated until it is done.
type enders struct {
	node *Node

	mu    sync.Mutex // owns the rest
	queue []func(context.Context)
	open  int // queued, apart or under way
	wake  chan struct{}
	idle  chan struct{} // a signal each time open falls to 0
}

const (
	enderWorkers = 8
	endRetryMin  = 100 * time.Millisecond
	endRetryMax  = 5 * time.Second
)

func newEnders(n *Node) *enders {
	return &enders{node: n, wake: make(chan struct{}, 1), idle: make(chan struct{}, 1)}
}

// add queues the end of a visit that this node owned and whose purge is under way.
func (e *enders) add(purged <-chan struct{}, r consent.EndRequest) {
	e.put(func(ctx context.Context) { e.end(ctx, purged, r, endRetryMin) })
}

// raise queues an alert.
func (e *enders) raise(a Alert) {
	e.put(func(ctx context.Context) {
		if _, err := e.node.Raise(ctx, a); err != nil && !errors.Is(err, ErrNoVisit) {
			e.node.Log.Warn("alert not raised", "kind", a.Kind, "error", err)
		}
	})
}

func (e *enders) put(job func(context.Context)) {
	e.mu.Lock()
	e.queue = append(e.queue, job)
	e.open++
	e.mu.Unlock()
	e.signal(e.wake)
}

// apart does a job that may wait for the live state beside the queue, so that no commit waits for it as well.
func (e *enders) apart(job func(context.Context)) {
	e.mu.Lock()
	e.open++
	e.mu.Unlock()
	go func() {
		defer e.finished()
		job(context.Background())
	}()
}

func (e *enders) signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (e *enders) run(ctx context.Context) error {
	var workers sync.WaitGroup
	for range enderWorkers {
		workers.Go(func() { e.work(ctx) })
	}
	workers.Wait()
	return ctx.Err()
}

func (e *enders) work(ctx context.Context) {
	for {
		job, more := e.take()
		if job == nil {
			select {
			case <-ctx.Done():
				return
			case <-e.wake:
				continue
			}
		}
		if more {
			e.signal(e.wake)
		}
		job(ctx)
		e.finished()
	}
}

func (e *enders) take() (job func(context.Context), more bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 {
		return nil, false
	}
	job = e.queue[0]
	e.queue = e.queue[1:]
	return job, len(e.queue) > 0
}

func (e *enders) finished() {
	e.mu.Lock()
	e.open--
	idle := e.open == 0
	e.mu.Unlock()
	if idle {
		e.signal(e.idle)
	}
}

// drain waits until nothing is queued, for at most the given time.
func (e *enders) drain(atMost time.Duration) {
	timeout := time.NewTimer(atMost)
	defer timeout.Stop()
	for {
		e.mu.Lock()
		open := e.open
		e.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-e.idle:
		case <-timeout.C:
			return
		}
	}
}

// purgeGrace is how long the word that a visit is gone waits for the purge, so that it is nearly always
// true of Redis too. It does not depend on it: whoever looks a visit up that has ended finds nothing.
const purgeGrace = 250 * time.Millisecond

// end commits, then makes it known. A ledger that cannot be reached is asked again for as long as the
// node runs, each time as a new job: what waits behind is not held up.
func (e *enders) end(ctx context.Context, purged <-chan struct{}, r consent.EndRequest, wait time.Duration) {
	n := e.node
	tctx, cancel := context.WithTimeout(ctx, answerWithin)
	ending, err := n.Ledger.End(tctx, r)
	cancel()
	switch {
	case ctx.Err() != nil:
		return
	case refused(err): // asking again would not help, and the visit is closed and purged already
		n.Log.Error("end of a visit refused by the ledger", "error", err)
		return
	case err != nil:
		n.Stats.EndRetried.Add(1)
		n.Log.Warn("end of a visit not committed yet; trying again", "error", err)
		time.AfterFunc(wait, func() {
			e.put(func(ctx context.Context) { e.end(ctx, purged, r, min(2*wait, endRetryMax)) })
		})
		return
	}
	e.remember(ctx, ending)
	grace := time.NewTimer(purgeGrace)
	defer grace.Stop()
	select {
	case <-purged:
	case <-grace.C:
	}
	for _, end := range ending.Ends {
		n.applyEnd(end, ending.At)
	}
	n.hint(ctx, hint{Kind: hintNudge, Node: n.ID, Change: ending.Change})
}

// remember raises the mark outside the ledger. Nobody waits for an answer, so an end that could not be marked is made known all
// the same; the next one marks it too.
func (e *enders) remember(ctx context.Context, ending consent.Ending) {
	ctx, cancel := context.WithTimeout(ctx, WriteDeadline)
	defer cancel()
	if err := e.node.remember(ctx, ending); err != nil {
		e.node.Log.Warn("the end of a visit is committed, but a copy of the ledger from before it would not be noticed yet", "error", err)
	}
}
