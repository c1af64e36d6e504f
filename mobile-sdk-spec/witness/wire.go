// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"syscall"
)

// wire is a socket of the server's: what is written to it is read along.
type wire struct {
	net.Conn
	witness   *Witness
	direction string

	mu      sync.Mutex
	behind  []byte // written, and not yet a whole frame
	greeted bool   // the answer to the upgrade has gone by
}

// Write notes the frames that are complete, before anybody can have read them.
func (w *wire) Write(b []byte) (int, error) {
	w.Wrote(b)
	return w.Conn.Write(b)
}

// Wrote notes what a server wrote past it, to the same peer.
func (w *wire) Wrote(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.behind = append(w.behind, b...)
	w.take()
}

// SyscallConn lets a server wait for the connection as it would without a witness.
func (w *wire) SyscallConn() (syscall.RawConn, error) {
	if c, ok := w.Conn.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// SetWriteBuffer bounds what waits for the peer as it would be without a witness.
func (w *wire) SetWriteBuffer(bytes int) error {
	if c, ok := w.Conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		return c.SetWriteBuffer(bytes)
	}
	return errors.ErrUnsupported
}

// Frames of RFC 6455, section 5.2. A server's are not masked.
const (
	opcode  = 0x0f
	text    = 1
	closing = 8
	masked  = 0x80
	len16   = 126
	len64   = 127
)

func (w *wire) take() {
	if !w.greeted {
		_, rest, found := bytes.Cut(w.behind, []byte("\r\n\r\n"))
		if !found {
			return
		}
		w.greeted, w.behind = true, rest
	}
	for {
		kind, payload, rest, whole := cut(w.behind)
		if !whole {
			return
		}
		w.behind = rest
		switch kind {
		case text:
			w.witness.said(w.direction, payload)
		case closing:
			if len(payload) >= 2 {
				w.witness.closed(w.direction, int(binary.BigEndian.Uint16(payload)))
			}
		}
	}
}

// cut takes the first frame off.
func cut(b []byte) (kind byte, payload, rest []byte, whole bool) {
	if len(b) < 2 {
		return 0, nil, b, false
	}
	at, n := 2, uint64(b[1]&^masked)
	switch {
	case n == len16 && len(b) >= 4:
		at, n = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case n == len64 && len(b) >= 10:
		at, n = 10, binary.BigEndian.Uint64(b[2:])
	case n >= len16:
		return 0, nil, b, false
	}
	if uint64(len(b)-at) < n {
		return 0, nil, b, false
	}
	return b[0] & opcode, b[at : at+int(n)], b[at+int(n):], true
}
