// SPDX-License-Identifier: Apache-2.0

package phone

import (
	"errors"
	"slices"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
)

// Read takes what the system's location says. It is judged here: only a reading inside is ever sent.
func (p *Phone) Read(r Reading) {
	if r.At.IsZero() {
		r.At = p.cfg.Now()
	}
	if say := p.judged(r); say != nil {
		say()
	}
}

// judged is what a reading makes the phone say, if anything.
func (p *Phone) judged(r Reading) (say func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.fences) == 0 || p.does.still(p.state) && !slices.Contains(located, p.state) {
		return nil
	}
	if p.state == Local && !p.meant(r) {
		return nil
	}
	if p.session != nil && p.session.Fence() != p.fence.Version {
		return nil // map_ok has gone out for a map that is being handed on
	}
	where := p.does.judge(p.fence, r)
	if where != "inside" {
		return p.outside(where)
	}
	p.outs = 0
	if p.state == Local {
		if p.does.enter(r) && !p.cfg.Now().Before(p.notBefore) {
			p.open(nil)
		}
		return nil
	}
	return p.inside(r)
}

// meant finds the store that a reading is about, and reports whether there is one. A choice holds until a reading is inside that
// store no more. It needs mu.
func (p *Phone) meant(r Reading) bool {
	if len(p.fences) == 1 {
		p.fence = p.fences[0]
		return true
	}
	around := slices.DeleteFunc(slices.Clone(p.fences), func(f *client.Fence) bool { return p.does.judge(f, r) != "inside" })
	if !slices.ContainsFunc(around, func(f *client.Fence) bool { return f.Store == p.picked }) {
		p.picked = ""
	}
	p.fence = p.does.choose(around, p.picked)
	return p.fence != nil
}

// Pick is the shopper's choice among stores that overlap where they are (P-6). It is made on the phone, and sent nowhere.
func (p *Phone) Pick(store string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.picked = store
}

// inside sends a fix, unless it is too soon: the next reading takes its place. It needs mu.
func (p *Phone) inside(r Reading) (say func()) {
	s, now := p.session, p.cfg.Now()
	if s == nil || p.state == Connecting || p.state == Backoff || now.Sub(p.sentAt) < p.interval(s, r) {
		return nil
	}
	p.sent, p.sentAt = &r, now
	fix := p.does.says(client.Fix{T: r.At.UnixMilli(), Lat: r.Lat, Lng: r.Lng, AccuracyM: r.AccuracyM, Basis: r.Basis, Level: r.Level,
		Mocked: r.Mocked, Pocket: !p.pocketed.IsZero(), Fence: p.fence.Version})
	return func() {
		err := s.Fix(fix)
		if errors.Is(err, client.ErrClock) { // T-3
			p.endBy(s, client.State{State: "ended", Reason: "clock", Restart: "user"})
		}
	}
}

// interval is the least time since the last fix: as quick as is allowed while a change of state is awaited. It needs mu.
func (p *Phone) interval(s *client.Session, r Reading) time.Duration {
	if p.state == Active {
		return max(s.MinInterval(), p.does.pace(s.Welcome(), moved(p.sent, r)))
	}
	return s.MinInterval()
}

// outside says that a reading is not sent, and acts on what the fence says of it (P-4, P-5). It needs mu.
func (p *Phone) outside(where string) (say func()) {
	s := p.session
	left := where == "out" || where == "far"
	if left {
		p.outs++
	}
	certain := left && p.does.certain(where, p.outs)
	switch {
	case p.state == Connecting || p.state == Backoff:
		if certain {
			p.left()
		}
		return nil
	case p.state == Local || s == nil:
		return nil
	case left:
		p.state = Suspended
	}
	if certain && p.outs <= 2 {
		p.awaitEnd(s, lastWord)
	} else if left && p.outs == 1 {
		p.awaitEnd(s, suspension+lastWord)
	}
	now := p.cfg.Now()
	if where != "far" && now.Sub(p.outsideAt) < s.MinInterval() {
		return nil // said a moment ago
	}
	p.outsideAt = now
	return func() { _ = s.Outside(where) } // of a connection that is gone the reader hears
}

// Waits of a phone that is outside: ten seconds of suspension end, and the server has the last word.
const (
	suspension = 10 * time.Second
	lastWord   = 2500 * time.Millisecond
)

// awaitEnd ends by the phone's own fence unless the server says active meanwhile. It needs mu.
func (p *Phone) awaitEnd(s *client.Session, wait time.Duration) {
	p.after(wait, func() {
		if p.session == s && p.state == Suspended && p.outs > 0 {
			p.left()
		}
	})
}

// left ends by the phone's own fence. It needs mu.
func (p *Phone) left() {
	p.ended(client.State{State: "ended", Reason: "left_store", Code: 4501, Restart: "user"})
}
