// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"doorstep/tracking/server/problem"
)

// A device that several people use, one at a time, has a cookie of its own. Each of them is signed in for the shift, and one at
// most of these sign-ins can be used: the others are locked. So is the one that nobody has touched for LockAfter. A lock is opened
// with the PIN of whose it is, which gives the sign-in another secret: the cookie that was in the browser while it was locked
// is worth nothing, then or ever.
//
//	code ──▶ PIN due ──▶ open ──▶ locked ──▶ open …        each ──▶ is another secret
//	            │                    └──▶ ended, by five wrong PINs
//	            └──▶ nothing: it is locked after a while, with no PIN to open it
const (
	secureDevice = "__Host-doorstep-device"
	plainDevice  = "doorstep-device"

	LockAfter = 3 * time.Minute // without a touch or a key

	wrongPINs      = 5 // in a row, that end a sign-in
	peopleOnDevice = 16

	actedNoted = 10 * time.Second // how often a node writes down that somebody did something: it is locked so much sooner elsewhere
	lockFresh  = time.Second      // how long a socket goes by what its node last read
)

// SignInShared is SignIn on a device that several people use. Until a PIN is chosen, nothing else can be done. Whoever was there
// before is locked; who signs in again begins anew.
func (c *Cookies) SignInShared(w http.ResponseWriter, r *http.Request, s Staff) error {
	if c.kept == nil {
		return problem.New(problem.Unavailable).Because(errors.New("no device is shared without a place where sign-ins are kept"))
	}
	device, err := c.device(r)
	if err != nil {
		device = newSecret()
	}
	on, err := c.kept.On(r.Context(), digestOf(device).String())
	if err != nil {
		return problem.New(problem.Unavailable).Because(err)
	}
	if err := c.makeRoom(r, on, s.Shift); err != nil {
		return err
	}
	if err := c.open(w, r, SignIn{Staff: s, Device: digestOf(device).String(), Acted: c.now()}); err != nil {
		return err
	}
	c.give(w, c.deviceName(), device)
	return nil
}

// makeRoom ends what somebody else has open in this browser on a device of their own, what this person had open on this one, and, of
// too many, those that have not been used for longest. The others are about to be locked: their sockets here end at once.
func (c *Cookies) makeRoom(r *http.Request, on []SignIn, shift string) error {
	stay := map[string]bool{}
	var leave []string
	for _, s := range on {
		c.sessions.quit(digestIn(s.ID))
		if s.Shift == shift || len(stay) == peopleOnDevice-1 {
			leave = append(leave, s.ID)
		} else {
			stay[s.ID] = true
		}
	}
	if old, err := c.id(r); err == nil && !stay[digestOf(old).String()] {
		c.sessions.Quit(old)
		leave = append(leave, digestOf(old).String())
	}
	for _, id := range leave {
		if err := c.kept.End(r.Context(), id); err != nil {
			return problem.New(problem.Unavailable).Because(err)
		}
	}
	return nil
}

// ChoosePIN sets the PIN of the request's sign-in, once, and opens it. The error is the problem session or locked (401), bad_pin (422)
// or unavailable (503).
func (c *Cookies) ChoosePIN(w http.ResponseWriter, r *http.Request, text string) error {
	s, err := c.standing(r)
	switch {
	case err != nil:
		return refuseSession(err)
	case s.Device == "" || s.PIN.chosen():
		return problem.New(problem.BadPIN).WithDetail("a PIN is chosen once, after signing in on a device that several people use")
	case s.Locked || c.idle(s.Acted):
		return refuseSession(ErrLocked)
	}
	if s.PIN, err = newPIN(text, c.Rounds); err != nil {
		return err
	}
	return c.renew(w, r, s)
}

// Unlock opens the sign-in on the request's device that is whose says, and locks the others. The error is the problem wrong_pin (401),
// which says how many tries are left; session (401) if there is no such sign-in, or not any more; or unavailable (503).
func (c *Cookies) Unlock(w http.ResponseWriter, r *http.Request, whose func(Staff) bool, text string) error {
	on, err := c.On(r)
	if err != nil {
		return err
	}
	for _, s := range on {
		if !whose(s.Staff) {
			continue
		}
		if err := c.guess(r.Context(), s, text); err != nil {
			return err
		}
		for _, other := range on {
			c.sessions.quit(digestIn(other.ID))
		}
		return c.renew(w, r, s)
	}
	return refuseSession(ErrUnknown)
}

