// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
	sdkjs "doorstep/mobile-sdk-spec/js"
	"doorstep/mobile-sdk-spec/witness"
	"doorstep/tracking"
	"doorstep/tracking/canary"
	"doorstep/tracking/live"
	"doorstep/tracking/server"
	"doorstep/tracking/server/auth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is one node with its whole edge: on a real listener, or in a bubble, where time passes only when
// everybody waits, on one that no packet leaves.
type house struct {
	*testing.T
	url    string
	key    *auth.DevKey
	index  *geofence.Index
	live   *deafLive
	ledger *deafLedger
	store  *awayStore
	node   *tracking.Node
	server *server.Server
	web    *http.Client
	said   *canary.Aviary // by the server, in its log and its metrics
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	leave  context.CancelFunc // has the node and the server let go, as the signal to end does
}

// deafLive is a live state whose purges fail while deaf is set.
type deafLive struct {
	tracking.Live
	deaf atomic.Bool
}

func (l *deafLive) Purge(ctx context.Context, store string, visits []string) error {
	if l.deaf.Load() {
		return errors.New("the live state cannot be reached")
	}
	return l.Live.Purge(ctx, store, visits)
}

// deafLedger is a ledger that commits no end while deaf is set, answers no poll while silent is, and takes its
// time to admit somebody.
type deafLedger struct {
	*consent.Ledger
	deaf, silent atomic.Bool
	admits       atomic.Int64 // after so many nanoseconds
}

func (l *deafLedger) Admit(ctx context.Context, s consent.Scope) (consent.Admission, error) {
	<-time.After(time.Duration(l.admits.Load()))
	return l.Ledger.Admit(ctx, s)
}

func (l *deafLedger) Poll(ctx context.Context, node string, since int64) (consent.Feed, error) {
	if l.silent.Load() {
		return consent.Feed{}, consent.ErrUnavailable
	}
	return l.Ledger.Poll(ctx, node, since)
}

func (l *deafLedger) End(ctx context.Context, r consent.EndRequest) (consent.Ending, error) {
	if l.deaf.Load() {
		return consent.Ending{}, consent.ErrUnavailable
	}
	return l.Ledger.End(ctx, r)
}

// awayStore is a store that cannot be read, nor written by staff, while away is set.
type awayStore struct {
	*sqlstore.DB
	away    atomic.Bool
	refused chan consent.RefusedRead // what went to the journal of refused looks, as far as there is room
}

func (s *awayStore) RefuseRead(ctx context.Context, r consent.RefusedRead) error {
	select {
	case s.refused <- r:
	default:
	}
	return s.DB.RefuseRead(ctx, r)
}

func (s *awayStore) err() error {
	if s.away.Load() {
		return consent.ErrUnavailable
	}
	return nil
}

func (s *awayStore) Journal(ctx context.Context, subject consent.Ref, from consent.Cursor, limit int) ([]consent.Read, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.DB.Journal(ctx, subject, from, limit)
}

func (s *awayStore) Export(ctx context.Context, subject consent.Ref, entry consent.Read) (consent.Held, error) {
	if err := s.err(); err != nil {
		return consent.Held{}, err
	}
	return s.DB.Export(ctx, subject, entry)
}

func (s *awayStore) Admit(ctx context.Context, scope consent.Scope, now time.Time) (consent.Admission, error) {
	if err := s.err(); err != nil {
		return consent.Admission{}, err
	}
	return s.DB.Admit(ctx, scope, now)
}

func (s *awayStore) AlertEpoch(ctx context.Context) (string, error) {
	if err := s.err(); err != nil {
		return "", err
	}
	return s.DB.AlertEpoch(ctx)
}

func (s *awayStore) ChangeAlert(ctx context.Context, store, id string, c tracking.Change) (tracking.Alert, error) {
	if err := s.err(); err != nil {
		return tracking.Alert{}, err
	}
	return s.DB.ChangeAlert(ctx, store, id, c)
}

