// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"syscall"

	"doorstep/tracking/server/poll"
)

// line is a phone's connection beneath the library. What was read from it and is not plain is put back, and the library
// reads it again; and a poller may wait for it.
type line struct {
	net.Conn
	raw  syscall.RawConn // nil if it can only be waited for by reading
	back []byte          // belongs to who reads

	mu      sync.Mutex // guards the rest
	unwatch func()     // nil while no poller waits for it
	closing func()     // called when it is closed while one does
	closed  bool
}

func newLine(conn net.Conn) *line {
	l := &line{Conn: conn}
	if c, ok := conn.(syscall.Conn); ok {
		l.raw, _ = c.SyscallConn() // without it, it is read from
	}
	return l
}

// Read takes what was put back first.
func (l *line) Read(b []byte) (int, error) {
	if len(l.back) == 0 {
		l.back = nil
		return l.Conn.Read(b)
	}
	n := copy(b, l.back)
	l.back = l.back[n:]
	return n, nil
}

// putBack has Read begin with a copy of b.
func (l *line) putBack(b []byte) { l.back = append(l.back, b...) }

// watch has a poller wait for the line until it is closed, which is told by closing, or unwatched. It fails if the line is
// closed, or cannot be waited for.
func (l *line) watch(p *poll.Poller, r poll.Reader, closing func()) error {
	if l.raw == nil {
		return poll.ErrUnsupported
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	remove, err := p.Add(l.raw, r)
	if err == nil {
		l.unwatch, l.closing = remove, closing
	}
	return err
}

// Close takes the line off its poller before its descriptor can be another's.
func (l *line) Close() error {
	closing := l.leave(true)
	err := l.Conn.Close()
	if closing != nil {
		closing()
	}
	return err
}

// leave takes the line off its poller; the return is what is to be called if it was at one.
func (l *line) leave(closed bool) (closing func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = l.closed || closed
	if l.unwatch == nil {
		return nil
	}
	l.unwatch()
	closing = l.closing
	l.unwatch, l.closing = nil, nil
	return closing
}

// lined hands the library a line for the connection that it takes over.
type lined struct {
	http.ResponseWriter
	line *line
}

// Hijack implements http.Hijacker.
func (w *lined) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.line = newLine(conn)
	return w.line, buffered, nil
}
