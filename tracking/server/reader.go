// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking"
	"doorstep/tracking/wire"
)

// prepare sets the limits of a connection. Compression is never negotiated: the read limit counts
// compressed bytes.
func (p *phone) prepare() {
	p.conn.SetReadLimit(wire.MaxIn)
	limitControls(p.conn)
}

// next reads one frame. Its errors are *wire.Error for what cannot be taken, or the connection's. What it returns is given
// back by the caller; nil, if not so much as the beginning of a frame came.
func (p *phone) next() (*frameIn, error) {
	kind, r, err := p.conn.NextReader()
	if err != nil {
		return nil, err
	}
	if kind != websocket.TextMessage {
		return nil, errNotText
	}
	if p.session != nil { // hello has a deadline of its own, which must not grow
		p.began.Store(p.srv.now())
		defer p.began.Store(0)
	}
	f := framesIn.get()
	n, err := io.ReadFull(r, f.raw[:])
	switch {
	case err == nil: // the buffer is one longer than a frame may be
		err = &wire.Error{Code: wire.CodeTooLarge}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		err = f.in.Decode(f.raw[:n])
	}
	return f, err
}

var errNotText = errors.New("a binary message")

// closeOf is the close code that answers a frame that could not be read.
func closeOf(err error) int {
	var bad *wire.Error
	switch {
	case errors.As(err, &bad):
		if code := bad.Close(); code != 0 {
			return code
		}
		return wire.CloseBadProtocol
	case errors.Is(err, errNotText):
		return wire.CloseNotText
	case errors.Is(err, errTooFast):
		return wire.CloseTooFast
	case errors.Is(err, websocket.ErrReadLimit):
		return wire.CloseTooBig
	}
	return wire.CloseNoAnswer
}

// first reads the first frame, hello. It takes not one byte too many for itself, unless the library has to do it.
func (p *phone) first() (*frameIn, error) {
	var b []byte
	for {
		b = append(b, make([]byte, 512)...)[:len(b)] // a hello is short
		n, err := p.line.Read(b[len(b):cap(b)])
		if err != nil {
			return nil, err
		}
		b = b[:len(b)+n]
		text, rest, is := plainFrame(b)
		switch is {
		case plain:
			f := framesIn.get()
			p.rest = append([]byte(nil), rest...)
			return f, f.in.Decode(text)
		case unusual:
			p.unusual = true
			p.line.PutBack(b)
			return p.next()
		}
	}
}

// read takes frames by way of the library until the connection or the session is over. The frame is reused: nothing of
// it is kept.
func (p *phone) read() {
	for !p.deaf {
		f, err := p.next()
		then := p.handle(f, err)
		framesIn.put(f)
		if then == stopReading {
			return
		}
		p.deaf = then == takeNothingMore
		p.out.flush()
	}
	p.discardRest()
}

// What a reader does after a frame.
type afterwards uint8

const (
	readOn afterwards = iota
	takeNothingMore
	stopReading
)

// handle acts on one frame, or on why there is none. It is apart from read so that a phone that is waited for holds
// next to nothing on its stack.
//
//go:noinline
func (p *phone) handle(f *frameIn, err error) afterwards {
	var bad *wire.Error
	refused := errors.As(err, &bad) && bad.Close() == 0
	if err != nil && !refused {
		return p.unreadable(err)
	}
	v := p.pace.count(time.Now()) // refused frames too: to refuse one costs as much as to take it
	switch {
	case v == tooMany:
		p.out.end(wire.CloseRate)
		return takeNothingMore
	case refused && f.in.Type == wire.Withdraw: // what was meant nobody can tell, but that it was to stop
		p.refuse(bad)
		p.session.Bye()
		return takeNothingMore
	case refused:
		p.refuse(bad)
	case v == faster && f.in.Type != wire.Withdraw: // a stop is never too early
		p.refuse(&wire.Error{Code: wire.CodeRate, Seq: f.in.Seq})
	case !p.take(&f.in):
		return takeNothingMore
	}
	return readOn
}

