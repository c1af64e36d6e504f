// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	spec "doorstep/mobile-sdk-spec"
)

// socket is one connection of a story. One goroutine reads; whoever has wmu writes.
type socket struct {
	p    *play
	conn *websocket.Conn
	gone chan struct{} // closed when the reader has finished

	wmu    sync.Mutex
	fields []string // of the welcome; its members are set before the reader goes on
	pace   pace
}

const (
	subprotocol = "doorstep.v1"
	helloMost   = 5 * time.Second
	frameMost   = 1 << 10
	beat        = 2 * time.Second
)

// socket opens one: the credential says whose story it is.
func (s *Suite) socket(w http.ResponseWriter, r *http.Request) {
	offered := websocket.Subprotocols(r)
	kind, credential := credentialOf(r, offered)
	part := strings.Split(credential, ".")
	if len(part) != 3 || s.play(part[1]) == nil {
		http.Error(w, "no such ticket", http.StatusForbidden) // of no story: an SDK that makes tickets up
		return
	}
	p := s.play(part[1])
	if p.is("offline") {
		panic(http.ErrAbortHandler)
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	if !p.is("blank") {
		up.Subprotocols = []string{subprotocol}
	}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	k := &socket{p: p, conn: conn, gone: make(chan struct{})}
	defer k.finish()
	p.add("open "+kind, map[string]any{"credential": credential})
	if r.URL.RawQuery != "" {
		p.broken("A-2", "a socket's address with a query")
	}
	if !slices.Contains(offered, subprotocol) || kind == "" {
		p.broken("A-14", "the subprotocols "+strings.Join(offered, ", "))
		return
	}
	p.kept("A-14")
	p.mu.Lock()
	fresh, known := p.tickets[credential]
	p.tickets[credential] = false
	before := p.sock
	p.sock = k
	p.mu.Unlock()
	if before != nil {
		before.cut()
	}
	if !fresh || !known {
		p.broken("A-13", "a ticket or resume token for the second time")
		k.close(4502)
		k.drain()
		return
	}
	if x, ok := p.refused("open " + kind); ok {
		k.close(x.Status)
		k.drain()
		return
	}
	k.read(kind == "resume")
}

// credentialOf finds the ticket or resume token that a socket is opened with.
func credentialOf(r *http.Request, offered []string) (kind, credential string) {
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Ticket "); ok {
		return "ticket", t
	}
	for _, o := range offered {
		for _, kind := range []string{"ticket", "resume"} {
			if t, ok := strings.CutPrefix(o, "doorstep."+kind+"."); ok {
				return kind, t
			}
		}
	}
	return "", ""
}

// read takes frames until the connection is over. The beat goes out beside it.
func (k *socket) read(resumed bool) {
	k.conn.SetReadLimit(4 * frameMost)
	_ = k.conn.SetReadDeadline(time.Now().Add(helloMost))
	greeted := false
	for {
		_, raw, err := k.conn.ReadMessage()
		if err != nil {
			if slow, ok := err.(net.Error); ok && slow.Timeout() && !k.p.is("blank") {
				k.p.broken("A-15", "no hello")
			}
			return
		}
		var f map[string]any
		if err := spec.Frame(spec.In, raw); err != nil || len(raw) > frameMost || json.Unmarshal(raw, &f) != nil {
			k.p.broken("F-1", "a frame that no schema has, or of more than 1 KiB")
			return
		}
		if (f["type"] == "hello") == greeted {
			k.p.broken("A-15", "a "+f["type"].(string)+" where it has no place")
			return
		}
		if !greeted {
			greeted = true
			_ = k.conn.SetReadDeadline(time.Time{})
			k.p.kept("A-15")
			k.p.add("frame hello", f)
			if !k.p.is("mute") {
				k.greet(f, resumed)
				go k.beats()
			}
			continue
		}
		k.heard(f)
	}
}

func (k *socket) beats() {
	every := time.NewTicker(beat)
	defer every.Stop()
	for {
		select {
		case <-k.gone:
			return
		case <-every.C:
			if !k.p.is("mute") {
				k.say(map[string]any{"type": "time", "t0": 0, "t": k.p.suite.ms()})
				k.acknowledge(false)
			}
		}
	}
}

