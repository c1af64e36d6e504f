// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/consent"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/poll"
	"doorstep/tracking/server/problem"
	"doorstep/tracking/wire"
)

// The names of the subprotocols. What authorises travels as one of them, because a browser can set
// no header, and an address is logged by everybody.
const (
	appProtocol    = "doorstep.v1"
	ticketPrefix   = "doorstep.ticket."
	resumePrefix   = "doorstep.resume."
	phoneBuffer    = 512 // bytes, for writing; it is shared
	leastBuffer    = 128 // for reading: the library reads next to nothing
	framesMost     = 5   // a second
	framesTolerate = 20  // in one second, before the connection is cut
	pingsMost      = 10  // a second
)

// appSpoken answers a handshake. Left to the library, a connection would hold on to the request's own words, ticket and
// all, for as long as it lasts.
var appSpoken = http.Header{"Sec-Websocket-Protocol": {appProtocol}}

// Write buffers are shared, since a phone is written to for a moment in every few seconds.
var writePool sync.Pool

// session is the app's socket. It returns as soon as the socket is there: what the request holds
// would otherwise be held for as long as the visit.
func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	if !s.ready(w, r, appProtocol) {
		return
	}
	if err := s.Origins.AllowSocket(r); err != nil {
		s.fail(w, r, err)
		return
	}
	release, err := s.apps.address(s, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	ticket, visit, refusal := s.admitted(r)
	if refusal == 0 {
		if release, err = s.apps.person(string(s.Ledger.Keys().Subject(ticket.Subject)), release); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	up := websocket.Upgrader{
		ReadBufferSize: leastBuffer, WriteBufferSize: phoneBuffer, WriteBufferPool: &writePool,
		HandshakeTimeout: helloWait,
		CheckOrigin:      func(*http.Request) bool { return true }, // checked above
	}
	over := &lined{ResponseWriter: w}
	conn, err := up.Upgrade(over, r, appSpoken)
	if err != nil {
		release()
		return // Upgrade has answered
	}
	go newPhone(s, conn, over.line, ticket, release).serve(visit, refusal)
}

// lined hands the library a line for the connection that it takes over.
type lined struct {
	http.ResponseWriter
	line *poll.Conn
}

// Hijack implements http.Hijacker.
func (w *lined) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.line = poll.NewConn(conn)
	return w.line, buffered, nil
}

// ready refuses what is not a WebSocket handshake for the given protocol with an answer that can be
// read.
func (s *Server) ready(w http.ResponseWriter, r *http.Request, protocol string) bool {
	if !websocket.IsWebSocketUpgrade(r) {
		s.fail(w, r, problem.New(problem.Request).WithDetail("this address is a WebSocket: send an upgrade request"))
		return false
	}
	for _, name := range websocket.Subprotocols(r) {
		if name == protocol {
			return true
		}
	}
	s.fail(w, r, problem.New(problem.Request).WithDetail("the subprotocol "+protocol+" is missing"))
	return false
}

// admitted redeems what the handshake carries: a ticket, or a resume token that stands in for one.
// A refusal is a close code: the socket is opened to say so, because a browser sees nothing else.
func (s *Server) admitted(r *http.Request) (t auth.Ticket, visit string, refusal int) {
	if native, ok := auth.Credential(r, "Ticket"); ok {
		t, err := s.tickets.Redeem(r.Context(), native)
		return t, "", refusalOf(err)
	}
	for _, name := range websocket.Subprotocols(r) {
		if secret, ok := strings.CutPrefix(name, ticketPrefix); ok {
			t, err := s.tickets.Redeem(r.Context(), secret)
			return t, "", refusalOf(err)
		}
		if secret, ok := strings.CutPrefix(name, resumePrefix); ok {
			resumed, err := s.resumes.Redeem(secret)
			if err != nil {
				return auth.Ticket{}, "", wire.CloseExpired // a ticket will do
			}
			return resumed.Ticket, resumed.Visit, 0
		}
	}
	return auth.Ticket{}, "", wire.CloseBadToken
}

func refusalOf(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, auth.ErrExpired):
		return wire.CloseExpired
	case errors.Is(err, auth.ErrUnknown):
		return wire.CloseBadToken
	}
	return wire.CloseDependency
}

// serve opens the session. What follows has a goroutine of its own, and with it a stack of its own: opening goes down to
// the database, and a phone's goroutine would keep the stack for that as long as the visit lasts.
func (p *phone) serve(visit string, refusal int) {
	p.prepare()
	if refusal == 0 {
		p.srv.phones.add(p)
		if refusal = p.begin(visit); refusal == 0 && p.srv.welcomes(p.app) != nil {
			p.suspend() // while it opened: this looks once it is among the phones
		}
	}
	if refusal == 0 && p.watch() {
		return
	}
	p.line.PutBack(p.rest)
	p.rest = nil
	if refusal == 0 {
		go p.attend()
		return
	}
	defer p.leave()
	p.out.end(refusal)
	p.discard()
}