// discardRest reads on until the peer has closed; the outbox bounds how long that may take. What is on its way still
// comes, and with that unread, a reset would overtake the close frame.
func (p *phone) discardRest() {
	for {
		if _, _, err := p.conn.NextReader(); err != nil {
			var closed *websocket.CloseError
			if !errors.As(err, &closed) {
				_, _ = io.Copy(io.Discard, p.line) // what the library takes no more of
			}
			return
		}
	}
}

// unreadable ends a connection of which nothing more can be read.
func (p *phone) unreadable(err error) afterwards {
	var closed *websocket.CloseError
	if errors.As(err, &closed) || errors.Is(err, io.EOF) {
		return stopReading
	}
	code := closeOf(err)
	if code == wire.CloseNoAnswer {
		return stopReading
	}
	if bad, ok := errors.AsType[*wire.Error](err); ok {
		p.count(bad.Code)
		p.say(bad.Frame().Append) // the place, where there is one: the close code has no room for it
	}
	p.out.end(code)
	return takeNothingMore
}

func (p *phone) refuse(bad *wire.Error) {
	p.count(bad.Code)
	if bad.Seq > 0 { // a fix: the ack counts it
		p.judged(bad.Seq, tracking.FixResult{Refused: geofence.Refusal(bad.Code), LeaseUntil: p.lease()})
	}
	p.sayRefused(bad)
}

//go:noinline
func (p *phone) sayRefused(bad *wire.Error) { p.say(bad.Frame().Append) }

func (p *phone) lease() int64 {
	_, _, lease := p.session.Standing()
	return lease
}

// take acts on one frame; false ends the connection's reading.
func (p *phone) take(in *wire.In) bool {
	switch in.Type {
	case wire.Fix:
		return p.fix(in)
	case wire.Outside:
		return !p.session.Outside(string(in.Where), in.Seq).Over
	case wire.Help, wire.Checkin:
		p.askFor(in)
	case wire.Time:
		p.say(wire.TimeReply{T0: in.T0, T: p.srv.now()}.Append)
	case wire.Auth:
		p.renew(in.Ticket)
	case wire.MapOK:
		p.session.MapOK(in.Fence, in.Seq) // one that does not fit is as good as none: there is a time for it
	case wire.Withdraw:
		p.withdraw(in)
		return false
	case wire.Pause: // the app goes quiet; the lease decides
	case wire.Bye:
		p.session.Bye()
		return false
	default: // a second hello
		p.out.end(wire.CloseBadProtocol)
		return false
	}
	return true
}

// fix judges what the frame declares before the fence does: fields that nobody declares or this session's
// grants do not allow, an app that is not on screen.
func (p *phone) fix(in *wire.In) bool {
	if p.pace.hurried() {
		p.slowDown()
	}
	if !p.onScreen(in.AppState) {
		p.refuse(&wire.Error{Code: wire.CodeBackground, Field: "app_state", Seq: in.Seq})
		return true
	}
	if bad := p.unfit(in); bad != nil {
		p.refuse(bad)
		return true
	}
	r := p.session.Fix(geofence.Fix{Seq: in.Seq, T: in.T, At: geofence.LatLng{Lat: in.Lat, Lng: in.Lng},
		AccuracyM: in.AccuracyM, Level: in.Level, HasLevel: in.HasLevel, Mocked: in.Mocked, Precise: in.Precise})
	if r.Over && r.Refused == "" && !r.Accepted && !r.Changed {
		return false
	}
	if r.Refused == tracking.RefusedUnavailable {
		p.Close(tracking.StateChange{State: tracking.StateSuspended, Reason: "unavailable"})
		return false
	}
	code := wire.Code(r.Refused)
	if code != "" {
		p.count(code)
	}
	p.judged(in.Seq, r)
	switch code {
	case wire.CodeStale, wire.CodeFuture, wire.CodeApproximate: // the app has to do something about it
		p.sayRefused(&wire.Error{Code: code, Seq: in.Seq})
	}
	if p.coarseFor(code) > coarseMost {
		p.session.Approximate()
		return false
	}
	return !r.Over
}

