// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/cmd/doorstep/demostore"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
)

// balancer spreads connections over servers in turns, and knows nothing of what goes through it. One that takes none is
// passed over.
type balancer struct {
	net.Listener
	mu   sync.Mutex // owns the rest
	at   []string
	turn int
	open sync.WaitGroup
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{Listener: l}
	ctx, cancel := context.WithCancel(context.Background())
	b.open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.open.Go(func() { b.carry(ctx, c) })
		}
	})
	t.Cleanup(func() { cancel(); _ = l.Close(); b.open.Wait() })
	return b
}

func (b *balancer) address() string { return "http://" + b.Addr().String() }

// use sets the servers.
func (b *balancer) use(servers ...*separate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = nil
	for _, s := range servers {
		b.at = append(b.at, strings.TrimPrefix(s.address, "http://"))
	}
}

func (b *balancer) carry(ctx context.Context, in net.Conn) {
	defer in.Close()
	var out net.Conn
	b.mu.Lock()
	for range b.at {
		b.turn++
		var err error
		if out, err = net.Dial("tcp", b.at[b.turn%len(b.at)]); err == nil {
			break
		}
	}
	b.mu.Unlock()
	if out == nil {
		return
	}
	defer out.Close()
	unhook := context.AfterFunc(ctx, func() { _ = in.Close(); _ = out.Close() })
	defer unhook()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(in, out)
		_ = in.Close()
	}()
	_, _ = io.Copy(out, in)
	_ = out.Close()
	<-back
}

// walker is a phone that stays inside, and comes back by itself for as long as it is let.
type walker struct {
	*app
	at    geofence.LatLng
	alert atomic.Pointer[string]
	back  atomic.Int64 // how often it came back
	over  atomic.Bool  // there is no grant any more
}

func (p *walker) run(ctx context.Context) {
	for ctx.Err() == nil && !p.over.Load() {
		s, err := p.Connect(ctx, demostore.ID, []string{askPurpose})
		if err == nil {
			p.walk(ctx, s)
			p.back.Add(1)
		} else if refusedGrant(err) {
			p.over.Store(true)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// walk sends a fix every 400 ms and asks for help once, until the socket is gone.
func (p *walker) walk(ctx context.Context, s *client.Session) {
	defer s.Kill()
	tick := time.NewTicker(400 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-s.Events():
			if !open {
				return
			}
			if st, ok := e.(client.State); ok && st.State == "active" && p.alert.Load() == nil {
				if id, err := s.Help("fitting", true); err == nil {
					p.alert.Store(&id)
				}
			}
		case <-tick.C:
			if s.Fix(client.Fix{T: time.Now().UnixMilli(), Lat: p.at.Lat, Lng: p.at.Lng, AccuracyM: 6, Source: "sim"}) != nil {
				return
			}
		}
	}
}

// metric reads one number of a server's.
func (s *separate) metric(t *testing.T, name string) float64 {
	t.Helper()
	resp, err := http.Get(s.metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no metric %s", name)
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// until waits for what must come about, a minute at most.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); !f(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never came about: %s", what)
		}
	}
}

// page is a console's page, which keeps its cookie whatever it is told, and goes to whichever server.
type page struct{ cookie string }

// signedIn is one that is signed in at a server.
func signedIn(t *testing.T, server, code string) *page {
	t.Helper()
	p := &page{}
	resp := p.does(t, http.MethodPost, server, "/v1/staff/session", `{"code":"`+code+`"}`, http.StatusNoContent)
	p.cookie, _, _ = strings.Cut(resp.Header.Get("Set-Cookie"), ";")
	return p
}

func (p *page) does(t *testing.T, method, server, path, body string, want int) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"}, "Cookie": {p.cookie}}
	if method != http.MethodGet {
		r.Header.Set("Origin", server)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("%s %s: %d, want %d", method, path, resp.StatusCode, want)
	}
	return resp
}

