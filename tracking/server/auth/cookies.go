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

// SignIns keeps who is signed in where every node sees it. An id is the hash of a secret. Find tells when it ends and when
// it was used last, and answers ErrUnknown for one that was ended or is over; a failure is any other error. All are safe
// for concurrent use.
type SignIns interface {
	Open(ctx context.Context, id string, s Staff, end time.Time) error
	Find(ctx context.Context, id string) (s Staff, end, used time.Time, err error)
	Use(ctx context.Context, id string) error
	End(ctx context.Context, id string) error
}

// Cookies are the console's sessions: a random id in the browser, the shift here, and what nodes share of it in kept, so that
// a page may talk to any of them. The id is made anew at every sign-in, and an older session that came with the request ends.
type Cookies struct {
	secure   bool
	now      func() time.Time
	kept     SignIns
	sessions *Sessions[*shift]
}

// StaffSession is a signed-in shift. It ends with the shift's token at the latest; at this node when it is ended here, and
// within signInFresh of its next use when it was ended at another.
type StaffSession struct {
	held *Session[*shift]
	of   *Cookies
}

type shift struct {
	Staff
	mu    sync.Mutex // held while it is asked for
	fresh time.Time  // when it was last seen where every node sees it; guarded by mu
}

// NewCookies returns an empty set of sessions. Secure is true whenever pages are served over TLS,
// at a proxy included; false only on a loopback address. Without kept, this node's sessions are its own.
func NewCookies(secure bool, kept SignIns, now func() time.Time) *Cookies {
	return &Cookies{secure, now, kept, NewSessions[*shift](StaffIdle, StaffLife, maxSignedIn, now)}
}

// SignIn opens a session and sets its cookie. The error is a problem: session (401) if the shift
// is over, unavailable (503) if 10,000 are signed in, or if it could not be kept.
func (c *Cookies) SignIn(w http.ResponseWriter, r *http.Request, s Staff) error {
	if old, err := c.id(r); err == nil {
		if err := c.end(r.Context(), old); err != nil {
			return err
		}
	}
	id, held, err := c.sessions.Open(&shift{Staff: s, fresh: c.now()}, s.ExpiresAt)
	if errors.Is(err, ErrExpired) {
		return problem.New(problem.Session).Because(err)
	}
	if err == nil && c.kept != nil {
		if err = c.kept.Open(r.Context(), digestOf(id).String(), s, held.End); err != nil {
			c.sessions.Quit(id)
		}
	}
	if err != nil {
		return problem.New(problem.Unavailable).Because(err)
	}
	http.SetCookie(w, c.cookie(id, 0))
	w.Header().Set("Cache-Control", "no-store")
	return nil
}

// Session returns the session of the request's cookie and counts as using it; else the problem
// session (401), or unavailable (503) if that cannot be found out. It says nothing about the request's origin: see
// StaffEntry.
func (c *Cookies) Session(r *http.Request) (*StaffSession, error) {
	id, err := c.id(r)
	if err != nil {
		return nil, err
	}
	s, err := c.use(r.Context(), id)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrExpired):
		return nil, problem.New(problem.Session).Because(err)
	}
	return nil, problem.New(problem.Unavailable).Because(err)
}

// use finds a session that this node has, or takes up one that another has opened. One that has been idle here need not
// have been so elsewhere.
func (c *Cookies) use(ctx context.Context, id string) (*StaffSession, error) {
	held, err := c.sessions.Use(id)
	if err != nil && c.kept != nil {
		held, err = c.takeUp(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	s := &StaffSession{held, c}
	return s, s.confirm(ctx)
}

func (c *Cookies) takeUp(ctx context.Context, id string) (*Session[*shift], error) {
	ctx, cancel := context.WithTimeout(ctx, signInWait)
	defer cancel()
	who, end, used, err := c.kept.Find(ctx, digestOf(id).String())
	if err != nil {
		return nil, err
	}
	if !c.now().Before(used.Add(StaffIdle)) {
		return nil, ErrExpired
	}
	return c.sessions.Adopt(id, &shift{Staff: who}, end)
}

// confirm makes sure, every now and then, that no other node has ended the session, and tells them that it is used.
func (s *StaffSession) confirm(ctx context.Context) error {
	if s.of.kept == nil {
		return nil
	}
	v, now, id := s.held.Value, s.of.now(), s.held.key.String()
	v.mu.Lock()
	defer v.mu.Unlock()
	if now.Sub(v.fresh) < signInFresh {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, signInWait)
	defer cancel()
	_, _, used, err := s.of.kept.Find(ctx, id)
	if err == nil && now.Sub(used) >= signInNoted {
		err = s.of.kept.Use(ctx, id)
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

// Touch counts as using the session, for a socket that stays open; false if it is over. What cannot be found out now is
// asked again at the next beat: a node that cannot reach the ledger serves nobody, and tells its consoles so.
func (s *StaffSession) Touch(ctx context.Context) bool {
	return s.held.Touch() && !errors.Is(s.confirm(ctx), ErrUnknown)
}

// Gone is closed when the session was ended here or found to be over.
func (s *StaffSession) Gone() <-chan struct{} { return s.held.Gone() }

// SignOut ends the session at every node and takes the cookie back. It is idempotent. The error is the problem unavailable
// (503): the cookie is taken back all the same.
func (c *Cookies) SignOut(w http.ResponseWriter, r *http.Request) (err error) {
	if id, none := c.id(r); none == nil {
		err = c.end(r.Context(), id)
	}
	http.SetCookie(w, c.cookie("", -1))
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

// id finds the one cookie. Two of the name mean that somebody else set one of them.
func (c *Cookies) id(r *http.Request) (string, error) {
	all := r.CookiesNamed(c.name())
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

// cookie has no expiry of its own: it goes with the browser, and the server's times rule.
func (c *Cookies) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: c.name(), Value: value, Path: "/", MaxAge: maxAge,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}