// coarseFor is for how long there has been no fix but approximate ones, with one that was refused with this code.
func (p *phone) coarseFor(code wire.Code) time.Duration {
	if code != wire.CodeApproximate {
		p.coarse = 0
		return 0
	}
	now := p.srv.now()
	if p.coarse == 0 {
		p.coarse = now
	}
	return time.Duration(now-p.coarse) * time.Millisecond
}

//go:noinline
func (p *phone) slowDown() { p.say(wire.Throttle{MinMS: movingMS, ForMS: throttleMS}.Append) }

// askFor raises an alert if the request holds nothing that it must not.
func (p *phone) askFor(in *wire.In) {
	if bad := p.unfit(in); bad != nil {
		p.refuse(bad)
		return
	}
	a := tracking.Alert{ID: in.ID, Kind: tracking.Help, Topic: in.Topic, ShowMe: in.ShowMe}
	if in.Type == wire.Checkin {
		a = tracking.Alert{ID: in.ID, Kind: tracking.Arrived, Topic: string(in.Kind), Ref: in.Ref}
	}
	p.ask(a, in.ID)
}

// ask raises an alert for the shopper and says how far it has come.
func (p *phone) ask(a tracking.Alert, id string) {
	ctx, cancel := context.WithTimeout(context.Background(), helloWait)
	defer cancel()
	if err := p.session.Ask(ctx, a); err != nil {
		p.say(wire.ErrorFrame{Code: wire.Code(asProblem(err).Code), Scope: "session", Field: "id", Retryable: true, RetryMS: 1000}.Append)
		return
	}
	p.HelpUpdate(id, string(wire.HelpSeen))
}

// renew takes a fresh ticket of the same shopper, app, phone and store.
func (p *phone) renew(secret string) {
	t, err := p.srv.tickets.Redeem(context.Background(), secret)
	if err != nil || !t.Renews(p.ticket) {
		p.say(wire.ErrorFrame{Code: wire.Code("ticket"), Scope: "session"}.Append)
		return
	}
	p.ticket.AuthUntil = t.AuthUntil
	p.authUntil.Store(t.AuthUntil.UnixMilli())
}

// end ends what a withdraw frame is about.
func (p *phone) end(in *wire.In) (a tracking.Answer, err error) {
	req := consent.EndRequest{ID: in.ID, Kind: endKinds[string(in.Scope)], Scope: p.session.Scope(),
		Subject: p.session.Subject(), Reason: consent.Withdrawn, Claimed: p.srv.Now()}
	if req.Kind == consent.EndGrant {
		purposes := p.session.Purposes()
		if len(purposes) > 1 {
			return a, consent.ErrWhichGrant
		}
		req.Purpose = purposes[0]
	}
	a, err = p.srv.Node.End(context.Background(), req)
	p.srv.ended(a, err)
	return a, err
}

// withdraw answers on this socket before it closes: the close that the end brings is held until the
// confirmation has been written.
func (p *phone) withdraw(in *wire.In) {
	p.mu.Lock()
	p.holding = true
	p.mu.Unlock()
	a, err := p.end(in)
	if misspelt(err) { // an id that is another's, or a grant that nobody can know
		p.say(wire.ErrorFrame{Code: wire.Code(asProblem(err).Code), Scope: "session"}.Append)
		p.session.Bye()
	} else if err != nil {
		p.say(wire.ErrorFrame{Code: wire.Code(asProblem(err).Code), Scope: "session", Retryable: true, RetryMS: 1000}.Append)
	} else {
		p.say(wire.Withdrawn{ID: in.ID, Receipt: a.Ending.Receipt, Nodes: a.Nodes, Consoles: a.Consoles, MS: a.Took.Milliseconds()}.Append)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding = false
	last := tracking.StateChange{State: tracking.StateEnded, Reason: consent.Withdrawn}
	switch {
	case p.held != nil:
		last = *p.held
	case err != nil:
		last.State, last.Reason = tracking.StateSuspended, "unavailable"
	}
	p.finish(last)
}
