// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/tracking/server/poll"
)

// sockets are the two ends of one connection, on a pipe.
func sockets(t *testing.T) (server, client *websocket.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r, err := http.ReadRequest(bufio.NewReader(theirs))
		if err != nil {
			t.Error(err)
			return
		}
		up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
		if server, err = up.Upgrade(hijacked{conn: theirs}, r, nil); err != nil {
			t.Error(err)
		}
	}()
	d := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return ours, nil }}
	client, _, err := d.Dial("ws://phone.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	<-done
	t.Cleanup(func() { _, _ = server.Close(), client.Close() })
	return server, client
}

// hijacked is an answer that is nothing but its connection.
type hijacked struct {
	http.ResponseWriter
	conn net.Conn
}

func (hijacked) Header() http.Header { return http.Header{} }

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

func text(s string) func([]byte) []byte { return func(b []byte) []byte { return append(b, s...) } }

// heard reads until the connection is closed.
func heard(c *websocket.Conn) (frames []string, code int) {
	for {
		_, b, err := c.ReadMessage()
		if err != nil {
			if closed, ok := err.(*websocket.CloseError); ok {
				code = closed.Code
			}
			return frames, code
		}
		frames = append(frames, string(b))
	}
}

// TestTheWelcomeGoesFirst: what is said before it, as when somebody looks at a visit that is being resumed,
// comes after it.
func TestTheWelcomeGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := sockets(t)
		o := &outbox{conn: ours, line: poll.NewConn(nil), readDone: make(chan struct{}), held: true}
		o.put(text("seen"))
		o.start()
		synctest.Wait()
		o.put(text("unseen"))
		o.welcome(text("welcome"), text("state"))
		o.put(text("ack"))
		o.end(4006)
		o.put(text("too late"))
		frames, code := heard(theirs)
		if !slices.Equal(frames, []string{"welcome", "state", "seen", "unseen", "ack"}) || code != 4006 {
			t.Fatalf("heard %v, closed with %d", frames, code)
		}
		<-time.After(2 * closeGrace)
	})
}

// TestNothingWaitsForAPhone: whatever is added, and by however many, nobody waits; the peer hears all of it in
// the order in which it was added, or is cut within a write's time.
func TestNothingWaitsForAPhone(t *testing.T) {
	for _, reads := range []bool{true, false} {
		t.Run(fmt.Sprint("it reads: ", reads), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := sockets(t)
				o := &outbox{conn: ours, line: poll.NewConn(nil), readDone: make(chan struct{})}
				var frames []string
				done := make(chan struct{})
				if reads {
					go func() { defer close(done); frames, _ = heard(theirs) }()
				}
				start := time.Now()
				for i := range waitMost {
					o.put(text(fmt.Sprintf("%02d", i)))
					o.start()
				}
				o.end(1000)
				if took := time.Since(start); took > 0 {
					t.Fatalf("it took %v", took)
				}
				<-time.After(writeWait + 10*time.Millisecond)
				if !reads {
					go func() { defer close(done); frames, _ = heard(theirs) }()
				}
				<-done
				if want := map[bool]int{true: waitMost}[reads]; len(frames) != want || !slices.IsSorted(frames) {
					t.Fatalf("heard %d frames: %v", len(frames), frames)
				}
				<-time.After(2 * closeGrace)
			})
		})
	}
}

// silent says nothing.
type silent struct{}

func (silent) Ready([]byte, bool) {}

// TestWhatASocketTakesIsWrittenAtOnce, without a goroutine.
func TestWhatASocketTakesIsWrittenAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan *poll.Conn, 1)
	served := make(chan *websocket.Conn, 1)
	go func() {
		defer l.Close()
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		line := poll.NewConn(conn)
		r, err := http.ReadRequest(bufio.NewReader(line))
		if err != nil {
			t.Error(err)
			return
		}
		ws, err := new(websocket.Upgrader).Upgrade(hijacked{conn: line}, r, nil)
		if err != nil {
			t.Error(err)
		}
		accepted <- line
		served <- ws
	}()
	theirs, _, err := websocket.DefaultDialer.Dial("ws://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	line, ours := <-accepted, <-served
	defer ours.Close()
	if err := line.Watch(new(poll.Poller), silent{}, nil); err != nil {
		t.Skip(err)
	}
	o := &outbox{conn: ours, line: line, readDone: make(chan struct{})}
	o.put(text("first"))
	o.put(text("second"))
	o.start()
	if o.mu.Lock(); o.writing || len(o.frames) > 0 {
		t.Error("a clear socket was left to a goroutine")
	}
	o.mu.Unlock()
	for _, want := range []string{"first", "second"} {
		if _, b, err := theirs.ReadMessage(); string(b) != want || err != nil {
			t.Fatalf("read %q, %v", b, err)
		}
	}
}

// TestAPhoneThatIsFarBehindIsCut, without its outbox growing on.
func TestAPhoneThatIsFarBehindIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := sockets(t)
		o := &outbox{conn: ours, line: poll.NewConn(nil), readDone: make(chan struct{})}
		for range 2 * waitMost {
			o.put(text("x"))
			o.start()
		}
		synctest.Wait()
		if frames, _ := heard(theirs); len(frames) != 0 || len(o.frames) != 0 {
			t.Fatalf("%d frames came, %d wait", len(frames), len(o.frames))
		}
	})
}

// TestAnEndIsWrittenInASecond: all that waits together has no longer than one frame.
func TestAnEndIsWrittenInASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := sockets(t)
		o := &outbox{conn: ours, line: poll.NewConn(nil), readDone: make(chan struct{})}
		for range 10 {
			o.put(text("x"))
		}
		start := time.Now()
		o.end(4500)
		for range 10 { // a reader that is slow, and within its time with each frame
			<-time.After(writeWait / 3)
			if _, _, err := theirs.ReadMessage(); err != nil {
				break
			}
		}
		if took := time.Since(start); took > writeWait+writeWait/3 {
			t.Fatalf("it was still written to after %v", took)
		}
		<-time.After(2 * closeGrace)
	})
}
