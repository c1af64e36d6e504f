// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"sync"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
	"doorstep/tracking/server/problem"
	"doorstep/tracking/wire"
)

// Undeclared says when an app that asks for what is undeclared is kept out (brief, 18). An app is many
// phones, so one of them must not be able to have all the others kept out: each shopper counts for a tenth at most.
type Undeclared struct {
	After int           // attempts within Within, on this node
	For   time.Duration // how long it is kept out
}

// The usual settings, and how long attempts are remembered.
const (
	undeclaredAfter  = 100
	undeclaredFor    = 24 * time.Hour
	undeclaredWithin = time.Hour
	attemptsShare    = 10
)

// attempts are the apps' recent attempts on this node. No shopper is in it but as a Ref, for an hour at most.
type attempts struct {
	mu  sync.Mutex // owns the rest
	of  map[string]*appAttempts
	out map[string]time.Time // apps that are kept out, until when
}

type appAttempts struct {
	since time.Time
	n     int
	by    map[consent.Ref]int
}

func newAttempts() *attempts {
	return &attempts{of: map[string]*appAttempts{}, out: map[string]time.Time{}}
}

// add takes in one attempt and reports whether it is the one too many.
func (a *attempts) add(app string, who consent.Ref, now time.Time, after int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	mine := a.of[app]
	if mine == nil || now.Sub(mine.since) >= undeclaredWithin {
		mine = &appAttempts{since: now, by: map[consent.Ref]int{}}
		a.of[app] = mine
	}
	if mine.by[who] >= max(1, after/attemptsShare) {
		return false
	}
	mine.by[who]++
	mine.n++
	if mine.n < after {
		return false
	}
	delete(a.of, app)
	return true
}

// keptOut reports whether an app is out at a moment.
func (a *attempts) keptOut(app string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Before(a.out[app])
}

func (a *attempts) set(out map[string]time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.out = out
}

// attempt counts a refused attempt to collect something; no part of what was sent is kept. The one too many
// has the app suspended, at every node.
func (s *Server) attempt(app string, who consent.Ref, code wire.Code) {
	s.Ledger.Count(consent.TallyRefused, app, string(code))
	if code != wire.CodeUndeclared || !s.attempts.add(app, who, s.Now(), s.Undeclared.After) {
		return
	}
	select {
	case s.outcasts <- app:
	default: // Run is busy with others; the next attempts will tell
	}
}

// suspend keeps an app out, from now on and at every node.
func (s *Server) suspend(ctx context.Context, app string) {
	s.Log.Warn("an app asked for what is undeclared too often: it is suspended", "app", app, "for", s.Undeclared.For)
	err := s.Ledger.Suspend(ctx, app, s.Undeclared.For)
	if err == nil {
		err = s.readSuspensions(ctx)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Error("the suspension could not be recorded; the next attempts will", "app", app, "error", err)
	}
}

// Reread takes up what was published since: notices, and which apps are kept out. A node calls it when the
// ledger's feed says so.
func (s *Server) Reread(ctx context.Context) error {
	if err := s.Ledger.ReadNotices(ctx); err != nil {
		return err
	}
	return s.readSuspensions(ctx)
}

// readSuspensions takes up who is kept out, and closes the sockets of those who are.
func (s *Server) readSuspensions(ctx context.Context) error {
	list, err := s.Ledger.Suspensions(ctx)
	if err != nil {
		return err
	}
	out := map[string]time.Time{}
	for _, x := range list {
		if x.Until.After(s.Now()) {
			out[x.App] = x.Until
		}
	}
	s.attempts.set(out)
	for _, p := range s.phones.list() {
		if _, is := out[p.app]; is {
			p.suspend()
		}
	}
	return nil
}

// ended counts a withdrawal, once, by how long it took to be true everywhere.
func (s *Server) ended(a tracking.Answer, err error) {
	if a.Ending.Repeated || a.Ending.ID == "" {
		return
	}
	band := consent.WithdrawalBand(a.Took)
	if err != nil {
		band = consent.Later
	}
	s.Ledger.Count(consent.TallyWithdrawal, "", band)
	if err == nil && s.Withdrawn != nil {
		s.Withdrawn(a)
	}
}

// welcomes refuses an app that is kept out.
func (s *Server) welcomes(app string) error {
	if s.attempts.keptOut(app, s.Now()) {
		return problem.New(problem.Suspended)
	}
	return nil
}

// count counts what this phone was refused.
func (p *phone) count(code wire.Code) {
	p.srv.attempt(p.app, p.session.Subject(), code)
}

// suspend ends the visit and closes with the code that says why.
func (p *phone) suspend() {
	p.mu.Lock()
	welcomed := p.visit != ""
	if welcomed {
		p.flushAck()
		row := wire.LookupClose(wire.CloseSuspended)
		p.say(wire.State{T: p.srv.now(), State: wire.SessionState(tracking.StateEnded), Reason: string(consent.Revoked),
			Code: row.Code, Restart: row.Restart}.Append)
	}
	p.out.end(wire.CloseSuspended)
	p.mu.Unlock()
	if welcomed {
		p.session.Revoke() // what it says to the phone comes after the end, and is dropped
	}
}
