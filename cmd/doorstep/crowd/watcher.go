// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"slices"
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
	base string
	http *http.Client
	stop context.CancelFunc
	done chan struct{}

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
	cuts   int // how often the socket was lost and opened again
	err    error
}

// staleBeat is the oldest beat on which a page shows a position.
const staleBeat = 800 * time.Millisecond

// Seen is what a console was told of one alert, and when; zero times if it was not.
type Seen struct {
	Raised time.Time
	Hidden time.Time // since when it has been hidden
	Off    time.Time // the request stays, its location is off
	Gone   time.Time
	Reason string // of gone
	Proof  string // of gone, signed
}

// watched is one alert.
type watched struct {
	Seen
	changed chan struct{} // closed and replaced at every change
}

type watchedAlert struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Version  int    `json:"version"`
	Mine     bool   `json:"mine"`
	Presence string `json:"presence"`
}

// consoleFrame is any frame to a console. Alert is an object in some, an id in the others.
type consoleFrame struct {
	Type     string          `json:"type"`
	N        int64           `json:"n"`
	Presence string          `json:"presence"`
	Reason   string          `json:"reason"`
	X        float64         `json:"x"`
	Y        float64         `json:"y"`
	Proof    string          `json:"proof"`
	Alert    json.RawMessage `json:"alert"`
	Alerts   []watchedAlert  `json:"alerts"`
}

// Watch signs in with a one-time code, as the page does, opens the console's socket and keeps it until
// Close.
func Watch(ctx context.Context, base, code string) (*Watcher, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	w := &Watcher{base: base, http: &http.Client{Jar: jar, Timeout: 10 * time.Second}, done: make(chan struct{}),
		alerts: make(map[string]*watched), beats: make(map[int64]time.Time), shown: make(map[[2]float64]struct{})}
	if _, err := w.post(ctx, "/v1/staff/session", "", map[string]string{"code": code}); err != nil {
		return nil, fmt.Errorf("sign in at the console: %w", err)
	}
	if err := w.dial(ctx); err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	go w.run(watching)
	return w, nil
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

func (w *Watcher) take(b []byte, at time.Time) {
	var f consoleFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return
	}
	switch f.Type {
	case "snapshot":
		w.sawOnly(f.Alerts, at)
	case "alert":
		var a watchedAlert
		if json.Unmarshal(f.Alert, &a) == nil {
			w.saw(a, at)
		}
	case "presence", "gone", "position":
		var id string
		if json.Unmarshal(f.Alert, &id) != nil {
			return
		}
		w.noted(id, f, at)
	}
}

// sawOnly takes in all that there is: what is not in it any more is gone from the screen.
func (w *Watcher) sawOnly(list []watchedAlert, at time.Time) {
	there := make(map[string]bool)
	for _, a := range list {
		there[a.ID] = true
		w.saw(a, at)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, held := range w.alerts {
		if !held.Raised.IsZero() && held.Gone.IsZero() && !there[id] {
			held.Gone = at
			held.signal()
		}
	}
}

func (w *Watcher) saw(a watchedAlert, at time.Time) {
	w.mu.Lock()
	held := w.entry(a.ID)
	if held.Raised.IsZero() {
		held.Raised = at
	}
	if a.Presence == "off" && held.Off.IsZero() {
		held.Off = at
	}
	held.presence(a.Presence, at)
	held.signal()
	w.mu.Unlock()
}

func (w *Watcher) noted(id string, f consoleFrame, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := w.entry(id)
	switch {
	case f.Type == "gone" && held.Gone.IsZero():
		held.Gone, held.Reason, held.Proof = at, f.Reason, f.Proof
	case f.Type == "presence":
		held.presence(f.Presence, at)
	case f.Type == "position":
		if sent, known := w.beats[f.N]; !known || at.Sub(sent) > staleBeat {
			w.stale++ // as a page does: what carries an old beat is not shown
			break
		}
		w.dots++
		w.shown[[2]float64{f.X, f.Y}] = struct{}{}
		if !held.Gone.IsZero() || !held.Hidden.IsZero() {
			w.unsafe++
		}
	}
	held.signal()
}

// entry is what is held of an alert. Called with mu held.
func (w *Watcher) entry(id string) *watched {
	held := w.alerts[id]
	if held == nil {
		held = &watched{changed: make(chan struct{})}
		w.alerts[id] = held
	}
	return held
}

// presence notes since when it has been hidden. Other words than these two say nothing of that.
func (h *watched) presence(p string, at time.Time) {
	switch {
	case p == "visible":
		h.Hidden = time.Time{}
	case p == "hidden" && h.Hidden.IsZero():
		h.Hidden = at
	}
}

func (h *watched) signal() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// Until waits for the moment that pick finds in what was seen of an alert.
func (w *Watcher) Until(ctx context.Context, id string, pick func(Seen) time.Time) (time.Time, error) {
	for {
		w.mu.Lock()
		held := w.entry(id)
		at, changed := pick(held.Seen), held.changed
		w.mu.Unlock()
		if !at.IsZero() {
			return at, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case <-w.done:
			return time.Time{}, fmt.Errorf("the console's socket is gone: %w", w.Err())
		}
	}
}

// Look asks to be shown where the shopper of a claimed alert is.
func (w *Watcher) Look(alert string) error {
	return w.send(map[string]any{"type": "look", "alert": alert})
}

// Totals are what a console was told altogether.
type Totals struct {
	Alerts int          // raised
	Dots   int          // positions shown
	Unsafe int          // of them: of somebody who was hidden or gone already
	Cuts   int          // how often the socket was lost, and opened again
	Shown  [][2]float64 // where: x, y in metres of the store's frame, each place once
}

// Totals counts what the console was told so far.
func (w *Watcher) Totals() Totals {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := Totals{Dots: w.dots, Unsafe: w.unsafe, Cuts: w.cuts, Shown: slices.Collect(maps.Keys(w.shown))}
	for _, a := range w.alerts {
		if !a.Raised.IsZero() {
			t.Alerts++
		}
	}
	return t
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
