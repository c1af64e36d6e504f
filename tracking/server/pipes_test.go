// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"net"
	"sync"
	"time"
)

// pipes is a listener whose connections are pipes within the process: what one end writes waits until the
// other reads it, so a peer that does not read is felt at once. They can be waited for in a bubble.
type pipes struct {
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{calls: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.calls <- addressed{theirs}:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }

// addressed is a pipe that comes from an address, as requests do.
type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// bubbleClock is the bubble's time.
type bubbleClock struct{ start time.Time }

func (bubbleClock) Now() time.Time { return time.Now() }

func (c bubbleClock) Boot() time.Duration { return time.Hour + time.Since(c.start) }