// greet says the welcome. A session that is not resumed begins anew.
func (k *socket) greet(hello map[string]any, resumed bool) {
	p, now := k.p, k.p.suite.ms()
	p.mu.Lock()
	p.resumed = resumed
	if !resumed {
		p.session = session{state: "entering"}
	}
	last, state, fence := p.seq, p.state, firstFence
	if p.fence == secondFence || p.turns["moved"] {
		fence = p.second()
	}
	more := maps.Clone(p.welcome)
	p.mu.Unlock()
	w := map[string]any{"type": "welcome", "t": now, "echo_t": hello["t"], "session": "s-" + p.sc.Name, "word": "Maple ▲ green", "resumed": resumed, "last_seq": last,
		"resume": p.issue("r"), "resume_ms": 30_000, "lease_ms": 30_000, "moving_ms": 300, "still_ms": 300, "min_ms": 200, "beat_ms": 10_000, "fence": fence,
		"purposes": []string{purpose}, "fields": []string{"lat", "lng", "accuracy_m", "accuracy_basis", "level", "speed_mps", "heading_deg", "source", "mocked", "app_state", "precise"},
		"auth_until": now + 900_000}
	maps.Copy(w, more)
	raw, _ := json.Marshal(w)
	var said struct {
		Fields []string
		MinMS  int64 `json:"min_ms"`
	}
	_ = json.Unmarshal(raw, &said)
	k.fields = said.Fields
	k.pace = pace{gap: time.Duration(said.MinMS) * time.Millisecond, since: p.suite.now(), till: p.suite.now().Add(time.Hour)}
	k.say(w)
	k.say(map[string]any{"type": "state", "t": now, "state": state})
	if hello["fence"] != fence {
		k.say(map[string]any{"type": "map", "fence": fence, "url": "/v1/stores/" + store + "/fences/" + fence, "by": now + 30_000})
	}
}

// permits reports whether a fix may have this member.
func (k *socket) permits(name string) bool {
	return slices.Contains([]string{"type", "seq", "t", "app_state", "precise"}, name) || slices.Contains(k.fields, name)
}

// heard takes a frame down, judges it, and answers as a server would.
func (k *socket) heard(f map[string]any) {
	p, now := k.p, k.p.suite.ms()
	switch f["type"] {
	case "fix":
		p.fixed(k, f)
		p.numbered(f)
		p.kept("F-1")
	case "outside":
		p.numbered(f)
	}
	p.add("frame "+f["type"].(string), f)
	if p.is("deaf") {
		return
	}
	switch f["type"] {
	case "fix":
		k.accept(f, now)
	case "outside":
		k.left(f["where"], now)
	case "time":
		k.say(map[string]any{"type": "time", "t0": f["t0"], "t": now})
	case "map_ok":
		p.mapped(f)
	case "auth":
		p.renewed(f["ticket"])
	case "bye":
		k.end("bye", 1000, "user")
	}
}

// acks is what has been taken and not acknowledged yet.
type acks struct {
	owed      int // fixes
	oldest    time.Time
	seq       any
	leaseOver int64
}

// How seldom a server acknowledges (SPEC.md, 3.2). A client that waits for each would starve.
const (
	ackEach   = 8
	ackWithin = 8 * time.Second
)

// accept takes a fix. The second one makes a visitor of somebody who enters or seemed out.
func (k *socket) accept(f map[string]any, now int64) {
	k.p.mu.Lock()
	k.p.accepted++
	k.p.outs = 0
	became := k.p.state != "active" && k.p.accepted >= 2
	if became {
		k.p.state = "active"
	}
	lease := int64(30_000)
	if ms, ok := k.p.welcome["lease_ms"].(float64); ok {
		lease = int64(ms)
	}
	a := &k.p.acks
	if a.owed++; a.owed == 1 {
		a.oldest = k.p.suite.now()
	}
	a.seq, a.leaseOver = f["seq"], now+lease
	k.p.mu.Unlock()
	k.acknowledge(became)
	if became {
		k.say(map[string]any{"type": "state", "t": now, "state": "active", "last_accepted_t": now})
	}
}

// acknowledge says what was taken, if it is time or there is no time to lose.
func (k *socket) acknowledge(atOnce bool) {
	k.p.mu.Lock()
	a := k.p.acks
	due := a.owed > 0 && (atOnce || a.owed >= ackEach || k.p.suite.now().Sub(a.oldest) >= ackWithin)
	if due {
		k.p.acks.owed = 0
	}
	k.p.mu.Unlock()
	if due {
		k.say(map[string]any{"type": "ack", "t": k.p.suite.ms(), "seq": a.seq, "accepted_seq": a.seq, "lease_until": a.leaseOver})
	}
}

