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
	"doorstep/tracking/server/poll"
	"doorstep/tracking/wire"
)

// phone is one app's connection. What is said to it goes through its outbox, so that nobody but its own
// reader ever waits for its socket.
type phone struct {
	srv     *Server
	conn    *websocket.Conn
	line    *poll.Conn  // beneath conn
	ticket  auth.Ticket // only who reads looks at it
	app     string      // azp of the ticket
	session *tracking.Session
	lang    string    // of the app; set before the first frame is taken
	may     *fieldsOf // what this session may send; set before the first frame is taken
	release func()    // gives the places back that the socket takes up
	out     outbox

	place   int  // among the open ones, which guard it
	turn    turn // whose the next four are; who has it reads
	rest    []byte
	pace    pace
	coarse  int64 // when the first came of the approximate fixes that no other was judged between; 0 for none
	deaf    bool  // nothing more is taken: what comes is thrown away
	unusual bool  // read by the library

	// What the sweep looks at, side by side: it comes by every second. All in Unix milliseconds.
	began     atomic.Int64 // when the frame began that is coming in; 0 for none
	waiting   atomic.Int64 // when the first fix came in that is not acknowledged yet; 0 for none
	authUntil atomic.Int64
	lastSaid  atomic.Int64 // when the last frame went out
	readDone  chan struct{}

	mu      sync.Mutex // owns what follows, and the order of frames; taken before the outbox's own
	visit   string     // once welcomed; its resume token lives as long as its lease
	holding bool       // a withdrawal is being answered: the close waits for it
	held    *tracking.StateChange
	acks    ackState
}

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
	throttleMS = 60000            // how long a phone that hurried is to keep to movingMS
	coarseMost = 10 * time.Second // how long the shopper has to allow a precise location
)

func newPhone(s *Server, conn *websocket.Conn, l *poll.Conn, t auth.Ticket, release func()) *phone {
	p := &phone{srv: s, conn: conn, line: l, app: t.App, ticket: t, release: release, readDone: make(chan struct{})}
	p.out = outbox{conn: conn, line: l, readDone: p.readDone, held: true}
	p.lastSaid.Store(s.now())
	p.authUntil.Store(t.AuthUntil.UnixMilli())
	return p
}

// say adds one frame, made by make, which appends it to a buffer. The reader has it written after each
// frame that it took.
func (p *phone) say(make func([]byte) []byte) {
	p.out.put(make)
	p.lastSaid.Store(p.srv.now())
}

// tell is say for everybody else.
func (p *phone) tell(make func([]byte) []byte) {
	p.say(make)
	p.out.start()
}

func (s *Server) now() int64 { return s.Now().UnixMilli() }

// State implements tracking.Phone. What is known of the fixes so far goes out before it.
func (p *phone) State(c tracking.StateChange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushAck()
	p.tell(p.state(c).Append)
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
func (p *phone) Seen(by tracking.Looker, since time.Time) {
	p.tell(wire.Seen{By: by.Role, Team: by.Team, Company: by.Company, Emergency: by.Emergency, Since: since.UnixMilli()}.Append)
}

// Unseen implements tracking.Phone.
func (p *phone) Unseen() { p.tell(wire.Unseen{}.Append) }

// Call implements tracking.Phone, in the app's language.
func (p *phone) Call(id, desk string, until time.Time) {
	p.tell(wire.Call{ID: id, Text: comeTo(p.lang, desk), Until: until.UnixMilli()}.Append)
}

// HelpUpdate implements tracking.Phone.
func (p *phone) HelpUpdate(id, state string) {
	p.tell(wire.HelpUpdate{ID: id, State: wire.HelpState(state)}.Append)
}

// Map implements tracking.Phone.
func (p *phone) Map(x *geofence.Index, by time.Time) { p.tell(mapFrame(x, by).Append) }

func mapFrame(x *geofence.Index, by time.Time) wire.Map {
	site := x.Site()
	return wire.Map{Fence: site.Version, URL: "/v1/stores/" + site.ID + "/fences/" + site.Version, By: by.UnixMilli()}
}

// Close implements tracking.Phone. The session has stopped listening already; what is left is to say so:
// the final state, then the close. The close that a withdrawal brings is held until that is answered.
func (p *phone) Close(c tracking.StateChange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holding {
		p.held = &c
		return
	}
	p.finish(c)
}

// finish is Close with mu held.
func (p *phone) finish(c tracking.StateChange) {
	p.flushAck()
	p.say(p.state(c).Append)
	p.out.end(closeRow(c.Reason).Code)
	if c.State == tracking.StateEnded && p.visit != "" {
		p.srv.resumes.Drop(p.visit)
	}
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

// tick is called once a second: the end of the token's life, acknowledgements that waited long enough,
// a beat (an ack that says nothing new) when nothing else was said, and a frame that takes too long to come in.
func (p *phone) tick(now int64) {
	if began := p.began.Load(); began > 0 && now-began >= messageWait.Milliseconds() {
		go p.out.drop()
	}
	if now > p.authUntil.Load() {
		p.Close(tracking.StateChange{State: tracking.StateSuspended, Reason: "ticket"})
		return
	}
	if due := p.authUntil.Load() - authNotice.Milliseconds(); now > due && now <= due+sweepEvery.Milliseconds() {
		p.tell(wire.AuthDue{By: p.authUntil.Load()}.Append)
	}
	if !p.owesAck(now) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.visit != "" && p.owesAck(now) {
		p.ack()
		p.out.start()
	}
}

// owesAck reports whether fixes have waited long enough for theirs, or the phone for any word.
func (p *phone) owesAck(now int64) bool {
	since := p.waiting.Load()
	return since > 0 && now-since >= ackWithin.Milliseconds() || now-p.lastSaid.Load() >= beatEvery.Milliseconds()-sweepEvery.Milliseconds()
}

const (
	authNotice = 60 * time.Second
	sweepEvery = time.Second
)
