// SPDX-License-Identifier: Apache-2.0

//go:build linux

package poll

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"
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
	conn *Conn
	room int // read at a time
	got  bytes.Buffer
	over bool
	done chan error // how it ended
}

func (l *listener) Ready(buf []byte, drain bool) {
	for !l.over { // an end may be told of more than once
		n, err := l.conn.ReadNow(buf[:l.room])
		if err != nil {
			l.over = true
			l.done <- err
			return
		}
		l.got.Write(buf[:n])
		if n == 0 || n < l.room && !drain {
			return
		}
	}
}

func listen(t *testing.T, p *Poller, conn net.Conn, room int) *listener {
	t.Helper()
	l := &listener{conn: NewConn(conn), room: room, done: make(chan error, 1)}
	if err := l.conn.Watch(p, l, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.conn.Close() })
	return l
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
		listeners[i] = listen(t, &p, ours, 1+rng.IntN(600))
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

// TestNobodyIsWaitedFor: what is closed is not told of, the list goes with the last, and comes back with the next.
func TestNobodyIsWaitedFor(t *testing.T) {
	var p Poller
	ours, theirs := pair(t)
	l := listen(t, &p, ours, 100)
	other, them := pair(t)
	lasting := listen(t, &p, other, 100)
	l.conn.Unwatch()
	l.conn.Unwatch() // a second time does nothing
	if p.who.n != 1 {
		t.Fatalf("%d are waited for; want the other one", p.who.n)
	}
	_, _ = theirs.Write([]byte("unheard"))
	_, _ = them.Write([]byte("heard"))
	_ = them.Close()
	<-lasting.done
	if lasting.got.String() != "heard" || l.got.Len() > 0 {
		t.Fatalf("got %q, and %q from one that is not waited for", lasting.got.String(), l.got.String())
	}
	_ = lasting.conn.Close()
	if p.list != nil || p.who != nil {
		t.Fatal("the list outlives its last connection")
	}
	b := make([]byte, 100) // it is the runtime's again
	if n, err := l.conn.Read(b); string(b[:n]) != "unheard" {
		t.Fatalf("read %q, %v", b[:n], err)
	}
	third, its := pair(t)
	l = listen(t, &p, third, 100)
	_ = its.Close()
	if err := <-l.done; !errors.Is(err, io.EOF) {
		t.Fatalf("ended with %v", err)
	}
}

// TestNotAConnection: what has no descriptor, or a closed one, is refused, and nothing is left behind.
func TestNotAConnection(t *testing.T) {
	var p Poller
	ours, _ := pair(t)
	closed := NewConn(ours)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := closed.Watch(&p, &listener{}, nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("watching a closed connection: %v", err)
	}
	pipe, _ := net.Pipe()
	if err := NewConn(pipe).Watch(&p, &listener{}, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("watching a pipe: %v", err)
	}
	if p.list != nil {
		t.Fatal("a list was made for nobody")
	}
}

// TestSlowReaders: what the other end does not take is waited for, by deadline, and none of it is lost or doubled.
func TestSlowReaders(t *testing.T) {
	var p Poller
	ours, theirs := pair(t)
	l := listen(t, &p, ours, 100)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // more than any buffer of the kernel's
	done := make(chan error, 1)
	go func() {
		_, err := l.conn.Write(sent)
		done <- err
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(theirs, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("what came in is not what was sent: %v", err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	_, _ = theirs.Write([]byte("still watched"))
	_ = theirs.Close()
	<-l.done
	if l.got.String() != "still watched" {
		t.Fatalf("got %q", l.got.String())
	}
}

// TestWriteDeadline holds for a connection that is out of the runtime's hands.
func TestWriteDeadline(t *testing.T) {
	var p Poller
	ours, _ := pair(t)
	l := listen(t, &p, ours, 100)
	if err := l.conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, err := l.conn.Write(make([]byte, 16<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a write that nobody takes: %v", err)
	}
}

// TestClear: a word is taken without waiting while the other end reads, never once it has stopped for long enough, and only of
// who is watched.
func TestClear(t *testing.T) {
	var p Poller
	ours, theirs := pair(t)
	if NewConn(ours).Clear() {
		t.Error("it is the runtime's to write to who is not watched")
	}
	l := listen(t, &p, ours, 100)
	word := make([]byte, little)
	for i := 0; l.conn.Clear(); i++ {
		if n, err := writeNow(l.conn.bare, word); n < len(word) || err != nil {
			t.Fatalf("clear, and yet %d bytes of a word were taken: %v", n, err)
		}
	}
	_ = theirs.SetReadDeadline(time.Now().Add(time.Minute))
	for room := make([]byte, 1<<16); !l.conn.Clear(); {
		if _, err := theirs.Read(room); err != nil {
			t.Fatal("all was read, and it is not clear")
		}
	}
	_ = l.conn.Close()
	if l.conn.Clear() {
		t.Error("clear, and closed")
	}
}

// TestClosing is told of once, and ends a write under way.
func TestClosing(t *testing.T) {
	var p Poller
	ours, _ := pair(t)
	told := make(chan struct{}, 2)
	c := NewConn(ours)
	if err := c.Watch(&p, &listener{conn: c, room: 9, done: make(chan error, 1)}, func() { told <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, 16<<20))
		done <- err
	}()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Fatal("a write to a closed connection succeeded")
	}
	if err := c.Close(); !errors.Is(err, net.ErrClosed) || len(told) != 1 {
		t.Fatalf("closed again: %v, told %d times", err, len(told))
	}
	if _, err := c.ReadNow(make([]byte, 9)); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("read from a closed connection: %v", err)
	}
}