// Three servers behind a balancer that knows nothing. A console at one of them sees the shoppers at all. One is killed: its
// phones go on elsewhere, and no request for help is lost. Then all are replaced, one after the other, while phones walk
// and shoppers withdraw: nobody who has ended is shown, nobody else's request goes, and each withdrawal is answered. Whoever
// is signed in at a console's page stays so throughout, and signs out at all.
func TestServersComeAndGo(t *testing.T) {
	t.Parallel()
	d, b := together(t), newBalancer(t)
	front := d.witnessed(b.address())
	at := insideOf(t, demoIndex(t))
	nodes := []*separate{d.start(), d.start(), d.start()}
	b.use(nodes...)
	var screens []*crowd.Watcher
	watch := func(s *separate, code string) *crowd.Watcher {
		t.Helper()
		w, err := crowd.Watch(t.Context(), s.address, code)
		if err != nil {
			t.Fatal(err)
		}
		screens = append(screens, w)
		t.Cleanup(w.Close)
		return w
	}
	w := watch(nodes[2], nodes[2].code)
	desk := signedIn(t, nodes[0].address, nodes[0].code)

	const people = 8
	ctx, cancel := context.WithCancel(t.Context())
	var walking sync.WaitGroup
	t.Cleanup(func() { cancel(); walking.Wait() })
	var phones []*walker
	for range people {
		p := &walker{app: d.app(front), at: at}
		p.decide(t, demostore.ID, "visit")
		phones = append(phones, p)
		walking.Go(func() { p.run(ctx) })
	}
	sessions := func(list ...*separate) (n float64) {
		for _, s := range list {
			n += s.metric(t, "doorstep_sessions")
		}
		return n
	}
	until(t, "everybody's request on the one console", func() bool { return w.Totals().Alerts == people })
	for i, s := range nodes {
		if sessions(s) == 0 {
			t.Errorf("server %d has no phone: nothing was spread", i)
		}
	}
	for _, p := range phones[:2] {
		if err := w.Look(*p.alert.Load()); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "a position", func() bool { return w.Totals().Dots > 0 })

	nodes[0].kill(t)
	desk.does(t, http.MethodGet, nodes[1].address, "/v1/staff/me", "", http.StatusOK)
	left := people
	withdraw := func(p *walker) {
		t.Helper()
		c, err := d.sameAt(p.app, front).Withdraw(t.Context(), client.Withdrawal{Scope: "all"})
		if err != nil || c.Receipt == "" {
			t.Fatalf("%+v, %v", c, err)
		}
		left--
	}
	withdraw(phones[0])
	b.use(nodes[1:]...)
	until(t, "everybody at the servers that are left", func() bool { return sessions(nodes[1:]...) == float64(left) })

	for i := range nodes { // a new one first, then an old one goes
		fresh := d.start()
		watch(fresh, fresh.code)
		old := nodes[i]
		nodes[i] = fresh
		b.use(nodes...)
		if i == 0 {
			continue // that one was killed
		}
		b.use(nodes[:i+1]...)
		old.signal(t, syscall.SIGTERM)
		withdraw(phones[i])
		if err := old.wait(); err != nil {
			t.Errorf("told to stop, it ended with %v: %s", err, old.said)
		}
	}
	b.use(nodes...)
	until(t, "everybody at the new servers", func() bool { return sessions(nodes...) == float64(left) })
	desk.does(t, http.MethodGet, nodes[2].address, "/v1/staff/me", "", http.StatusOK) // of those who knew it, nobody is left
	desk.does(t, http.MethodDelete, nodes[1].address, "/v1/staff/session", "", http.StatusNoContent)
	desk.does(t, http.MethodGet, nodes[0].address, "/v1/staff/me", "", http.StatusUnauthorized)
	w = watch(nodes[0], nodes[0].another)
	until(t, "the snapshot of a new console", func() bool { return w.Totals().Alerts > 0 })
	for i, p := range phones { // what has ended is told of for a minute, as ended
		ended, now := i < people-left, w.Seen(*p.alert.Load())
		if raised := now.State == "raised"; raised == ended {
			t.Errorf("phone %d: withdrawn is %v, and its request %q", i, ended, now.State)
		}
		if ended != p.over.Load() {
			t.Errorf("phone %d: withdrawn is %v, and it has no grant: %v", i, ended, p.over.Load())
		}
	}
	for i, w := range screens {
		if n := w.Totals().Unsafe; n != 0 {
			t.Errorf("console %d was shown %d positions of somebody who was hidden or gone", i, n)
		}
	}
}