// left answers a phone that says that it is outside.
func (k *socket) left(where any, now int64) {
	if where == "far" {
		k.end("phone_outside", 4501, "user")
		return
	}
	if where != "out" {
		return
	}
	k.p.mu.Lock()
	k.p.state, k.p.accepted = "suspended", 0
	k.p.outs++
	over := k.p.outs >= 2
	k.p.mu.Unlock()
	if over {
		k.end("phone_outside", 4501, "user")
		return
	}
	k.say(map[string]any{"type": "state", "t": now, "state": "suspended", "reason": "phone_outside"})
}

// besides is how long a frame may be behind a request that was sent with it.
const besides = time.Second

// hear waits until a frame with the id has come, for as long as it may be behind, or until the connection is gone.
func (k *socket) hear(name string, id any) {
	limit := time.NewTimer(besides)
	defer limit.Stop()
	for {
		k.p.mu.Lock()
		i, stirred := k.p.find(0, Step{With: map[string]any{"id": id}}, name), k.p.stirred
		k.p.mu.Unlock()
		if i >= 0 {
			return
		}
		select {
		case <-stirred:
		case <-k.gone:
			return
		case <-limit.C:
			return
		}
	}
}

// end says the last state and closes.
func (k *socket) end(reason string, code int, restart string) {
	k.say(map[string]any{"type": "state", "t": k.p.suite.ms(), "state": "ended", "reason": reason, "code": code, "restart": restart})
	k.close(code)
}

// say sends a frame. A connection that is gone is the reader's to notice.
func (k *socket) say(frame map[string]any) {
	raw, err := json.Marshal(frame)
	if err != nil {
		return
	}
	k.wmu.Lock()
	defer k.wmu.Unlock()
	_ = k.conn.SetWriteDeadline(time.Now().Add(time.Second))
	_ = k.conn.WriteMessage(websocket.TextMessage, raw)
}

func (k *socket) close(code int) {
	k.wmu.Lock()
	defer k.wmu.Unlock()
	body := websocket.FormatCloseMessage(code, "")
	if code == websocket.CloseNoStatusReceived {
		body = nil
	}
	_ = k.conn.WriteControl(websocket.CloseMessage, body, time.Now().Add(time.Second))
}

// cut ends the connection as a tunnel does.
func (k *socket) cut() { _ = k.conn.NetConn().Close() }

// drain reads what is still under way, so that a close arrives and no reset.
func (k *socket) drain() {
	_ = k.conn.SetReadDeadline(time.Now().Add(time.Second))
	for {
		if _, _, err := k.conn.ReadMessage(); err != nil {
			return
		}
	}
}

// finish is the reader's last word.
func (k *socket) finish() {
	close(k.gone)
	_ = k.conn.Close()
	k.p.add("closed", nil)
	k.p.mu.Lock()
	defer k.p.mu.Unlock()
	if k.p.sock == k {
		k.p.sock = nil
	}
}

// withSocket does something with the connection, if there is one.
func (p *play) withSocket(f func(*socket)) {
	p.mu.Lock()
	k := p.sock
	p.mu.Unlock()
	if k != nil {
		f(k)
	}
}

// endSocket lets go of the connection when the story is over.
func (p *play) endSocket() { p.withSocket((*socket).cut) }

// filled makes a frame of a step: "$now", "$now+N" are server time, "$scenario" the story's name; a throttle counts from now.
func (p *play) filled(raw json.RawMessage) map[string]any {
	var f map[string]any
	_ = json.Unmarshal(raw, &f)
	for k, v := range f {
		text, ok := v.(string)
		if !ok {
			continue
		}
		if rest, ok := strings.CutPrefix(text, "$now"); ok {
			more, _ := strconv.ParseInt(strings.TrimPrefix(rest, "+"), 10, 64)
			f[k] = p.suite.ms() + more
			continue
		}
		f[k] = strings.ReplaceAll(text, "$scenario", p.sc.Name)
	}
	if f["type"] == "throttle" {
		p.slowed(f)
	}
	return f
}

// slowed begins to count by a throttle.
func (p *play) slowed(f map[string]any) {
	ms := func(name string) time.Duration { n, _ := f[name].(float64); return time.Duration(n) * time.Millisecond }
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.suite.now()
	p.slow = pace{gap: ms("min_ms"), since: now.Add(grace), till: now.Add(ms("for_ms"))}
}

// renewed judges the ticket of an auth.
func (p *play) renewed(ticket any) {
	t, _ := ticket.(string)
	p.mu.Lock()
	fresh := p.tickets[t]
	p.tickets[t] = false
	p.mu.Unlock()
	if !fresh {
		p.broken("A-13", "auth with a ticket for the second time, or with none")
	}
}
