// SPDX-License-Identifier: Apache-2.0

package server

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/wire"
)

// phone is one app's connection. There is no goroutine for writing: whoever has something to say
// takes mu, and a write that takes longer than writeWait costs the connection. The reader's own
// state is in reader.go.
type phone struct {
	srv     *Server
	conn    *websocket.Conn
	ticket  auth.Ticket // only the reader's goroutine looks at it
	session *tracking.Session
	release func() // gives the address's place back

	authUntil atomic.Int64 // Unix milliseconds
	lastSaid  atomic.Int64 // Unix milliseconds of the last frame sent
	readDone  chan struct{}

	mu      sync.Mutex // owns writing, buf and what follows
	buf     []byte
	closed  bool
	visit   string // once welcomed; its resume token lives as long as its lease
	holding bool   // a withdrawal is being answered: the close waits for it
	held    *tracking.StateChange
	acks    ackState
}

// ackState is what the next ack says. An ack never spans a change of outcome, so that an app can
// tell each of its fixes' fate from it.
type ackState struct {
	seq, accepted, lease int64
	refused              wire.Refusals
	pending              int
	since                int64 // Unix milliseconds of the first one pending
	outcome              outcome
}

type outcome uint8

const (
	counted outcome = iota // toward entering: neither stored nor refused
	accepted
	refused
)

// Figures of the protocol.
const (
	writeWait  = time.Second
	helloWait  = 5 * time.Second
	beatEvery  = 10 * time.Second
	ackEach    = 8
	ackWithin  = 8 * time.Second
	movingMS   = 2000
	stillMS    = 10000
	minMS      = 1000
	closeGrace = time.Second
)

// send writes one frame made by make, which appends it to a buffer.
func (p *phone) send(make func([]byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(make)
}

// write sends one frame. Called with mu held.
func (p *phone) write(make func([]byte) []byte) {
	if p.closed {
		return
	}
	p.buf = make(p.buf[:0])
	_ = p.conn.SetWriteDeadline(time.Now().Add(writeWait))
	if err := p.conn.WriteMessage(websocket.TextMessage, p.buf); err != nil {
		p.closed = true
		_ = p.conn.Close() // the reader sees it and detaches
		return
	}
	p.lastSaid.Store(p.srv.now())
}

func (s *Server) now() int64 { return s.Now().UnixMilli() }

// State implements tracking.Phone. What is known of the fixes so far goes out before it.
func (p *phone) State(c tracking.StateChange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushAck()
	p.write(p.state(c).Append)
}

func (p *phone) state(c tracking.StateChange) wire.State {
	st := wire.State{T: p.srv.now(), State: wire.SessionState(c.State), Reason: string(c.Reason), LastAcceptedT: c.LastAccepted}
	if c.State == tracking.StateEnded {
		row := closeRow(c.Reason)
		st.Code, st.Restart = row.Code, row.Restart
	}
	return st
}

// Seen implements tracking.Phone.
func (p *phone) Seen(role, team string, since time.Time) {
	p.send(wire.Seen{By: role, Team: team, Since: since.UnixMilli()}.Append)
}

// Unseen implements tracking.Phone.
func (p *phone) Unseen() { p.send(wire.Unseen{}.Append) }

// HelpUpdate implements tracking.Phone.
func (p *phone) HelpUpdate(id, state string) {
	p.send(wire.HelpUpdate{ID: id, State: wire.HelpState(state)}.Append)
}

// Map implements tracking.Phone.
func (p *phone) Map(x *geofence.Index, by time.Time) { p.send(mapFrame(x, by).Append) }

func mapFrame(x *geofence.Index, by time.Time) wire.Map {
	site := x.Site()
	return wire.Map{Fence: site.Version, URL: "/v1/stores/" + site.ID + "/fences/" + site.Version, By: by.UnixMilli()}
}

// Close implements tracking.Phone: it returns at once. The session has stopped listening already;
// what is left is to say so.
func (p *phone) Close(c tracking.StateChange) { go p.finish(c) }

func (p *phone) finish(c tracking.StateChange) {
	p.mu.Lock()
	if p.holding {
		p.held = &c
		p.mu.Unlock()
		return
	}
	p.flushAck()
	p.write(p.state(c).Append)
	visit := p.visit
	p.mu.Unlock()
	if c.State == tracking.StateEnded && visit != "" {
		p.srv.resumes.Drop(visit)
	}
	p.hangUp(closeRow(c.Reason).Code)
}

// hangUp closes with a code: the close frame, then a moment for the peer's own, so that what was
// written last arrives instead of being lost to a reset.
func (p *phone) hangUp(code int) {
	p.mu.Lock()
	was := p.closed
	p.closed = true
	p.mu.Unlock()
	if was {
		return
	}
	row := wire.LookupClose(code)
	message := websocket.FormatCloseMessage(code, row.Name)
	_ = p.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(writeWait))
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-p.readDone:
	case <-grace.C:
	}
	_ = p.conn.Close()
}