// newHouse is a house on a real listener.
func newHouse(t *testing.T) *house {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return buildHouse(t, l, (&net.Dialer{}).DialContext, tracking.SystemClock{}, nil)
}

// inBubble runs f with a house in a bubble, whose configuration may be edited first.
func inBubble(t *testing.T, edit func(*server.Config), f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		f(buildHouse(t, l, l.dial, bubbleClock{time.Now()}, edit))
	})
}

func buildHouse(t *testing.T, l net.Listener, dial func(context.Context, string, string) (net.Conn, error), clock tracking.Clock, edit func(*server.Config), under ...*consent.Registry) *house {
	t.Helper()
	h := &house{T: t, said: canary.New(t), dial: dial, index: demoIndex(), url: "http://" + l.Addr().String()}
	var err error
	h.key, err = auth.NewDevKey()
	h.ok(err)
	tokens, err := auth.NewTokens(auth.Settings{Issuers: []auth.Issuer{h.key.Issuer()}, Leeway: 5 * time.Second, Now: time.Now})
	h.ok(err)
	memory := live.NewMemory(time.Now)
	t.Cleanup(func() { h.ok(memory.Close()) })
	h.live = &deafLive{Live: memory}
	registry := consent.DevelopmentRegistry()
	if len(under) > 0 {
		registry = under[0]
	}
	db := &awayStore{DB: storetest.SQLite(t, time.Now), refused: make(chan consent.RefusedRead, 8)}
	h.store = db
	h.ledger = &deafLedger{Ledger: consent.New(db, consent.NewKeys(), registry, time.Now)}
	h.ok(h.ledger.Bind(t.Context()))
	quiet := h.said.Log()
	h.node = tracking.New(tracking.Config{ID: "node", Ledger: h.ledger, Alerts: db, Live: h.live, Atlas: tracking.NewAtlas(h.index),
		Stores: db, ReadMap: readMap,
		Reread: func(ctx context.Context) error { return h.server.Reread(ctx) },
		MayGoLive: func(x *geofence.Index) error {
			return h.ledger.Registry().MayGoLive(tracking.FactsOf(x.Site()), time.Now())
		},
		Clock: clock, Rules: geofence.DefaultRules(), Log: quiet,
		Prove: func(string, consent.End, time.Time) string { return "signed.for.tests" }})
	origins, err := auth.NewOrigins([]string{h.url})
	h.ok(err)
	c := server.Config{Node: h.node, Stores: db, SignIns: db, Ledger: h.ledger.Ledger, Atlas: h.node.Atlas, Tokens: tokens, Origins: origins, DevKey: h.key,
		SDK: sdkjs.Files, Now: time.Now, Log: quiet, PINRounds: 2}
	if edit != nil {
		edit(&c)
	}
	h.server, err = server.New(c)
	h.ok(err)
	h.open(l)
	<-h.node.Started()
	return h
}

