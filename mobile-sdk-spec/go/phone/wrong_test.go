// SPDX-License-Identifier: Apache-2.0

package phone

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"doorstep/mobile-sdk-spec/conformance"
	"doorstep/mobile-sdk-spec/go/client"
)

// wrong is what a client does wrongly. The zero value does nothing wrong.
type wrong struct {
	always  bool // the app reads locations whatever the phone says
	wall    bool // takes the wall clock for the monotonic one
	answers bool // takes a notice that was put away for an answer
	resumes bool // starts by itself after a restart
	over    bool // has no way to go on after an end
	insists bool // asks for the prompt again when it was refused, whatever for
	nags    bool // shows the prompt of the last time where none is in place
	keeps   func(*Kept)
	shows   func() func(State) State // made for each installation
	decide  func(*decisions)
	connect func(*client.Config)
}

// view is what the app makes of states.
func (w wrong) view() func(State) State {
	if w.shows == nil {
		return func(s State) State { return s }
	}
	return w.shows()
}

func (w wrong) decisions() decisions {
	d := rightly
	if w.decide != nil {
		w.decide(&d)
	}
	return d
}

func (w wrong) client(c *client.Config) {
	if w.connect != nil {
		w.connect(c)
	}
}

// deaf makes a client that does not understand some words of the server's.
func deaf(words ...string) func(*client.Config) {
	var pairs []string
	for _, word := range words {
		pairs = append(pairs, `"`+word+`"`, `"`+strings.Repeat("z", len(word))+`"`)
	}
	return hearing(pairs...)
}

// hearing makes a client that takes words of the server's for others, which are as long.
func hearing(pairs ...string) func(*client.Config) {
	other := strings.NewReplacer(pairs...)
	return dialling(func(c net.Conn) net.Conn {
		return conn{Conn: c, read: func(b []byte) { copy(b, other.Replace(string(b))) }}
	})
}

// echoed is a connection on which every server seems to echo the subprotocol.
type echoed struct {
	net.Conn
	head []byte // of the server's answer, while it is not read
	told bool
}

func (c *echoed) Read(b []byte) (int, error) {
	for !c.told {
		n, err := c.Conn.Read(b)
		c.head = append(c.head, b[:n]...)
		if err != nil {
			return 0, err
		}
		if answer, rest, whole := bytes.Cut(c.head, []byte("\r\n\r\n")); whole {
			c.told = true
			if !bytes.Contains(answer, []byte("Sec-WebSocket-Protocol")) {
				answer = append(bytes.Clone(answer), "\r\nSec-WebSocket-Protocol: doorstep.v1"...)
			}
			c.head = slices.Concat(answer, []byte("\r\n\r\n"), rest)
		}
	}
	if len(c.head) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.head)
	c.head = c.head[n:]
	return n, nil
}

// patient makes a client that has no limit where it has one that is as long as this.
func patient(from, to time.Duration) func(*client.Config) {
	return dialling(func(c net.Conn) net.Conn {
		return conn{Conn: c, patient: func(d time.Duration) bool { return d > from && d < to }}
	})
}

// dialling puts something between a client and its sockets.
func dialling(wrap func(net.Conn) net.Conn) func(*client.Config) {
	return func(c *client.Config) {
		c.Dialer = &websocket.Dialer{NetDial: func(network, address string) (net.Conn, error) {
			under, err := net.Dial(network, address)
			if err != nil {
				return nil, err
			}
			return wrap(under), nil
		}}
	}
}

type conn struct {
	net.Conn
	read    func([]byte)
	write   func([]byte) []byte
	patient func(time.Duration) bool // whether it forgets such a limit, and waits for the server for ever
}

func (c conn) Write(b []byte) (int, error) {
	if c.write == nil {
		return c.Conn.Write(b)
	}
	_, err := c.Conn.Write(c.write(b))
	return len(b), err
}

func (c conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.read != nil {
		c.read(b[:n])
	}
	return n, err
}

func (c conn) SetReadDeadline(t time.Time) error {
	if c.patient != nil && c.patient(time.Until(t)) {
		t = time.Time{}
	}
	return c.Conn.SetReadDeadline(t)
}

// asking changes what a client asks by HTTP.
func asking(path string, change func(*http.Request, map[string]any)) func(*client.Config) {
	return func(c *client.Config) {
		c.HTTP = &http.Client{Timeout: 20 * time.Second, Transport: changed{path, change}}
	}
}

type changed struct {
	path   string
	change func(*http.Request, map[string]any)
}

func (c changed) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != c.path {
		return http.DefaultTransport.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	body := map[string]any{}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	c.change(r, body)
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	return http.DefaultTransport.RoundTrip(r)
}

