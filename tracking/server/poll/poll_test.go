// SPDX-License-Identifier: Apache-2.0

//go:build linux

package poll

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
)

// pair is one connection's two ends.
func pair(t *testing.T) (ours, theirs *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	o, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = o.Close(), c.Close() })
	return o.(*net.TCPConn), c.(*net.TCPConn)
}

// listener keeps what comes in on a connection.
type listener struct {
	raw  syscall.RawConn
	room int // read at a time
	got  bytes.Buffer
	done chan error // how it ended
}

func (l *listener) Ready(s *Scratch, drain bool) {
	for {
		n, err := s.Read(l.raw, s.Bytes[:l.room])
		if err != nil {
			l.done <- err
			return
		}
		l.got.Write(s.Bytes[:n])
		if n == 0 || n < l.room && !drain {
			return
		}
	}
}

func listen(t *testing.T, p *Poller, conn *net.TCPConn, room int) (l *listener, remove func()) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	l = &listener{raw: raw, room: room, done: make(chan error, 1)}
	if remove, err = p.Add(raw, l); err != nil {
		t.Fatal(err)
	}
	return l, remove
}

// TestEverythingComesIn, from many at once, in pieces of any size, to its end, which often comes together with the last of it.
func TestEverythingComesIn(t *testing.T) {
	var p Poller
	var writers sync.WaitGroup
	const conns = 100
	listeners, sent := make([]*listener, conns), make([][]byte, conns)
	for i := range conns {
		ours, theirs := pair(t)
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		if i%2 == 0 {
			_, _ = theirs.Write([]byte{9}) // before anybody waits for it
			sent[i] = append(sent[i], 9)
		}
		l, remove := listen(t, &p, ours, 1+rng.IntN(600))
		defer remove()
		listeners[i] = l
		writers.Go(func() {
			for range 50 {
				b := make([]byte, 1+rng.IntN(400))
				for j := range b {
					b[j] = byte(rng.Uint32())
				}
				sent[i] = append(sent[i], b...)
				_, _ = theirs.Write(b)
			}
			_ = theirs.Close()
		})
	}
	writers.Wait()
	for i, l := range listeners {
		if err := <-l.done; !errors.Is(err, io.EOF) {
			t.Errorf("connection %d ended with %v", i, err)
		}
		if !bytes.Equal(l.got.Bytes(), sent[i]) {
			t.Errorf("connection %d: %d bytes of %d came in, or others", i, l.got.Len(), len(sent[i]))
		}
	}
}

// TestNobodyIsWaitedFor: what was taken off is not told of, the list goes with the last, and comes back with the next.
func TestNobodyIsWaitedFor(t *testing.T) {
	var p Poller
	ours, theirs := pair(t)
	_, remove := listen(t, &p, ours, 100)
	other, them := pair(t)
	l, removeOther := listen(t, &p, other, 100)
	remove()
	remove() // a second time does nothing
	if len(p.readers) != 1 {
		t.Fatalf("%d are waited for; want the other one", len(p.readers))
	}
	_, _ = theirs.Write([]byte("unheard"))
	_, _ = them.Write([]byte("heard"))
	_ = them.Close()
	<-l.done
	if l.got.String() != "heard" {
		t.Fatalf("got %q", l.got.String())
	}
	removeOther()
	if p.list != nil || p.readers != nil {
		t.Fatal("the list outlives its last connection")
	}
	l, remove = listen(t, &p, ours, 100)
	defer remove()
	_ = theirs.Close()
	<-l.done
	if l.got.String() != "unheard" {
		t.Fatalf("got %q", l.got.String())
	}
}

// TestNotAConnection: what has no descriptor, or a closed one, is refused, and leaves nothing behind.
func TestNotAConnection(t *testing.T) {
	var p Poller
	ours, _ := pair(t)
	raw, err := ours.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = ours.Close()
	if _, err := p.Add(raw, &listener{}); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("adding a closed connection: %v", err)
	}
	if p.list != nil {
		t.Fatal("a list was made for nobody")
	}
}