// attend is the rest of the life of a connection that has a goroutine.
func (p *phone) attend() {
	p.read()
	p.over()
}

// over is the end of a connection from which nothing more comes.
func (p *phone) over() {
	close(p.readDone)
	p.session.Detach(p)
	p.out.gone()
	p.leave()
}

// leave gives back what a connection takes up.
func (p *phone) leave() {
	p.srv.phones.remove(p)
	p.release()
}

// discard reads until the peer has closed, so that a refusal is not lost to a reset.
func (p *phone) discard() {
	defer close(p.readDone)
	_ = p.conn.SetReadDeadline(time.Now().Add(closeGrace))
	for {
		if _, _, err := p.conn.NextReader(); err != nil {
			return
		}
	}
}

// begin waits for hello and opens the session; it returns a close code if it could not.
func (p *phone) begin(visit string) (refusal int) {
	_ = p.conn.SetReadDeadline(time.Now().Add(helloWait))
	f, err := p.first()
	defer framesIn.put(f)
	if err != nil {
		return closeOf(err)
	}
	hello := &f.in
	if hello.Type != wire.Hello {
		return wire.CloseBadProtocol
	}
	p.lang = hello.Lang
	_ = p.conn.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithTimeout(context.Background(), helloWait)
	defer cancel()
	resumed, err := p.open(ctx, visit)
	if err != nil {
		return openRefusal(err)
	}
	if err := p.welcome(hello, resumed); err != nil {
		p.session.Detach(p)
		return wire.CloseDependency
	}
	p.out.flush()
	return 0
}

// open resumes a visit that this node still has, or opens a session for the ticket.
func (p *phone) open(ctx context.Context, visit string) (resumed bool, err error) {
	if visit != "" { // it stands in for a ticket for this visit only: what has ended takes a new one
		s, ok := p.srv.Node.Find(visit)
		if !ok || s.Attach(p) != nil {
			return false, errNotHere
		}
		p.session = s
		return true, nil
	}
	keys := p.srv.Ledger.Keys()
	p.session, err = p.srv.Node.Open(ctx, tracking.Opening{
		Scope:    consent.Scope{Installation: keys.Installation(p.ticket.Installation), Store: p.ticket.Store},
		Subject:  keys.Subject(p.ticket.Subject),
		Purposes: p.ticket.Purposes,
	}, p)
	return false, err
}

// errNotHere answers a resume of a visit that has ended, or that this node does not have.
var errNotHere = errors.New("no such visit on this node")

func openRefusal(err error) int {
	switch {
	case errors.Is(err, errNotHere):
		return wire.CloseExpired
	case errors.Is(err, tracking.ErrNotGranted):
		return wire.CloseNoGrant
	case errors.Is(err, tracking.ErrNobodyOnDuty):
		return wire.CloseNobody
	case errors.Is(err, tracking.ErrNoStore), errors.Is(err, tracking.ErrStoreClosed):
		return wire.CloseStoreClosed
	case errors.Is(err, tracking.ErrShuttingDown):
		return wire.CloseShutdown
	}
	return wire.CloseDependency
}

func (p *phone) welcome(hello *wire.In, resumed bool) error {
	s := p.srv
	state, last, lease := p.session.Standing()
	token, err := s.resumes.Issue(auth.Resume{Visit: p.session.Visit(), Ticket: p.ticket}, s.Now().Add(tracking.PositionLife))
	if err != nil {
		return err
	}
	x, by := p.session.Holds(hello.Fence)
	purposes := p.session.Purposes()
	p.may = s.permits.of(s.Ledger.Registry(), p.session.Data())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.visit = p.session.Visit()
	p.acks.seq, p.acks.accepted, p.acks.lease = last, last, lease
	frames := []func([]byte) []byte{wire.Welcome{
		T: s.now(), EchoT: hello.T, Session: p.session.Visit(), Word: tracking.Word(p.session.Visit()),
		Resumed: resumed, LastSeq: last, Resume: token, ResumeMS: tracking.PositionLife.Milliseconds(),
		LeaseMS: s.Node.Rules.LeaseMS, MovingMS: movingMS, StillMS: stillMS, MinMS: minMS, BeatMS: beatEvery.Milliseconds(),
		Fence: x.Site().Version, Purposes: purposes, Fields: p.may.fields, AuthUntil: p.authUntil.Load(),
	}.Append, wire.State{T: s.now(), State: wire.SessionState(state)}.Append}
	if !by.IsZero() {
		frames = append(frames, mapFrame(x, by).Append)
	}
	p.out.welcome(frames...)
	p.lastSaid.Store(s.now())
	return nil
}
