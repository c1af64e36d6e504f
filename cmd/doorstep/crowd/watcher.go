// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"doorstep/mobile-sdk-spec/go/client"
)

// Watcher is a staff console without a screen: it signs in, beats, claims what it is told to, and
// notes when it was told what. Times are taken as each frame arrives.
type Watcher struct {
	base  string
	http  *http.Client
	stop  context.CancelFunc
	done  chan struct{}
	there chan struct{} // closed with the first snapshot

	write sync.Mutex // owns conn but for reading, which run does
	conn  *websocket.Conn

	mu     sync.Mutex // owns the rest
	alerts map[string]*watched
	dots   int                     // positions shown
	shown  map[[2]float64]struct{} // where: x, y in metres of the store's frame
	stale  int                     // positions dropped because their beat was old
	unsafe int                     // positions of somebody who was hidden or gone already
	beat   int64
	beats  map[int64]time.Time
	cuts   int  // how often the socket was lost and opened again
	told   bool // a snapshot
	err    error
}

func newWatcher(base string) *Watcher {
	return &Watcher{base: base, done: make(chan struct{}), there: make(chan struct{}),
		alerts: make(map[string]*watched), beats: make(map[int64]time.Time), shown: make(map[[2]float64]struct{})}
}

// Watch signs in with a one-time code, as the page does, opens the console's socket and keeps it until
// Close. It returns once the server has told what there is: from then on somebody is on duty.
func Watch(ctx context.Context, base, code string) (*Watcher, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	w := newWatcher(base)
	w.http = &http.Client{Jar: jar, Timeout: 10 * time.Second}
	if _, err := w.post(ctx, "/v1/staff/session", "", map[string]string{"code": code}); err != nil {
		return nil, fmt.Errorf("sign in at the console: %w", err)
	}
	if err := w.dial(ctx); err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	go w.run(watching)
	if err := w.joined(ctx); err != nil {
		w.Close()
		return nil, fmt.Errorf("join as a console: %w", err)
	}
	return w, nil
}

// joinWithin is how long a server may take until it has written down that somebody is on duty.
const joinWithin = 30 * time.Second

// joined waits for the first snapshot.
func (w *Watcher) joined(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	select {
	case <-w.there:
		return nil
	case <-w.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-w.there: // sent away, but not before
		return nil
	default:
		return w.Err()
	}
}

// dial opens a socket and says hello.
func (w *Watcher) dial(ctx context.Context) error {
	dialer := websocket.Dialer{Jar: w.http.Jar, Subprotocols: []string{"doorstep.staff.v1"}, HandshakeTimeout: 10 * time.Second}
	conn, _, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(w.base, "http")+"/v1/staff/socket", http.Header{"Origin": {w.base}})
	if err != nil {
		return fmt.Errorf("open the console's socket: %w", err)
	}
	w.write.Lock()
	w.conn = conn
	w.write.Unlock()
	if err := w.send(map[string]any{"type": "hello", "since": 0}); err != nil {
		return fmt.Errorf("greet the server as a console: %w", err)
	}
	return nil
}

// Close leaves: nobody is on duty here any more.
func (w *Watcher) Close() {
	w.stop()
	<-w.done
}

func (w *Watcher) post(ctx context.Context, path, key string, body any) ([]byte, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.base+path, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", w.base)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	resp, err := w.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(resp.Body); err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return nil, fmt.Errorf("%s answered %d: %s", path, resp.StatusCode, answer.String())
	}
	return answer.Bytes(), nil
}

func (w *Watcher) send(v any) error {
	w.write.Lock()
	defer w.write.Unlock()
	_ = w.conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	return w.conn.WriteJSON(v)
}

// run beats and reads until ctx ends or the server wants no more of it. Cut off by a slow moment, it
// comes back, as a page does.
func (w *Watcher) run(ctx context.Context) {
	defer close(w.done)
	var beating sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer beating.Wait()
	defer cancel()
	beating.Go(func() { w.keepBeating(ctx) })
	for {
		err := w.read(ctx)
		if ctx.Err() != nil {
			return
		}
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			if retry, _ := client.Outcome(closed.Code); !retry {
				w.mu.Lock()
				w.err = err
				w.mu.Unlock()
				return
			}
		}
		w.mu.Lock()
		w.cuts++
		w.mu.Unlock()
		for err = errCut; err != nil; err = w.dial(ctx) {
			if !pause(ctx, comeBack) {
				return
			}
		}
	}
}

// comeBack is how long a console waits before it opens another socket.
const comeBack = 250 * time.Millisecond

var errCut = errors.New("the socket is closed")

// read takes in what one socket says, until it is closed.
func (w *Watcher) read(ctx context.Context) error {
	w.write.Lock()
	conn := w.conn
	w.write.Unlock()
	unhook := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer unhook()
	defer conn.Close()
	for {
		_, b, err := conn.ReadMessage()
		at := time.Now()
		if err != nil {
			return err
		}
		w.take(b, at)
	}
}

func (w *Watcher) keepBeating(ctx context.Context) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			w.mu.Lock()
			w.beat++
			n := w.beat
			w.beats[n] = now
			delete(w.beats, n-40)
			w.mu.Unlock()
			_ = w.send(map[string]any{"type": "beat", "n": n}) // whoever reads sees why, if it failed
		}
	}
}

// Look asks to be shown where the shopper of a claimed alert is.
func (w *Watcher) Look(alert string) error {
	return w.send(map[string]any{"type": "look", "alert": alert})
}

// Err is why the server or the network closed the console's socket; nil as long as it has not.
func (w *Watcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Act does one thing to an alert, as a click would.
func (w *Watcher) Act(ctx context.Context, id, action string, version int) error {
	_, err := w.post(ctx, "/v1/staff/alerts/"+id+"/actions", uuid.NewString(), map[string]any{"action": action, "version": version})
	return err
}