// once answers a refusal a second time by itself, as a client does that does not mend itself.
type once struct{ code atomic.Pointer[[]byte] }

func (o *once) RoundTrip(r *http.Request) (*http.Response, error) {
	if last := o.code.Swap(nil); last != nil {
		return &http.Response{StatusCode: http.StatusUnauthorized, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(*last)), Request: r}, nil
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || res.StatusCode != http.StatusUnauthorized {
		return res, err
	}
	raw, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(raw))
	o.code.Store(&raw)
	return res, err
}

// onlyOnce makes a client that sends one withdrawal, and no more whatever comes of it.
func onlyOnce(c *client.Config) {
	var sent atomic.Bool
	c.HTTP = &http.Client{Timeout: 20 * time.Second, Transport: trip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/v1/withdrawals" && sent.Swap(true) {
			return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answered makes a client that reads one word of the answers to decisions as another.
func answered(was, is string) func(*client.Config) {
	return func(c *client.Config) {
		c.HTTP = &http.Client{Timeout: 20 * time.Second, Transport: trip(func(r *http.Request) (*http.Response, error) {
			res, err := http.DefaultTransport.RoundTrip(r)
			if err != nil || r.URL.Path != "/v1/decisions" {
				return res, err
			}
			raw, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			res.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(raw, []byte(`"`+was+`"`), []byte(`"`+is+`"`))))
			return res, err
		})}
	}
}

// tokens keeps a token where a client is to ask its app for one.
type tokens struct {
	fetch func(context.Context) (string, error)
	keep  func(age time.Duration, refused bool) bool

	mu      sync.Mutex // owns the rest
	held    string
	since   time.Time
	refused bool
}

// keptToken makes a client that goes on with the token that it has for as long as keep says so.
func keptToken(keep func(age time.Duration, refused bool) bool) func(*client.Config) {
	return func(c *client.Config) {
		k := &tokens{fetch: c.Token, keep: keep}
		c.Token, c.HTTP = k.token, &http.Client{Timeout: 20 * time.Second, Transport: trip(k.roundTrip)}
	}
}

func untilRefused(_ time.Duration, refused bool) bool { return !refused }

func forAMoment(age time.Duration, _ bool) bool { return age < 2*time.Second }

func (k *tokens) token(ctx context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held != "" && k.keep(time.Since(k.since), k.refused) {
		return k.held, nil
	}
	token, err := k.fetch(ctx)
	k.held, k.since, k.refused = token, time.Now(), false
	return token, err
}

func (k *tokens) roundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && res.StatusCode == http.StatusUnauthorized {
		k.mu.Lock()
		k.refused = true
		if r.URL.Path == "/v1/withdrawals" { // of a stop that is another rule's
			k.held = ""
		}
		k.mu.Unlock()
	}
	return res, err
}

// seldom makes an app that looks at the state every 800 ms.
func seldom() func(State) State {
	var seen State
	var at time.Time
	return func(now State) State {
		if time.Since(at) >= 800*time.Millisecond {
			seen, at = now, time.Now()
		}
		return seen
	}
}

// unconfirmed makes an app that never comes back to OFF.
func unconfirmed() func(State) State {
	begun := false
	return func(now State) State {
		begun = begun || now != Off
		if begun && now == Off {
			return Stopping
		}
		return now
	}
}

// breaker is a wrong client: what it does, the rule that it breaks, and a story that shows it.
type breaker struct {
	name, rule, story string
	wrong
}

