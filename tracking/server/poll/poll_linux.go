// SPDX-License-Identifier: Apache-2.0

package poll

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Figures of the waiting.
const (
	atOnce = 256                  // connections that one look at the kernel's list takes up
	rest   = 4 * time.Millisecond // between two looks while there is something to do: who comes meanwhile comes along
)

// Poller waits for its share of the connections. The zero value is ready. Safe for concurrent use.
type Poller struct {
	mu   sync.Mutex // guards what follows
	list *os.File   // the kernel's list; nil while there is nobody
	fd   int        // its descriptor
	who  *readers   // of this list
}

// readers are those of one list, by descriptor.
type readers struct {
	at []Reader
	n  int
}

func (r *readers) set(fd int, reader Reader) {
	if fd >= len(r.at) {
		r.at = append(r.at, make([]Reader, fd+1-len(r.at))...)
	}
	r.at[fd] = reader
	r.n++
}

func (r *readers) drop(fd int) {
	r.at[fd] = nil
	r.n--
}

// add waits for a descriptor from now on; what is there already counts as having come in. It is taken off by remove, before
// it is closed.
func (p *Poller) add(fd int, r Reader) (remove func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.open(); err != nil {
		return nil, err
	}
	p.who.set(fd, r)
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		p.forget(fd)
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return func() { p.remove(fd) }, nil
}

// open makes a list and has somebody look at it. Called with mu held.
func (p *Poller) open() error {
	if p.list != nil {
		return nil
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	// A list can itself be waited for: the runtime wakes who looks at it, as for any other file.
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	list := os.NewFile(uintptr(fd), "epoll")
	waiting, err := list.SyscallConn()
	if err != nil {
		_ = list.Close()
		return err
	}
	p.list, p.fd, p.who = list, fd, new(readers)
	go p.run(waiting, p.who)
	return nil
}

// remove takes a descriptor off the list. To close it would not do that if the runtime has another of the same connection.
func (p *Poller) remove(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil)
	p.forget(fd)
}

// forget closes the list with its last connection. Called with mu held.
func (p *Poller) forget(fd int) {
	if p.who.drop(fd); p.who.n == 0 {
		_ = p.list.Close() // run sees it, and returns
		p.list, p.who = nil, nil
	}
}

// ready is a reader that the kernel names.
type ready struct {
	reader Reader
	drain  bool
}

// run looks at one list until that is closed.
func (p *Poller) run(waiting syscall.RawConn, who *readers) {
	events, buf := make([]unix.EpollEvent, atOnce), make([]byte, Room)
	var now []ready
	n := 0
	look := func(fd uintptr) bool {
		var err error
		n, err = unix.EpollWait(int(fd), events, 0)
		return n > 0 || err != nil && err != unix.EINTR
	}
	for {
		if err := waiting.Read(look); err != nil || n < 0 {
			return
		}
		now = p.named(now[:0], events[:n], who)
		for i := range now {
			now[i].reader.Ready(buf, now[i].drain)
		}
		clear(now)
		time.Sleep(rest)
	}
}

// named finds the readers. One that is gone has been removed.
func (p *Poller) named(now []ready, events []unix.EpollEvent, who *readers) []ready {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range events {
		if r := who.at[events[i].Fd]; r != nil {
			now = append(now, ready{r, events[i].Events&^unix.EPOLLIN != 0})
		}
	}
	return now
}
