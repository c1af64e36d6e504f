// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"net"
	"sync"
	"time"
)

// Conn is a connection that can be watched. Until it is, it is the one that it was made of. Its methods may be called from any
// goroutine, but one at a time reads.
type Conn struct {
	back []byte // belongs to who reads

	mu       sync.Mutex // guards the rest
	conn     net.Conn   // the runtime's; nil while it is not needed
	bare     int        // a descriptor of ours; none when it is not watched
	deadline time.Time  // for writing
	wrote    func([]byte)
	unwatch  func() // nil unless a poller waits for it
	closing  func()
	closed   bool
}

const none = -1

// NewConn makes one of a connection that nobody else uses from then on.
func NewConn(conn net.Conn) *Conn { return &Conn{conn: conn, bare: none} }

// Watch has a poller wait for the connection until it is closed or unwatched, and closing called when it is closed before.
// net.ErrClosed says that it is closed already; with any other error it is as it was. What it was made of is not written
// through while it is watched; if that has a method Wrote, it is told instead of each write.
func (c *Conn) Watch(p *Poller, r Reader, closing func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	bare, err := take(c.conn)
	if err != nil {
		return err
	}
	remove, err := p.add(bare, r)
	if err != nil {
		closeBare(bare)
		return err
	}
	if w, ok := c.conn.(interface{ Wrote(b []byte) }); ok {
		c.wrote = w.Wrote
	}
	_ = c.conn.Close() // the runtime's share of it
	c.conn, c.bare, c.unwatch, c.closing = nil, bare, remove, closing
	return nil
}

// Unwatch ends the waiting. From then on, Read is how to read.
func (c *Conn) Unwatch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unwatch != nil {
		c.unwatch()
		c.unwatch, c.closing = nil, nil
	}
}

// ReadNow reads what is there from a watched connection and does not wait: 0 bytes and no error say that nothing is. The
// error is io.EOF, net.ErrClosed or the connection's. It does not see what was put back.
func (c *Conn) ReadNow(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bare == none {
		return 0, net.ErrClosed
	}
	return readNow(c.bare, b)
}

// PutBack has Read begin with a copy of b.
func (c *Conn) PutBack(b []byte) { c.back = append(c.back, b...) }

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	if len(c.back) > 0 {
		n := copy(b, c.back)
		c.back = c.back[n:]
		return n, nil
	}
	c.back = nil
	conn, err := c.usual()
	if err != nil {
		return 0, err
	}
	return conn.Read(b)
}

// Write implements net.Conn. It only waits if the other end does not read.
func (c *Conn) Write(b []byte) (n int, err error) {
	n, wrote, err := c.writeNow(b)
	if err == nil && n < len(b) {
		var conn net.Conn
		if conn, err = c.usual(); err == nil {
			var rest int
			rest, err = conn.Write(b[n:])
			n += rest
		}
	}
	if wrote != nil {
		wrote(b[:n])
	}
	return n, err
}

// writeNow writes what goes without waiting, if the connection is out of the runtime's hands.
func (c *Conn) writeNow(b []byte) (n int, wrote func([]byte), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil && c.bare != none {
		n, err = writeNow(c.bare, b)
	}
	return n, c.wrote, err
}

// little is how much may be on its way for a word more to be taken at once. The kernel has room for four times as much at least.
const little = 1 << 10

// Clear reports whether a word would be written without waiting: the connection is watched, and next to nothing of what was
// written before is on its way still.
func (c *Conn) Clear() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn == nil && c.bare != none && underWay(c.bare) <= little
}

// usual is the connection in the runtime's hands. One that is watched goes on being so: for reading, it stays ours.
func (c *Conn) usual() (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, net.ErrClosed
	case c.conn != nil:
		return c.conn, nil
	}
	conn, err := giveBack(c.bare)
	if err == nil {
		err = conn.SetWriteDeadline(c.deadline)
		c.conn = conn
	}
	return conn, err
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	c.mu.Lock()
	closing := c.closing
	err := c.close()
	c.mu.Unlock()
	if closing != nil {
		closing()
	}
	return err
}

// close takes it off its poller before its descriptor's number can be another's. Called with mu held.
func (c *Conn) close() (err error) {
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	if c.unwatch != nil {
		c.unwatch()
	}
	if c.bare != none {
		closeBare(c.bare)
	}
	if c.conn != nil {
		err = c.conn.Close()
	}
	c.unwatch, c.closing, c.bare = nil, nil, none
	return err
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetWriteDeadline(t); err != nil {
		return err
	}
	return c.SetReadDeadline(t)
}

// SetReadDeadline implements net.Conn. It is Read's, not ReadNow's.
func (c *Conn) SetReadDeadline(t time.Time) error {
	conn, err := c.usual()
	if err != nil {
		return err
	}
	return conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn. While nothing has to be waited for, it is a note.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if c.conn == nil || c.closed {
		return nil
	}
	return c.conn.SetWriteDeadline(t)
}

// LocalAddr implements net.Conn. It is nil for one that is closed.
func (c *Conn) LocalAddr() net.Addr {
	if conn, err := c.usual(); err == nil {
		return conn.LocalAddr()
	}
	return nil
}

// RemoteAddr implements net.Conn. It is nil for one that is closed.
func (c *Conn) RemoteAddr() net.Addr {
	if conn, err := c.usual(); err == nil {
		return conn.RemoteAddr()
	}
	return nil
}
