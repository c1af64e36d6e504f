// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"doorstep/tracking/server/problem"
)

// Names and times of the console's cookie. The prefix makes browsers insist on Secure, Path=/ and
// no Domain, so that no neighbouring host can set it; it cannot be had over plain http, which is
// for loopback only.
const (
	secureCookie = "__Host-doorstep-staff"
	plainCookie  = "doorstep-staff"

	StaffIdle     = 30 * time.Minute // without a request or a beat
	maxSignedIn   = 10_000
	maxCookieText = 128

	signInFresh = 5 * time.Second // how long a node goes by what it last read of a sign-in
	signInNoted = time.Minute     // how often it writes down that one is used
	signInWait  = time.Second     // for which it waits for either
)

// SignIn is one person's shift at a page, as nodes share it.
type SignIn struct {
	ID string // hash of the cookie's secret
	Staff
	Device    string    // hash of the secret of a device that several people use; empty: one of their own
	PIN       PIN       // on such a device; until one was chosen, there is none
	Locked    bool      // the same: nothing is done by it until it is renewed
	End, Used time.Time // its absolute end, and when it was used last
	Acted     time.Time // when a person last did something, on such a device
}

// SignIns keeps who is signed in where every node sees it. Find, Lock, Try and Renew answer ErrUnknown for one that was ended or
// is over; a failure is any other error. All are safe for concurrent use.
type SignIns interface {
	// Open keeps a new one, and locks the others on its device. So does Renew, which has old go on under the id, and with all else,
	// of s; old is worth nothing from then on.
	Open(ctx context.Context, s SignIn) error
	Renew(ctx context.Context, old string, s SignIn) error
	Find(ctx context.Context, id string) (SignIn, error)
	On(ctx context.Context, device string) ([]SignIn, error)   // whoever did something last comes first
	Use(ctx context.Context, id string, acted time.Time) error // zero: no person did anything
	Try(ctx context.Context, id string) (tries int, err error) // counts a PIN before it is looked at, in a row since it was renewed
	Lock(ctx context.Context, id string) error                 // on a device that several people use
	End(ctx context.Context, id string) error
}

// Cookies are the console's sessions: a random id in the browser, the shift here, and what nodes share of it in kept, so that
// a page may talk to any of them. The id is made anew at every sign-in, and an older session that came with the request ends.
type Cookies struct {
	Rounds int // of the hash of a PIN that is chosen from now on; set before the first is

	secure   bool
	now      func() time.Time
	kept     SignIns
	sessions *Sessions[*shift]
	guessing chan struct{} // who looks at a PIN holds it: guesses take one core at most
}

// StaffSession is a signed-in shift. It ends with the shift's token at the latest; at this node when it is ended here, and
// within signInFresh of its next use when it was ended at another.
type StaffSession struct {
	held *Session[*shift]
	of   *Cookies
}

type shift struct {
	Staff
	device string // see SignIn

	mu           sync.Mutex // held while it is asked for; guards the rest
	fresh        time.Time  // when it was last seen where every node sees it
	acted, noted time.Time  // on a device that several people use: when a person did something, as known here and as written down
}

// NewCookies returns an empty set of sessions. Secure is true whenever pages are served over TLS,
// at a proxy included; false only on a loopback address. Without kept, this node's sessions are its own.
func NewCookies(secure bool, kept SignIns, now func() time.Time) *Cookies {
	return &Cookies{Rounds: pinRounds, secure: secure, now: now, kept: kept,
		sessions: NewSessions[*shift](StaffIdle, StaffLife, maxSignedIn, now), guessing: make(chan struct{}, 1)}
}

// SignIn opens a session and sets its cookie. The error is a problem: session (401) if the shift
// is over, unavailable (503) if 10,000 are signed in, or if it could not be kept.
func (c *Cookies) SignIn(w http.ResponseWriter, r *http.Request, s Staff) error {
	if old, err := c.id(r); err == nil {
		if err := c.end(r.Context(), old); err != nil {
			return err
		}
	}
	return c.open(w, r, SignIn{Staff: s})
}

// open makes the secret, and keeps what s has.
func (c *Cookies) open(w http.ResponseWriter, r *http.Request, s SignIn) error {
	id, held, err := c.sessions.Open(&shift{Staff: s.Staff, device: s.Device, fresh: c.now(), acted: s.Acted, noted: s.Acted}, s.ExpiresAt)
	if errors.Is(err, ErrExpired) {
		return problem.New(problem.Session).Because(err)
	}
	if err == nil && c.kept != nil {
		s.ID, s.End = digestOf(id).String(), held.End
		if err = c.kept.Open(r.Context(), s); err != nil {
			c.sessions.Quit(id)
		}
	}
	if err != nil {
		return problem.New(problem.Unavailable).Because(err)
	}
	c.give(w, c.name(), id)
	return nil
}

// Session returns the session of the request's cookie and counts as using it; else the problem
// session (401), on a device that several people use locked or pin_due (401), or unavailable (503) if that cannot be found out. It says
// nothing about the request's origin: see StaffEntry.
func (c *Cookies) Session(r *http.Request) (*StaffSession, error) {
	id, err := c.id(r)
	if err != nil {
		return nil, err
	}
	s, err := c.use(r.Context(), id, r.Method != http.MethodGet && r.Method != http.MethodHead)
	if err != nil {
		return nil, refuseSession(err)
	}
	return s, nil
}