// wrongs are clients that each break one rule, with the rule and a story that shows it.
var wrongs = []breaker{
	{"stays on in the pocket", "D-7", "pocket-over", wrong{decide: func(d *decisions) { d.pocket = func(most time.Duration) time.Duration { return 20 * most } }}}, // first: it takes a minute
	{"asks for a ticket from the street", "A-6", "radio-silence", wrong{decide: func(d *decisions) { d.judge = hasty(d.judge) }}},
	{"begins on any reading inside", "P-3", "radio-silence", wrong{decide: func(d *decisions) { d.enter = func(Reading) bool { return true } }}},
	{"gives everybody the benefit of 15 m", "P-1", "edge", wrong{decide: func(d *decisions) { d.judge = generous(d.judge) }}},
	{"calls the edge outside", "P-4", "edge", wrong{decide: func(d *decisions) { d.judge = instead(d.judge, "edge", "out") }}},
	{"never gives up a close", "C-4", "close-4501", wrong{decide: func(d *decisions) { d.outcome = func(int) (bool, string) { return true, "" } }}},
	{"comes back at once", "C-2", "busy", wrong{decide: func(d *decisions) { d.wait = func(int, int64) time.Duration { return 0 } }}},
	{"does not understand resume tokens", "C-1", "resume", wrong{connect: deaf("resume")}},
	{"does not understand fields", "F-1", "fields", wrong{connect: asIfAll}},
	{"does not understand throttle", "R-1", "throttle", wrong{connect: deaf("throttle")}},
	{"does not understand auth_due", "L-3", "auth", wrong{connect: deaf("auth_due")}},
	{"does not understand a new map", "M-1", "new-map", wrong{connect: deaf("map")}},
	{"does not understand stale", "T-3", "stale", wrong{connect: deaf("stale")}},
	{"waits for a silent server", "L-2", "silence", wrong{connect: patient(10*time.Second, time.Hour)}},
	{"waits for a welcome", "A-15", "no-welcome", wrong{connect: patient(3*time.Second, 10*time.Second)}},
	{"goes on in the background", "D-2", "background", wrong{always: true, decide: func(d *decisions) { d.still = func(State) bool { return false } }}},
	{"reads the wall clock", "T-2", "clock-turned", wrong{wall: true}},
	{"answers for the shopper", "A-10", "put-away", wrong{answers: true}},
	{"hashes something else", "A-11", "visit", wrong{connect: asking("/v1/decisions", func(_ *http.Request, b map[string]any) { b["digest"] = strings.Repeat("0", 64) })}},
	{"proves nothing", "A-4", "visit", wrong{connect: asking("/v1/prompts", func(r *http.Request, _ map[string]any) { r.Header.Del("DPoP") })}},
	{"puts the store into the address", "A-2", "visit", wrong{connect: asking("/v1/tickets", func(r *http.Request, _ map[string]any) { r.URL.RawQuery = "lat=54" })}},
	{"does not mend itself", "A-5", "clock-skew", wrong{connect: func(c *client.Config) { c.HTTP = &http.Client{Transport: &once{}} }}},
	{"asks for more than there is", "A-13", "visit", wrong{connect: asking("/v1/tickets", func(_ *http.Request, b map[string]any) { b["where"] = "here" })}},
	{"gives reasons for a stop", "W-3", "stop", wrong{connect: asking("/v1/withdrawals", func(_ *http.Request, b map[string]any) { b["reason"] = "moved" })}},
	{"stops by socket only as somebody else", "W-2", "stop", wrong{connect: asking("/v1/withdrawals", func(_ *http.Request, b map[string]any) { b["id"] = another(b["id"]) })}},
	{"forgets a stop", "W-1", "stop-restart", wrong{keeps: func(k *Kept) { k.Stop = nil }}},
	{"keeps no stop token", "A-12", "signed-out", wrong{keeps: func(k *Kept) {
		for i := range k.Grants {
			k.Grants[i].StopToken = ""
		}
	}}},
	{"keeps a token until it is refused", "A-1", "token-old", wrong{connect: keptToken(untilRefused)}},
	{"keeps a token that was refused", "A-5", "token-expired", wrong{connect: keptToken(forAMoment)}},
	{"asks again and again whatever is wrong with its proof", "A-5", "clock-hopeless", wrong{insists: true}},
	{"asks again and again whatever is wrong with its token", "A-5", "token-hopeless", wrong{insists: true}},
	{"asks the shopper though it is not in place", "A-8", "not-in-place", wrong{nags: true}},
	{"says how old the shopper is", "A-8", "visit", wrong{connect: asking("/v1/prompts", func(_ *http.Request, b map[string]any) { b["age"] = 30 })}},
	{"speaks a protocol of its own", "A-14", "visit", wrong{connect: dialling(func(c net.Conn) net.Conn {
		return conn{Conn: c, write: func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("doorstep.v1"), []byte("doorstep.v9")) }}
	})}},
	{"takes any server for one of this protocol", "A-14", "no-subprotocol", wrong{connect: dialling(func(c net.Conn) net.Conn { return &echoed{Conn: c} })}},
	{"takes a state that it does not know for the end", "F-3", "unknown-frames", wrong{connect: hearing(`"dancing"`, `"ended"  `)}},
	{"makes its accuracy up", "F-6", "visit", wrong{decide: func(d *decisions) { d.says = func(f client.Fix) client.Fix { f.AccuracyM = 5; return f } }}},
	{"hides that a location is pretended", "F-8", "mocked", wrong{decide: func(d *decisions) { d.says = func(f client.Fix) client.Fix { f.Mocked = false; return f } }}},
	{"waits to be told that it is outside", "P-5", "left-unheard", wrong{decide: func(d *decisions) { d.certain = func(string, int) bool { return false } }}},
	{"numbers each connection anew", "R-3", "resume", wrong{connect: deaf("resumed", "last_seq")}},
	{"looks at its state now and then", "S-1", "indicator", wrong{shows: seldom}},
	{"is over for good after an end", "S-5", "far", wrong{over: true}},
	{"takes no for yes", "S-6", "refusal", wrong{connect: answered("refused", "given")}},
	{"asks for a stop once", "W-5", "stop-slow", wrong{connect: onlyOnce}},
	{"never says that a stop is confirmed", "W-6", "stop", wrong{shows: unconfirmed}},
	{"waits for four seconds, whatever it waits for", "C-2", "patience", wrong{decide: func(d *decisions) { d.wait = func(int, int64) time.Duration { return 4 * time.Second } }}},
	{"takes the first of several stores", "P-6", "overlap", wrong{decide: func(d *decisions) {
		d.choose = func(around []*client.Fence, _ string) *client.Fence { return first(around) }
	}}},
	{"holds to a choice for ever", "P-6", "overlap-left", wrong{decide: func(d *decisions) { d.choose = stubborn(d.choose) }}},
	{"starts by itself", "S-7", "restart", wrong{resumes: true}},
}