// open serves until the test ends.
func (h *house) open(l net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	h.leave = cancel
	done := make(chan error, 3)
	go func() { done <- h.node.Run(ctx) }()
	go func() { done <- h.server.Run(ctx) }()
	web := &http.Server{Handler: h.witnessed(), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { done <- web.Serve(l) }()
	transport := &http.Transport{DialContext: h.dial}
	h.web = &http.Client{Transport: unkept{h.T, transport}, Timeout: time.Minute} // a bound for what hangs, not for a slow machine
	h.Cleanup(func() {
		transport.CloseIdleConnections()
		metrics := httptest.NewRecorder()
		h.server.Metrics().ServeHTTP(metrics, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		h.said.Keep(canary.Metrics, metrics.Body.Bytes())
		cancel()
		h.ok(web.Close())
		for range cap(done) {
			if err := <-done; err != nil && !errors.Is(err, http.ErrServerClosed) {
				h.Error(err)
			}
		}
	})
}

// witnessed is the server's handler, held against the specification.
func (h *house) witnessed() http.Handler { return witness.Before(h.T, h.server.Handler()) }

// unkept sees that nothing between may keep what somebody was answered under their token: whatever it is, it is of them.
type unkept struct {
	t *testing.T
	http.RoundTripper
}

func (u unkept) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := u.RoundTripper.RoundTrip(r)
	if err == nil && res.StatusCode != http.StatusNoContent && r.Header.Get("Authorization") != "" && res.Header.Get("Cache-Control") != "no-store" {
		u.t.Errorf("%s %s: the answer may be kept: %q", r.Method, r.URL.Path, res.Header.Get("Cache-Control"))
	}
	return res, err
}

var demoIndex = sync.OnceValue(func() *geofence.Index {
	site, err := demostore.Load()
	if err != nil {
		panic(err)
	}
	x, err := geofence.NewIndex(site)
	if err != nil {
		panic(err)
	}
	return x
})

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// dialer dials sockets and keeps the connection below, for what no client would send.
func (h *house) dialer(wire *net.Conn) *websocket.Dialer {
	return &websocket.Dialer{HandshakeTimeout: time.Minute, NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := h.dial(ctx, network, address)
		*wire = c
		return c, err
	}}
}

// watch has nobody of a shopper's ids said by the server.
func (h *house) watch(shopper string, key *client.Key) {
	keys := h.ledger.Keys()
	h.said.Watch(shopper, key.Thumbprint(), string(keys.Subject(shopper)), string(keys.Installation(key.Thumbprint())))
}

// app is an installation of a shopper's app.
func (h *house) app(shopper string, web *http.Client, d *websocket.Dialer) *client.Client {
	h.Helper()
	key, err := client.NewKey()
	h.ok(err)
	h.watch(shopper, key)
	c, err := client.New(client.Config{BaseURL: h.url, Installation: key, HTTP: web, Dialer: d,
		Token: func(context.Context) (string, error) {
			return h.key.MintShopper(shopper, "app", "adult", 10*time.Minute)
		}})
	h.ok(err)
	return c
}

func (h *house) decide(c *client.Client, choice string) (client.Decision, error) {
	h.Helper()
	return c.Decide(h.Context(), demostore.ID, h.prompted(c), client.Answer{Choice: choice, Control: "button"})
}

// prompted asks to see the notice.
func (h *house) prompted(c *client.Client) client.Prompt {
	h.Helper()
	p, err := c.Prompt(h.Context(), client.PromptRequest{Store: demostore.ID, Purpose: "assist", Lang: "en", Opened: true})
	h.ok(err)
	return p
}

// connect grants and opens a session; somebody must be on duty.
func (h *house) connect(c *client.Client) *client.Session {
	h.Helper()
	_, err := h.decide(c, "term")
	h.ok(err)
	s, err := c.ConnectWith(h.Context(), demostore.ID, h.index.Site().Version, []string{"assist"})
	h.ok(err)
	h.Cleanup(s.Kill)
	return s
}

// peer is the far end of a socket: its raw bytes, and what it was closed with.
type peer struct {
	wire   net.Conn
	closed <-chan int
}

// staff is the header of somebody's shift.
func (h *house) staff(shift string, ttl time.Duration) http.Header {
	h.Helper()
	token, err := h.key.MintStaff(shift, "Desk", auth.RoleFloor, demostore.ID, ttl)
	h.ok(err)
	return http.Header{"Authorization": {"Bearer " + token}}
}

// dialConsole shakes hands at the console's socket and says hello. res is the answer of a refusal.
func (h *house) dialConsole(p *peer, header http.Header) (*websocket.Conn, *http.Response, error) {
	conn, res, err := h.rawConsole(p, header)
	if err == nil {
		err = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello","since":0}`))
	}
	return conn, res, err
}

