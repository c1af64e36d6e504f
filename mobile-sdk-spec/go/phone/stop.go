// SPDX-License-Identifier: Apache-2.0

package phone

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
)

// Pause turns location off, first, and then says so: user, background, permission (D-2). In the background a shopper who
// decided for that goes on in the pocket, for as long as they decided, and is paused then (D-7).
func (p *Phone) Pause(reason string) {
	if reason == "background" && p.pocket() {
		return
	}
	p.pause(reason)
}

// pocket goes on without a screen, and reports whether it may. The app has to show the system's indicator.
func (p *Phone) pocket() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(located, p.state) {
		return false
	}
	var most time.Duration
	for _, f := range p.fences {
		if p.fence != nil && p.fence != f {
			continue
		}
		for _, g := range p.kept.Grants {
			if g.Store == f.Store {
				most = max(most, g.Pocket)
			}
		}
	}
	if most = p.does.pocket(most); most == 0 {
		return false
	}
	since := p.cfg.Now()
	p.pocketed = since
	p.goOn(func() {
		if !pause(p.done, most) {
			return
		}
		p.mu.Lock()
		over := p.pocketed.Equal(since)
		p.mu.Unlock()
		if over {
			p.pause("background")
		}
	})
	return true
}

func (p *Phone) pause(reason string) {
	p.mu.Lock()
	p.pocketed = time.Time{}
	if !slices.Contains(located, p.state) {
		p.mu.Unlock()
		return
	}
	s, open := p.session, p.state != Backoff && p.state != Connecting && p.state != Local
	p.state, p.lostAt = Paused, p.cfg.Now()
	if p.does.still(Paused) {
		p.run++
	}
	p.mu.Unlock()
	if !open || s == nil {
		return
	}
	_ = s.Pause(reason) // of a connection that is gone nobody need be told
	if p.does.still(Paused) {
		_ = s.Drop()
	}
}

// Back is for an app that is on screen again: the same session within resume_ms, else from the fence on.
func (p *Phone) Back() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pocketed = time.Time{}
	if p.state != Paused {
		return
	}
	p.outs = 0
	s := p.session
	if s != nil && p.cfg.Now().Sub(p.lostAt) < time.Duration(s.Welcome().ResumeMS)*time.Millisecond && p.c.Now().Before(p.lease) {
		p.open(s)
		return
	}
	p.session, p.state = nil, Local
}

// Withdraw stops. When it returns, location is off and the withdrawal is kept; State is Off once it is confirmed, however
// long that takes (section 6).
func (p *Phone) Withdraw(scope, purpose string) {
	w := p.c.NewWithdrawal(client.Withdrawal{Scope: scope, Purpose: purpose})
	p.mu.Lock()
	if scope != "all" {
		w.Store = p.kept.Store
		if p.fence != nil {
			w.Store = p.fence.Store
		}
	}
	p.state, p.sent, p.untaken = Stopping, nil, nil
	p.run++
	p.session = nil // its socket stays for the withdrawal
	w.StopToken = p.stopToken(w)
	p.kept.Stop = append(p.kept.Stop, w)
	p.ungrant(func(g Grant) bool { return covers(w, g) })
	p.keep()
	p.mu.Unlock()
	p.goOn(func() { p.confirm(w) })
}

// covers reports whether a withdrawal takes a yes back.
func covers(w client.Withdrawal, g Grant) bool {
	return w.Scope == "all" || g.Store == w.Store && (w.Scope == "store" || g.Purpose == w.Purpose)
}

// stopToken is one that came with what is taken back, or with anything else: each can stop all. It needs mu.
func (p *Phone) stopToken(w client.Withdrawal) (token string) {
	for _, g := range p.kept.Grants {
		if token == "" || covers(w, g) {
			token = cmp.Or(g.StopToken, token)
		}
	}
	return token
}

// confirm repeats a withdrawal until it is confirmed, or this run of the app is over; or until the server says that it
// cannot be taken as it is, which is kept (W-5). One of everything settles those too.
func (p *Phone) confirm(w client.Withdrawal) {
	for n := 0; ; n++ {
		_, err := p.c.Withdraw(p.done, p.does.again(w))
		if err == nil {
			break
		}
		if why, ok := errors.AsType[*client.Problem](err); ok && why.Final() && why.Status != http.StatusForbidden { // a stop token that is none; there may be another way in
			p.mu.Lock()
			p.untaken = why
			p.mu.Unlock()
			return
		}
		if p.done.Err() != nil || !pause(p.done, p.does.wait(n, retryOf(err))) {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.kept.Stop, func(k client.Withdrawal) bool { return k.ID == w.ID }); i >= 0 {
		first := i
		if w.Scope == "all" { // and what was asked for before it
			first = 0
		}
		p.kept.Stop = slices.Delete(slices.Clone(p.kept.Stop), first, i+1)
	}
	p.keep()
	if p.state != Stopping || len(p.kept.Stop) > 0 {
		return
	}
	p.state = Off
	if len(p.kept.Grants) > 0 {
		p.state = Ready
	}
}

// retryOf is how long the server asks to wait, in milliseconds.
func retryOf(err error) int64 {
	if p, ok := errors.AsType[*client.Problem](err); ok {
		return p.RetryMS
	}
	return 0
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