func first(around []*client.Fence) *client.Fence {
	if len(around) == 0 {
		return nil
	}
	return around[0]
}

// stubborn never forgets what was picked.
func stubborn(choose func([]*client.Fence, string) *client.Fence) func([]*client.Fence, string) *client.Fence {
	held := ""
	return func(around []*client.Fence, picked string) *client.Fence {
		held = cmp.Or(picked, held)
		return choose(around, held)
	}
}

// another UUID, the same one each time.
func another(id any) string { return "01890a5d-ac96-774b-bcce-" + id.(string)[24:] }

// hasty takes the first reading for one inside.
func hasty(judge func(*client.Fence, Reading) string) func(*client.Fence, Reading) string {
	var once sync.Once
	return func(f *client.Fence, r Reading) string {
		where := judge(f, r)
		once.Do(func() { where = "inside" })
		return where
	}
}

func instead(judge func(*client.Fence, Reading) string, was, is string) func(*client.Fence, Reading) string {
	return func(f *client.Fence, r Reading) string {
		if where := judge(f, r); where != was {
			return where
		}
		return is
	}
}

func generous(judge func(*client.Fence, Reading) string) func(*client.Fence, Reading) string {
	return instead(judge, "edge", "inside")
}

// asIfAll takes every field for listed.
func asIfAll(c *client.Config) {
	dialling(func(under net.Conn) net.Conn {
		return conn{Conn: under, read: func(b []byte) {
			few, all := []byte(`"fields":["lat","lng","accuracy_m"]`), []byte(`"fields":["lat","mocked","lng"]    `)
			copy(b, bytes.ReplaceAll(b, few, all))
		}}
	})(c)
}

// everything has the wrong clients told every story. It takes minutes.
var everything = flag.Bool("all", false, "tell wrong clients every story, and not only some")

// common are stories in which a client does most of what it does: who breaks one rule keeps to all others in them.
var common = []string{"visit", "far", "resume", "background", "stop", "stop-restart", "restart", "token-expired"}

// TestEveryRuleIsBrokenByAClient: a rule that no client can be caught breaking is not judged.
func TestEveryRuleIsBrokenByAClient(t *testing.T) {
	rules, err := conformance.Rules()
	if err != nil || len(rules) < 30 {
		t.Fatal(len(rules), err)
	}
	for _, rule := range rules {
		if !slices.ContainsFunc(wrongs, func(w breaker) bool { return w.rule == rule }) {
			t.Errorf("there is no client that breaks %s", rule)
		}
	}
}

// TestWrongClientsFail on exactly the rule that they break.
func TestWrongClientsFail(t *testing.T) {
	t.Parallel()
	var all errgroup.Group
	hands, side := 5, 9
	if *everything {
		hands, side = 16, 3
	}
	all.SetLimit(side)
	for _, w := range wrongs {
		all.Go(func() error {
			told := slices.Compact(slices.Sorted(slices.Values(append([]string{w.story}, common...))))
			if *everything {
				told = nil
			}
			r := judged(t, w.wrong, hands, told...)
			broken := map[string]bool{}
			for _, v := range r.Verdicts {
				broken[v.Rule] = broken[v.Rule] || !v.OK
			}
			maps.DeleteFunc(broken, func(_ string, is bool) bool { return !is })
			if len(broken) != 1 || !broken[w.rule] {
				t.Errorf("who %s: want %s broken and nothing else, got\n%s", w.name, w.rule, failures(r))
			}
			return nil
		})
	}
	_ = all.Wait()
}
