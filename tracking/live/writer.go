// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// maxFlush bounds how many calls one flush takes along: with maxBatch, some 5 ms of Redis.
const maxFlush = 64

// writer sends the calls for one node, one flush at a time: what comes in while a flush is under
// way goes out together in the next. So a node has one write in flight, the clock is read
// once per flush, and the stores of a tick share a system call. Its goroutine lives only while
// there is something to send.
type writer struct {
	opts *Options
	base context.Context // ends with the client

	mu      sync.Mutex
	client  *redis.Client // guarded by mu
	queue   []*request    // guarded by mu
	running bool          // guarded by mu: the goroutine of run exists, and owns line
	idle    sync.WaitGroup

	line *line // owned by run, or nobody's
}

// request is the calls of one caller. The caller reads it only after done is closed; if its
// context ends first, it goes without looking back.
type request struct {
	ctx   context.Context
	calls []*call
	err   error
	done  chan struct{}
}

// do sends the calls and waits for the answers or the end of ctx, whichever is first.
func (w *writer) do(ctx context.Context, client *redis.Client, calls ...*call) error {
	r := &request{ctx: ctx, calls: calls, done: make(chan struct{})}
	w.mu.Lock()
	if w.base.Err() != nil {
		w.mu.Unlock()
		return redis.ErrClosed
	}
	w.client = client
	w.queue = append(w.queue, r)
	if !w.running {
		w.running = true
		w.idle.Go(w.run)
	}
	w.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run flushes until the queue is empty.
func (w *writer) run() {
	for {
		client, batch := w.take()
		if batch == nil {
			return
		}
		w.flush(client, batch)
		for _, r := range batch {
			close(r.done)
		}
	}
}

// take removes what one flush will send; those whose caller has gone are not sent at all. A nil
// batch says that there is nothing, and that running has ended.
func (w *writer) take() (*redis.Client, []*request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var batch []*request
	calls := 0
	for len(w.queue) > 0 && calls < maxFlush {
		r := w.queue[0]
		w.queue[0], w.queue = nil, w.queue[1:]
		if r.ctx.Err() != nil {
			r.err = r.ctx.Err()
			close(r.done)
			continue
		}
		batch, calls = append(batch, r), calls+len(r.calls)
	}
	w.running = batch != nil
	return w.client, batch
}

// flush sends one batch and gives every request its error. If the connection fails, the next
// flush begins with a new line: another connection, and another sample of the clock.
func (w *writer) flush(client *redis.Client, batch []*request) {
	ctx, cancel := context.WithTimeout(w.base, w.opts.ReplyTimeout)
	defer cancel()
	if err := w.ready(ctx, client); err != nil {
		for _, r := range batch {
			r.err = err
		}
		return
	}
	if err := w.line.send(ctx, collect(batch), w.opts.allow); err != nil {
		w.hangUp()
	}
	for _, r := range batch {
		r.err = firstError(r.calls)
	}
}

func firstError(calls []*call) error {
	for _, c := range calls {
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

func collect(batch []*request) []*call {
	var calls []*call
	for _, r := range batch {
		calls = append(calls, r.calls...)
	}
	return calls
}

// ready sees to a line with a fresh sample. No write has been sent yet, so a line that has died
// in the meantime is replaced without asking anybody.
func (w *writer) ready(ctx context.Context, client *redis.Client) (err error) {
	if w.line != nil && w.line.stale(w.opts.SampleEvery) && w.line.sample(ctx) != nil {
		w.hangUp()
	}
	if w.line == nil {
		w.line, err = openLine(ctx, client, w.opts.Boot)
	}
	return err
}

func (w *writer) hangUp() {
	if w.line != nil {
		w.line.close()
		w.line = nil
	}
}

// close waits for a flush under way. base has ended and the client is closed, so it fails soon;
// the lock lets a request that came just before that start its goroutine first.
func (w *writer) close() {
	w.mu.Lock()
	//lint:ignore SA2001 a barrier, not a section
	w.mu.Unlock()
	w.idle.Wait()
	w.hangUp()
}