// closeRow is the row of the close code that belongs to a reason. Three reasons are the server's
// own: they let go of a connection whose visit has not ended.
func closeRow(reason consent.Reason) wire.Close {
	switch reason {
	case "shutting_down":
		return wire.LookupClose(wire.CloseRestart)
	case "unavailable":
		return wire.LookupClose(wire.CloseDependency)
	case "ticket":
		return wire.LookupClose(wire.CloseExpired)
	}
	return wire.CloseFor(string(reason))
}

// judged takes in what became of a fix and acknowledges when it is time: after ackEach fixes, when
// the outcome changes, or when something was refused.
func (p *phone) judged(seq int64, r tracking.FixResult) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := &p.acks
	kind := counted
	switch {
	case r.Accepted:
		kind = accepted
	case r.Refused != "":
		kind = refused
	}
	if a.pending > 0 && a.outcome != kind {
		p.flushAck()
	}
	if a.pending == 0 {
		a.since = p.srv.now()
	}
	a.pending++
	a.seq, a.lease, a.outcome = max(a.seq, seq), r.LeaseUntil, kind
	switch kind {
	case accepted:
		a.accepted = max(a.accepted, seq)
	case refused:
		a.refused.Add(wire.Code(r.Refused))
	}
	if a.pending >= ackEach || kind == refused || r.Changed {
		p.flushAck()
	}
}

// flushAck sends the pending ack, if there is one. Called with mu held.
func (p *phone) flushAck() {
	if p.acks.pending > 0 {
		p.ack()
	}
}

func (p *phone) ack() {
	a := &p.acks
	frame := wire.Ack{T: p.srv.now(), Seq: a.seq, AcceptedSeq: a.accepted, LeaseUntil: a.lease}
	if !a.refused.Empty() {
		frame.Refused = &a.refused
	}
	p.write(frame.Append)
	a.refused.Reset()
	a.pending = 0
	if p.visit != "" {
		p.srv.resumes.Extend(p.visit, time.UnixMilli(a.lease))
	}
}

// tick is called once a second: acknowledgements that waited long enough, a beat (an ack that says
// nothing new) when nothing else was said, and the end of the token's life.
func (p *phone) tick(now int64) {
	if now > p.authUntil.Load() {
		go p.finish(tracking.StateChange{State: tracking.StateSuspended, Reason: "ticket"})
		return
	}
	if due := p.authUntil.Load() - authNotice.Milliseconds(); now > due && now <= due+sweepEvery.Milliseconds() {
		p.send(wire.AuthDue{By: p.authUntil.Load()}.Append)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := p.acks.pending > 0 && now-p.acks.since >= ackWithin.Milliseconds()
	silent := now-p.lastSaid.Load() >= beatEvery.Milliseconds()-sweepEvery.Milliseconds()
	if waited || silent {
		p.ack()
	}
}

const (
	authNotice = 60 * time.Second
	sweepEvery = time.Second
)

// phones are the open connections, for the sweep.
type phones struct {
	mu   sync.Mutex
	open map[*phone]struct{}
}

func newPhones() *phones { return &phones{open: make(map[*phone]struct{})} }

func (ps *phones) add(p *phone) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.open[p] = struct{}{}
}

func (ps *phones) remove(p *phone) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.open, p)
}

func (ps *phones) list() []*phone {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	list := make([]*phone, 0, len(ps.open))
	for p := range ps.open {
		list = append(list, p)
	}
	return list
}
