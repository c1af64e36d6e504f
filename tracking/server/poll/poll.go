// SPDX-License-Identifier: Apache-2.0

// Package poll waits for bytes on many connections at once. A goroutine that waits for one connection costs a stack, which the
// collector walks through besides, and for every few bytes that come in it is woken, and finds out by one more system call
// that no more are there. A server of thousands of phones, each of which says something once a second, spends more on that
// than on what they say.
//
// Here a few goroutines wait for all of them, by the kernel's own list of who has something to read. They exist while there
// is somebody to wait for.
package poll

import (
	"errors"
	"io"
	"syscall"
)

// ErrUnsupported answers where connections cannot be waited for in this way: give each a goroutine.
var ErrUnsupported = errors.New("poll: this connection, or this operating system, can only be waited for one by one")

// A Reader has something to read, or has been closed. Ready is called by one goroutine at a time, which others wait for: it
// returns soon and never blocks. scratch is its to use meanwhile. It reads until [Scratch.Read] returns less than there was
// room for, or, if drain is set, until nothing is left: it is not called again for what it leaves.
type Reader interface {
	Ready(scratch *Scratch, drain bool)
}

// Scratch is what a connection is read into. It is used by one goroutine at a time.
type Scratch struct {
	Bytes []byte

	into  []byte
	n     int
	err   error
	visit func(fd uintptr) bool // made once: it would be memory for each reading
}

// Room is how many bytes a Scratch has room for.
const Room = 8 << 10

// NewScratch makes one.
func NewScratch() *Scratch {
	s := &Scratch{Bytes: make([]byte, Room)}
	s.visit = s.read
	return s
}

// Read reads what is there into b, and does not wait: 0 bytes and no error say that nothing is. The error is io.EOF or the
// connection's.
func (s *Scratch) Read(conn syscall.RawConn, b []byte) (int, error) {
	s.into = b
	err := conn.Read(s.visit)
	s.into = nil
	switch {
	case err != nil: // it is closed
		return 0, err
	case s.n > 0:
		return s.n, nil
	case errors.Is(s.err, syscall.EAGAIN):
		return 0, nil
	case s.err == nil:
		return 0, io.EOF
	}
	return 0, s.err
}

// read is one system call, or more if signals come in between.
func (s *Scratch) read(fd uintptr) bool {
	for {
		s.n, s.err = syscall.Read(int(fd), s.into)
		if s.err != syscall.EINTR {
			return true
		}
	}
}