// guess looks at a PIN, which counts whatever becomes of it.
func (c *Cookies) guess(ctx context.Context, s SignIn, text string) error {
	tries, err := c.kept.Try(ctx, s.ID)
	if err != nil {
		return refuseSession(err)
	}
	right := false
	if tries <= wrongPINs {
		select {
		case c.guessing <- struct{}{}:
			right = s.PIN.is(text)
			<-c.guessing
		case <-ctx.Done():
			return problem.New(problem.Unavailable).Because(ctx.Err())
		}
	}
	switch {
	case right:
		return nil
	case tries < wrongPINs:
		return problem.New(problem.WrongPIN).With("left", wrongPINs-tries)
	}
	c.sessions.quit(digestIn(s.ID))
	if err := c.kept.End(ctx, s.ID); err != nil {
		return problem.New(problem.Unavailable).Because(err)
	}
	return problem.New(problem.Session).WithDetail("five wrong PINs in a row end a sign-in").Because(ErrTooManyPINs)
}

// renew gives a sign-in another secret, and its browser the cookie.
func (c *Cookies) renew(w http.ResponseWriter, r *http.Request, s SignIn) error {
	old, id := s.ID, newSecret()
	s.ID, s.Locked, s.Acted = digestOf(id).String(), false, c.now()
	if err := c.kept.Renew(r.Context(), old, s); err != nil {
		return refuseSession(err)
	}
	c.sessions.quit(digestIn(old))
	c.give(w, c.name(), id)
	return nil
}

// Lock locks the request's sign-in at every node: at once at this one, and within lockFresh on sockets of another. The error is the
// problem session (401) or unavailable (503).
func (c *Cookies) Lock(r *http.Request) error {
	id, err := c.id(r)
	if err != nil {
		return err
	}
	if c.kept == nil {
		return refuseSession(ErrUnknown)
	}
	if err := c.kept.Lock(r.Context(), digestOf(id).String()); err != nil {
		return refuseSession(err)
	}
	c.sessions.Quit(id)
	return nil
}

// On is who can open the request's device: who is signed in on it and has chosen a PIN, whoever did something last first. The error
// is the problem session (401) or unavailable (503).
func (c *Cookies) On(r *http.Request) ([]SignIn, error) {
	device, err := c.device(r)
	if err != nil {
		return nil, err
	}
	if c.kept == nil {
		return nil, refuseSession(ErrUnknown)
	}
	all, err := c.kept.On(r.Context(), digestOf(device).String())
	if err != nil {
		return nil, problem.New(problem.Unavailable).Because(err)
	}
	on := all[:0]
	for _, s := range all {
		if s.PIN.chosen() {
			on = append(on, s)
		}
	}
	return on, nil
}

// standing reads the request's sign-in from where every node sees it.
func (c *Cookies) standing(r *http.Request) (SignIn, error) {
	id, err := c.id(r)
	if err != nil || c.kept == nil {
		return SignIn{}, ErrUnknown
	}
	return c.kept.Find(r.Context(), digestOf(id).String())
}

// Shared reports whether it is on a device that several people use.
func (s *StaffSession) Shared() bool { return s.held.Value.device != "" }

// awake is confirm on a device that several people use. Whether a person did something is asked after whether it is locked: a touch
// opens nothing. Without an answer it is locked by what is known here. v.mu is held.
func (s *StaffSession) awake(ctx context.Context, now time.Time, byPerson bool, age time.Duration) error {
	v, id := s.held.Value, s.held.key.String()
	if idle := s.of.idle(v.acted); idle || now.Sub(v.fresh) >= age {
		in, err := s.of.kept.Find(ctx, id)
		if err == nil && in.Acted.After(v.acted) { // at another node
			v.acted = in.Acted
		}
		idle = s.of.idle(v.acted)
		if err == nil && idle && !in.Locked {
			err = s.of.kept.Lock(ctx, id) // whatever another node's clock says
		}
		switch {
		case errors.Is(err, ErrUnknown):
		case idle || in.Locked:
			err = ErrLocked
		case err != nil:
			return err
		case !in.PIN.chosen():
			return ErrNoPIN
		}
		if err != nil {
			s.of.sessions.quit(s.held.key)
			return err
		}
		v.fresh = now
	}
	if !byPerson {
		return nil
	}
	if v.acted = now; now.Sub(v.noted) < actedNoted {
		return nil
	}
	v.noted = now
	return s.of.kept.Use(ctx, id, now)
}

func (c *Cookies) idle(acted time.Time) bool { return c.now().Sub(acted) >= LockAfter }

func (c *Cookies) device(r *http.Request) (string, error) { return secretIn(r, c.deviceName()) }

func (c *Cookies) deviceName() string {
	if c.secure {
		return secureDevice
	}
	return plainDevice
}
