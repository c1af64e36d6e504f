// SPDX-License-Identifier: Apache-2.0

package phone

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
)

// wayIn is how long an opening may take altogether.
const wayIn = 20 * time.Second

// open goes for a connection: back to a session, or a new one by ticket. It needs mu.
func (p *Phone) open(back *client.Session) {
	p.state = Connecting
	p.run++
	run, store, fence := p.run, p.fence.Store, p.fence.Version
	purposes := p.granted(store)
	p.goOn(func() {
		ctx, cancel := context.WithTimeout(p.done, wayIn)
		defer cancel()
		s, err := p.connect(ctx, back, store, fence, purposes)
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case p.run != run: // the shopper, or the fence, has decided otherwise meanwhile
			if s != nil {
				s.Kill()
			}
		case err != nil:
			p.refused(err)
		default:
			p.welcomed(s)
		}
	})
}

// connect resumes if it can. A resume that is refused says nothing about a ticket (C-1).
func (p *Phone) connect(ctx context.Context, back *client.Session, store, fence string, purposes []string) (*client.Session, error) {
	if back != nil && back.Welcome().Resume != "" {
		s, err := back.Resume(ctx)
		if c, ok := errors.AsType[*client.CloseError](err); err == nil || !ok || c.Code != 4502 && !c.Retry {
			return s, err
		}
	}
	return p.c.ConnectWith(ctx, store, fence, purposes)
}

// welcomed needs mu.
func (p *Phone) welcomed(s *client.Session) {
	now := p.cfg.Now()
	w := s.Welcome()
	p.session, p.state, p.openedAt, p.troubleAt, p.obstacle = s, Entering, now, time.Time{}, nil
	p.sent, p.sentAt, p.outsideAt = nil, time.Time{}, time.Time{}
	p.lease = time.UnixMilli(w.T + w.LeaseMS)
	run := p.run
	p.goOn(func() {
		for e := range s.Events() {
			p.heard(run, s, e)
			p.cfg.Heard(e)
		}
	})
}

// heard acts on what the server says, if the connection is still the phone's.
func (p *Phone) heard(run int, s *client.Session, e client.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m, ok := e.(client.MapChange); ok { // whatever has become of the connection: the next one goes by this map too
		p.remap(m.Map)
	}
	if p.run != run {
		return
	}
	switch e := e.(type) {
	case client.State:
		p.told(e)
	case client.Ack:
		if e.LeaseUntil > 0 {
			p.lease = time.UnixMilli(e.LeaseUntil)
		}
	case client.FrameError:
		if e.Code == "background" { // the server's count of the time in a pocket is the one that rules
			p.goOn(func() { p.pause("background") })
		}
	case client.Closed:
		p.closed(e)
	}
}

// told needs mu. A state that is not known shows as the last that was (S-4).
func (p *Phone) told(e client.State) {
	switch {
	case p.state == Stopping:
	case e.State == "ended":
		if _, restart := p.does.outcome(e.Code); restart != "" {
			p.ended(e)
		}
	case e.State == "entering":
		p.state = Entering
	case e.State == "active":
		p.state, p.outs = Active, 0
	case e.State == "suspended":
		p.state = Suspended
	}
}

// remap judges by the new fence from now on. The session has fetched it, and drops what the old one judged. It needs mu.
func (p *Phone) remap(f *client.Fence) {
	i := slices.IndexFunc(p.fences, func(old *client.Fence) bool { return old.Store == f.Store })
	if i < 0 {
		return // the shopper has gone on elsewhere
	}
	if p.fence == p.fences[i] {
		p.fence = f
	}
	p.fences[i] = f
}

// closed needs mu: the connection is gone by itself.
func (p *Phone) closed(e client.Closed) {
	if p.state == Stopping {
		p.session = nil
		return
	}
	retry, restart := p.does.outcome(e.Code)
	if !retry {
		p.ended(client.State{State: "ended", Reason: e.Reason, Code: e.Code, Restart: restart})
		return
	}
	if e.Code == 4006 { // the way back is by a fresh token and ticket
		p.session = nil
	}
	now := p.cfg.Now()
	p.lostAt = now
	if now.Sub(p.openedAt) >= settled {
		p.attempt = 0
	}
	p.retry(0)
}

// ended shows the end, with location off first (C-4). It needs mu.
func (p *Phone) ended(e client.State) {
	s := p.quiet(Ended)
	p.end = e
	if e.Restart == "decision" && p.fence != nil {
		p.ungrant(func(g Grant) bool { return g.Store == p.fence.Store })
		p.keep()
	}
	if s != nil {
		s.Kill()
	}
}

// endBy is ended by what a session has come to.
func (p *Phone) endBy(s *client.Session, e client.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session == s {
		p.ended(e)
	}
}

// refused needs mu: there was no way in.
func (p *Phone) refused(err error) {
	problem, explained := errors.AsType[*client.Problem](err)
	closed, shut := errors.AsType[*client.CloseError](err)
	switch {
	case shut && closed.Code != 0:
		if retry, restart := p.does.outcome(closed.Code); !retry {
			p.ended(client.State{State: "ended", Reason: closed.Reason, Code: closed.Code, Restart: restart})
			return
		}
	case explained && problem.Code == "not_granted":
		p.ended(client.State{State: "ended", Reason: "expired", Code: 4504, Restart: "decision"})
		return
	case explained && problem.Status < http.StatusInternalServerError && problem.Status != http.StatusTooManyRequests && problem.Status != http.StatusUnauthorized:
		p.session, p.state, p.obstacle = nil, Local, problem
		p.notBefore = p.cfg.Now().Add(max(obstacle, time.Duration(problem.RetryMS)*time.Millisecond))
		return
	}
	if explained {
		p.retry(problem.RetryMS)
		return
	}
	p.retry(0)
}

// obstacle is how long a phone does not ask again at a store that is closed or unattended.
const obstacle = 30 * time.Second

// retry waits on the phone, its location on and the radio silent (C-2). It needs mu.
func (p *Phone) retry(retryMS int64) {
	now := p.cfg.Now()
	if p.troubleAt.IsZero() {
		p.troubleAt = now
	}
	if now.Sub(p.troubleAt) > giveUp {
		p.quiet(Ready)
		return
	}
	wait := p.does.wait(p.attempt, retryMS)
	p.attempt++
	p.run++
	left := p.lease.Sub(p.c.Now())
	if p.session == nil || left <= wait { // too late to be the same session: from the fence on
		p.session, p.state, p.notBefore = nil, Local, now.Add(wait)
		return
	}
	p.state = Backoff
	p.after(wait, func() {
		back := p.session
		if p.cfg.Now().Sub(p.lostAt) >= time.Duration(back.Welcome().ResumeMS)*time.Millisecond {
			back = nil
		}
		p.open(back)
	})
}

// after does something later, with mu, unless the connection is another one by then.
func (p *Phone) after(wait time.Duration, f func()) {
	run := p.run
	p.goOn(func() {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-p.done.Done():
			return
		case <-timer.C:
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.run == run {
			f()
		}
	})
}
