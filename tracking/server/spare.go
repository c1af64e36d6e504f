// SPDX-License-Identifier: Apache-2.0

package server

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
)

// spareMost is how many of the process's descriptors are not for the public: the ledger opens its files, Redis is dialled
// anew, an operator asks for the metrics. Without any, an end could not be marked, and who is here could not be served.
// A process that has few keeps a quarter.
const spareMost = 64

// Spare accepts from l, and leaves descriptors over. Whoever comes when no more are to be had is turned away, which is
// counted and is a temporary error: http.Server then waits a while, at most a second, before it accepts again.
func (s *Server) Spare(l net.Listener) net.Listener { return &sparing{l, &s.notAccepted} }

type sparing struct {
	net.Listener
	failed *atomic.Int64
}

// Accept implements net.Listener.
func (l *sparing) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil && !isSpare(conn) {
		return conn, nil
	}
	if err == nil {
		_ = conn.Close()
		err = &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: os.NewSyscallError("accept", syscall.EMFILE)}
	}
	if !errors.Is(err, net.ErrClosed) {
		l.failed.Add(1)
	}
	return nil, err
}

// isSpare reports whether a connection took a descriptor that is to be left over. The kernel gives out the lowest that is free,
// so its number says how many there are. The limit is asked for each time: an operator may raise it while the server runs.
func isSpare(conn net.Conn) (is bool) {
	most, known := descriptorsMost()
	of, ok := conn.(syscall.Conn)
	if !known || !ok {
		return false
	}
	raw, err := of.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) { is = uint64(fd) >= most-min(spareMost, most/4) })
	return is
}
