// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"slices"
	"sync"

	"doorstep/tracking"
)

// busQueue is how many messages a slow subscriber may be behind before it loses some, as a
// subscriber of Redis would.
const busQueue = 1024

// bus is publish and subscribe within the process: at most once, in order, never blocking.
type bus struct {
	mu     sync.Mutex
	subs   map[*subscriber]struct{} // guarded by mu
	closed bool                     // guarded by mu
}

// subscriber is owned by the goroutine of deliver; queue is its only way in.
type subscriber struct {
	channels []string
	queue    chan tracking.Message
	f        func(tracking.Message)
}

func (b *bus) publish(channel string, payload []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subs {
		if !slices.Contains(s.channels, channel) {
			continue
		}
		select {
		case s.queue <- tracking.Message{Channel: channel, Payload: payload}:
		default: // lost: it is only a hint
		}
	}
}

func (b *bus) subscribe(ctx context.Context, f func(tracking.Message), channels []string) {
	s := &subscriber{channels: slices.Clone(channels), queue: make(chan tracking.Message, busQueue), f: f}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	if b.subs == nil {
		b.subs = make(map[*subscriber]struct{})
	}
	b.subs[s] = struct{}{}
	go b.deliver(ctx, s)
}

// deliver runs until the context ends or the bus closes.
func (b *bus) deliver(ctx context.Context, s *subscriber) {
	defer b.remove(s)
	for {
		select {
		case <-ctx.Done():
			return
		case m, open := <-s.queue:
			if !open || ctx.Err() != nil {
				return
			}
			s.f(m)
		}
	}
}

func (b *bus) remove(s *subscriber) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subs, s)
}

// close ends every subscription. Queues are closed under the lock that publish sends under.
func (b *bus) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for s := range b.subs {
		close(s.queue)
	}
	b.subs = nil
}
