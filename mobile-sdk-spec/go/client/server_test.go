// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	spec "doorstep/mobile-sdk-spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testToken = "header.payload.signature"
	square    = `{"store":"s","name":"S","version":"v1","levels":[{"ordinal":0,"name":"Ground","boundary":[[[[3,54],[3.001,54],[3.001,54.001],[3,54.001],[3,54]]]]}]}`
)

// peer is the smallest server that a session can be held against. It checks every request and
// every frame against the published schemas.
type peer struct {
	t      *testing.T
	server *httptest.Server
	now    func() time.Time
	script func(c *conn) // what the socket does after the welcome
	refuse int           // close code instead of a welcome

	mu       sync.Mutex
	handlers map[string]http.HandlerFunc
	proofs   []string
}

// conn is one accepted socket, from the server's side.
type conn struct {
	*websocket.Conn
	t     *testing.T
	hello map[string]any
	offer string // the second subprotocol
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{t: t, now: time.Now, handlers: map[string]http.HandlerFunc{}}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.server.Close)
	p.on("GET /v1/stores", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, `{"stores":[{"id":"s","name":"S","fence":"v1","bbox":[3,54,3.001,54.001]}]}`)
	})
	p.on("GET /v1/stores/s/fences/v1", func(w http.ResponseWriter, _ *http.Request) { p.answer(w, square) })
	p.on("GET /v1/stores/s/fences/v2", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, strings.Replace(square, `"v1"`, `"v2"`, 1))
	})
	p.on("POST /v1/tickets", func(w http.ResponseWriter, _ *http.Request) {
		url := "ws" + strings.TrimPrefix(p.server.URL, "http") + "/v1/session"
		p.answer(w, fmt.Sprintf(`{"ticket":"dGlja2V0","url":%q,"expires_t":%d,"t":%d}`, url, p.ms()+30000, p.ms()))
	})
	return p
}

func (p *peer) on(route string, h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[route] = h
}

func (p *peer) ms() int64 { return p.now().UnixMilli() }

func (p *peer) answer(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(body))
}

func (p *peer) problem(w http.ResponseWriter, status int, code string, retryMS int64) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"type":"/problems/%s","title":"T","status":%d,"code":%q,"t":%d,"retry_ms":%d}`, code, status, code, p.ms(), retryMS)
}

func (p *peer) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/session" {
		p.socket(w, r)
		return
	}
	p.mu.Lock()
	h, ok := p.handlers[r.Method+" "+r.URL.Path]
	if proof := r.Header.Get("DPoP"); proof != "" {
		p.proofs = append(p.proofs, proof)
	}
	p.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	h(w, r)
}

// read takes a request's body, which must fit its schema.
func (p *peer) read(r *http.Request) map[string]any {
	var raw json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
		p.t.Errorf("%s: %v", r.URL.Path, err)
	}
	if err := spec.Request(r.Method, r.URL.Path, raw); err != nil {
		p.t.Error(err)
	}
	var body map[string]any
	_ = json.Unmarshal(raw, &body)
	return body
}

func (p *peer) socket(w http.ResponseWriter, r *http.Request) {
	offers := websocket.Subprotocols(r)
	up := websocket.Upgrader{Subprotocols: []string{"doorstep.v1"}}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.Close() }()
	c := &conn{Conn: ws, t: p.t}
	if len(offers) == 2 {
		c.offer = offers[1]
	}
	if c.hello = c.next(); c.hello == nil {
		return
	}
	if p.refuse != 0 {
		c.say(`{"type":"state","t":1,"state":"ended","reason":"because","code":%d}`, p.refuse)
		c.end(p.refuse)
		return
	}
	resume, _ := c.hello["resume"].(string)
	last := 0
	if resume != "" {
		last = 2
	}
	c.say(`{"type":"welcome","t":%d,"echo_t":%v,"session":"5b1d","word":"Maple ▲ green","resumed":%t,"last_seq":%d,"resume":"again","resume_ms":30000,"lease_ms":30000,"moving_ms":2000,"still_ms":10000,"min_ms":1000,"beat_ms":10000,"fence":"v1","purposes":["assist"],"fields":["lat","lng"],"auth_until":%d}`,
		p.ms(), int64(c.hello["t"].(float64)), resume != "", last, p.ms()+900000)
	if p.script != nil {
		p.script(c)
	}
}

// next reads one frame, which must fit its schema; nil when the socket is closed.
func (c *conn) next() map[string]any {
	_, raw, err := c.ReadMessage()
	if err != nil {
		return nil
	}
	if err := spec.Frame(spec.In, raw); err != nil {
		c.t.Error(err)
	}
	var m map[string]any
	_ = json.Unmarshal(raw, &m)
	return m
}

// say sends one frame.
func (c *conn) say(format string, args ...any) {
	_ = c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, args...))
}

// end closes with a code and waits for the other side.
func (c *conn) end(code int) {
	_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
	c.drain()
}

// drain reads until the other side is gone.
func (c *conn) drain() {
	for c.next() != nil {
	}
}

// client is an installation that talks to p.
func (p *peer) client(change ...func(*Config)) *Client {
	p.t.Helper()
	key, err := NewKey()
	if err != nil {
		p.t.Fatal(err)
	}
	transport := &http.Transport{}
	p.t.Cleanup(transport.CloseIdleConnections)
	cfg := Config{BaseURL: p.server.URL, Installation: key, HTTP: &http.Client{Transport: transport},
		Token: func(context.Context) (string, error) { return testToken, nil }}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// connect opens a session, which the test's end closes.
func (p *peer) connect(c *Client) *Session {
	p.t.Helper()
	s, err := c.Connect(p.t.Context(), "s", []string{"assist"})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { s.Kill(); closedOf(p.t, s) })
	return s
}

// await reads events up to the first E.
func await[E Event](t *testing.T, s *Session) E {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case e, ok := <-s.Events():
			if want, is := e.(E); is {
				return want
			}
			if !ok {
				t.Fatalf("the session ended without a %T", *new(E))
			}
		case <-limit:
			t.Fatalf("no %T came", *new(E))
		}
	}
}

// closedOf reads the rest of the events; the zero Closed if it was read before.
func closedOf(t *testing.T, s *Session) (last Closed) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case e, ok := <-s.Events():
			if !ok {
				return last
			}
			if c, is := e.(Closed); is {
				last = c
			}
		case <-limit:
			t.Fatal("the session does not end")
		}
	}
}