// rawConsole shakes hands and says nothing.
func (h *house) rawConsole(p *peer, header http.Header) (*websocket.Conn, *http.Response, error) {
	d := h.dialer(&p.wire)
	d.Subprotocols = []string{"doorstep.staff.v1"}
	conn, res, err := d.DialContext(h.Context(), "ws"+strings.TrimPrefix(h.url, "http")+"/v1/staff/socket", header)
	if err == nil {
		h.Cleanup(func() { _ = conn.Close() })
	}
	return conn, res, err
}

// console signs somebody on duty. Its socket sends nothing by itself.
func (h *house) console() peer { return h.consoleOf(h.staff("shift", time.Hour)) }

// attended has somebody on duty, with a console that beats, for as long as the test lasts: however slow the machine is.
func (h *house) attended() {
	h.Helper()
	conn, res, err := h.dialConsole(&peer{}, h.staff("shift", time.Hour))
	h.ok(err)
	h.ok(res.Body.Close())
	joined := make(chan struct{})
	go readAll(conn, joined)
	go h.beat(conn)
	select {
	case <-joined:
	case <-time.After(time.Minute):
		h.Fatal("no snapshot came")
	}
}

// beat keeps a console that says nothing else.
func (h *house) beat(conn *websocket.Conn) {
	for conn.WriteJSON(map[string]any{"type": "beat", "n": 1}) == nil {
		select {
		case <-time.After(5 * time.Second):
		case <-h.Context().Done():
			return
		}
	}
}

// consoleOf is console for somebody in particular.
func (h *house) consoleOf(who http.Header) peer {
	h.Helper()
	var p peer
	conn, res, err := h.dialConsole(&p, who)
	h.ok(err)
	h.ok(res.Body.Close())
	closed := make(chan int, 1)
	joined := make(chan struct{})
	go func() {
		closed <- readAll(conn, joined)
	}()
	p.closed = closed
	select {
	case <-joined:
	case <-time.After(time.Minute):
		h.Fatal("no snapshot came")
	}
	return p
}

// readAll reads until the socket is closed, and tells when the second frame has come: the snapshot.
func readAll(conn *websocket.Conn, joined chan<- struct{}) int {
	return listen(conn, joined, func(map[string]any) {})
}

// listen is readAll for somebody who takes in what comes.
func listen(conn *websocket.Conn, joined chan<- struct{}, take func(frame map[string]any)) int {
	for n := 1; ; n++ {
		var frame map[string]any
		err := conn.ReadJSON(&frame)
		if n == 2 {
			close(joined)
		}
		if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
			return closed.Code
		}
		if err != nil {
			return websocket.CloseAbnormalClosure
		}
		take(frame)
	}
}

// phone is a connected app's far end.
func (h *house) phone() peer {
	h.Helper()
	h.attended()
	var p peer
	s := h.connect(h.app("shopper", h.web, h.dialer(&p.wire)))
	closed := make(chan int, 1)
	go func() {
		for e := range s.Events() {
			if c, ok := e.(client.Closed); ok {
				closed <- c.Code
			}
		}
	}()
	p.closed = closed
	return p
}

// write sends raw bytes; what the server no longer takes is not the test's concern.
func (p peer) write(b []byte) error {
	_, err := p.wire.Write(b)
	return err
}

// within is the code that the socket was closed with, or 0 if it was not in time.
func (p peer) within(d time.Duration) int {
	select {
	case code := <-p.closed:
		return code
	case <-time.After(d):
		return 0
	}
}

// The operations of frames (RFC 6455, section 5.2), and the bit of a message's last one.
const (
	opMore, opText, opPing, opPong = 0, 1, 9, 10
	last                           = 0x80
)

// frame is a client's frame of at most 65,535 bytes, masked with zeros.
func frame(head byte, payload string) []byte {
	b := []byte{head, 0x80 | 126, byte(len(payload) >> 8), byte(len(payload)), 0, 0, 0, 0}
	if len(payload) < 126 {
		b = []byte{head, 0x80 | byte(len(payload)), 0, 0, 0, 0}
	}
	return append(b, payload...)
}