// refuseSession says why somebody is not signed in, as far as that is known.
func refuseSession(err error) error {
	switch {
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrExpired):
		return problem.New(problem.Session).Because(err)
	case errors.Is(err, ErrLocked):
		return problem.New(problem.Locked).Because(err)
	case errors.Is(err, ErrNoPIN):
		return problem.New(problem.PINDue).Because(err)
	}
	return problem.New(problem.Unavailable).Because(err)
}

// use finds a session that this node has, or takes up one that another has opened. One that has been idle here need not
// have been so elsewhere. A person does what changes something; a page reads by itself.
func (c *Cookies) use(ctx context.Context, id string, byPerson bool) (*StaffSession, error) {
	held, err := c.sessions.Use(id)
	if err != nil && c.kept != nil {
		held, err = c.takeUp(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	s := &StaffSession{held, c}
	return s, s.confirm(ctx, byPerson, 0)
}

func (c *Cookies) takeUp(ctx context.Context, id string) (*Session[*shift], error) {
	ctx, cancel := context.WithTimeout(ctx, signInWait)
	defer cancel()
	in, err := c.kept.Find(ctx, digestOf(id).String())
	if err != nil {
		return nil, err
	}
	if in.Device == "" && !c.now().Before(in.Used.Add(StaffIdle)) { // on a device that several people use it is locked long before
		return nil, ErrExpired
	}
	return c.sessions.Adopt(id, &shift{Staff: in.Staff, device: in.Device, acted: in.Acted, noted: in.Acted}, in.End)
}

// confirm makes sure, every now and then, that no other node has ended the session, and tells them that it is used. On a device that
// several people use what is known may be no older than age.
func (s *StaffSession) confirm(ctx context.Context, byPerson bool, age time.Duration) error {
	if s.of.kept == nil {
		return nil
	}
	v, now, id := s.held.Value, s.of.now(), s.held.key.String()
	v.mu.Lock()
	defer v.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, signInWait)
	defer cancel()
	if v.device != "" {
		return s.awake(ctx, now, byPerson, age)
	}
	if now.Sub(v.fresh) < signInFresh {
		return nil
	}
	in, err := s.of.kept.Find(ctx, id)
	if err == nil && now.Sub(in.Used) >= signInNoted {
		err = s.of.kept.Use(ctx, id, time.Time{})
	}
	switch {
	case err == nil:
		v.fresh = now
	case errors.Is(err, ErrUnknown):
		s.of.sessions.quit(s.held.key)
	}
	return err
}

// Staff is who is signed in.
func (s *StaffSession) Staff() Staff { return s.held.Value.Staff }

// Touch counts as using the session, for a socket that stays open; false if it is over, or locked. What cannot be found out now is
// asked again at the next beat: a node that cannot reach the ledger serves nobody, and tells its consoles so. byPerson says
// that somebody has touched the device since the last time, without which it locks one that several people use.
func (s *StaffSession) Touch(ctx context.Context, byPerson bool) bool {
	if !s.held.Touch() {
		return false
	}
	err := s.confirm(ctx, byPerson, lockFresh)
	return !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrLocked)
}

// Gone is closed when the session was ended here or found to be over.
func (s *StaffSession) Gone() <-chan struct{} { return s.held.Gone() }

// SignOut ends the session at every node and takes the cookie back. It is idempotent. The error is the problem unavailable
// (503): the cookie is taken back all the same.
func (c *Cookies) SignOut(w http.ResponseWriter, r *http.Request) (err error) {
	if id, none := c.id(r); none == nil {
		err = c.end(r.Context(), id)
	}
	http.SetCookie(w, c.cookie(c.name(), "", -1))
	w.Header().Set("Cache-Control", "no-store")
	return err
}

// end ends a session here at once, and at the other nodes.
func (c *Cookies) end(ctx context.Context, id string) error {
	c.sessions.Quit(id)
	if c.kept == nil {
		return nil
	}
	if err := c.kept.End(ctx, digestOf(id).String()); err != nil {
		return problem.New(problem.Unavailable).Because(err)
	}
	return nil
}

// id finds the secret of the one cookie.
func (c *Cookies) id(r *http.Request) (string, error) { return secretIn(r, c.name()) }

// secretIn finds the one cookie of a name. Two mean that somebody else set one of them.
func secretIn(r *http.Request, name string) (string, error) {
	all := r.CookiesNamed(name)
	if len(all) != 1 || all[0].Value == "" || len(all[0].Value) > maxCookieText {
		return "", problem.New(problem.Session).Because(ErrUnknown)
	}
	return all[0].Value, nil
}

func (c *Cookies) name() string {
	if c.secure {
		return secureCookie
	}
	return plainCookie
}

// give sets a cookie, which nothing between keeps.
func (c *Cookies) give(w http.ResponseWriter, name, secret string) {
	http.SetCookie(w, c.cookie(name, secret, 0))
	w.Header().Set("Cache-Control", "no-store")
}

// cookie has no expiry of its own: it goes with the browser, and the server's times rule.
func (c *Cookies) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}
