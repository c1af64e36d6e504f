// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// take is a descriptor of a connection that the runtime does not know of.
func take(conn net.Conn) (bare int, err error) {
	of, ok := conn.(syscall.Conn)
	if !ok {
		return none, ErrUnsupported
	}
	raw, err := of.SyscallConn()
	if err != nil {
		return none, err
	}
	var refused error
	err = raw.Control(func(fd uintptr) {
		bare, refused = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	})
	return bare, errors.Join(err, os.NewSyscallError("fcntl", refused))
}

// giveBack is a connection of the runtime's to the same end.
func giveBack(bare int) (net.Conn, error) {
	fd, err := unix.FcntlInt(uintptr(bare), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	f := os.NewFile(uintptr(fd), "connection")
	defer f.Close() // FileConn has one more of its own
	return net.FileConn(f)
}

func closeBare(bare int) { _ = unix.Close(bare) }

// readNow reads without waiting.
func readNow(bare int, b []byte) (int, error) {
	for {
		n, err := unix.Read(bare, b)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, nil
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// writeNow writes as much as goes without waiting.
func writeNow(bare int, b []byte) (n int, err error) {
	for n < len(b) {
		m, err := unix.Write(bare, b[n:])
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return n, nil
		case err != nil:
			return n, os.NewSyscallError("write", err)
		default:
			n += m
		}
	}
	return n, nil
}

// underWay is how many bytes were written and have not arrived; more than anything counts as little if that is not known.
func underWay(bare int) int {
	n, err := unix.IoctlGetInt(bare, unix.SIOCOUTQ)
	if err != nil {
		return little + 1
	}
	return n
}
