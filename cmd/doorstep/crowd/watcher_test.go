// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// A console notes when it was told first; what is taken back begins anew.
func TestWatcherNotesTheFirstTime(t *testing.T) {
	w := newWatcher("")
	w.beats[1] = at(0)
	hear := func(frame string, ms int64) { w.take([]byte(frame), at(ms)) }
	hear(`{"type":"alert","alert":{"id":"a"}}`, 10)
	hear(`{"type":"alert","alert":{"id":"a"}}`, 20)
	hear(`{"type":"presence","alert":"a","presence":"hidden"}`, 30)
	hear(`{"type":"snapshot","alerts":[{"id":"a","presence":"visible"}]}`, 40)
	hear(`{"type":"position","alert":"a","n":1,"x":1,"y":2}`, 50)
	hear(`{"type":"presence","alert":"a","presence":"hidden"}`, 60)
	hear(`{"type":"presence","alert":"a","presence":"hidden"}`, 70)
	hear(`{"type":"position","alert":"a","n":1,"x":1,"y":3}`, 80)
	hear(`{"type":"gone","alert":"a","reason":"left_store"}`, 90)
	hear(`{"type":"gone","alert":"a","reason":"left_store"}`, 100)
	hear(`{"type":"position","alert":"a","n":1,"x":1,"y":2}`, 1000) // the beat is old: a page drops it
	a := w.alerts["a"].Seen
	if !a.Raised.Equal(at(10)) || !a.Hidden.Equal(at(60)) || !a.Gone.Equal(at(90)) || a.Reason != leftStore {
		t.Errorf("%+v", a)
	}
	if n := w.Totals(); n.Alerts != 1 || n.Dots != 2 || n.Unsafe != 1 || len(n.Shown) != 2 {
		t.Errorf("%+v", n)
	}
}

// What a snapshot has no more is gone from the screen; what was never there is not.
func TestWatcherBelievesASnapshot(t *testing.T) {
	w := newWatcher("")
	w.mu.Lock()
	w.entry("awaited")
	w.mu.Unlock()
	w.take([]byte(`{"type":"snapshot","alerts":[{"id":"a","presence":"visible"},{"id":"b","presence":"visible"}]}`), at(10))
	w.take([]byte(`{"type":"snapshot","alerts":[{"id":"b","presence":"hidden"}]}`), at(20))
	if a, b := w.alerts["a"].Seen, w.alerts["b"].Seen; !a.Gone.Equal(at(20)) || !b.Gone.IsZero() || !b.Hidden.Equal(at(20)) || !b.Raised.Equal(at(10)) {
		t.Errorf("%+v, %+v", a, b)
	}
	if !w.alerts["awaited"].Gone.IsZero() {
		t.Error("an alert is gone that never came")
	}
}

// consoles is the address of a server that signs everybody in, and lets serve speak to each socket until it is closed.
func consoles(t *testing.T, serve func(*websocket.Conn) error) string {
	up := websocket.Upgrader{Subprotocols: []string{"doorstep.staff.v1"}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/staff/session", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
	mux.HandleFunc("GET /v1/staff/socket", func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		for err = serve(conn); err == nil; { // the peer's own close
			_, _, err = conn.ReadMessage()
		}
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

// Whoever has a console is on duty: it is there once the server has told it what there is, and not when it has only said hello.
func TestWatcherIsOnDuty(t *testing.T) {
	var onDuty atomic.Bool
	url := consoles(t, func(conn *websocket.Conn) error {
		for range 2 { // hello, and a first beat: a slow server
			if _, _, err := conn.ReadMessage(); err != nil {
				return err
			}
		}
		onDuty.Store(true)
		return conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"snapshot","alerts":[]}`))
	})
	w, err := Watch(t.Context(), url, "code")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if !onDuty.Load() {
		t.Error("it is taken for a console before it is one")
	}
}

// A console that is sent away before it was told anything says why.
func TestWatcherIsSentAway(t *testing.T) {
	url := consoles(t, func(conn *websocket.Conn) error {
		return conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4500, ""), time.Now().Add(time.Second))
	})
	if _, err := Watch(t.Context(), url, "code"); err == nil || !strings.Contains(err.Error(), "4500") {
		t.Errorf("joined: %v", err)
	}
}

// Cut off because it was slow, a console comes back; sent away for good, it says why.
func TestWatcherComesBack(t *testing.T) {
	sockets := 0
	url := consoles(t, func(conn *websocket.Conn) error {
		sockets++
		code := 4002
		if sockets == 2 {
			_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"snapshot","alerts":[{"id":"a","presence":"visible"}]}`))
			code = 4500
		}
		return conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
	})
	w, err := Watch(t.Context(), url, "code")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Until(t.Context(), "a", func(a Seen) time.Time { return a.Raised }); err != nil {
		t.Error(err)
	}
	if _, err := w.Until(t.Context(), "b", func(a Seen) time.Time { return a.Raised }); err == nil {
		t.Error("an alert came over a closed socket")
	}
	w.Close()
	if n := w.Totals(); n.Cuts != 1 || n.Alerts != 1 || !websocket.IsCloseError(w.Err(), 4500) {
		t.Errorf("%+v, %v", n, w.Err())
	}
}
