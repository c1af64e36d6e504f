// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"net/http"
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
)

// Cookies are the console's sessions: a random id in the browser, the shift here. The id is made
// anew at every sign-in, and an older session that came with the request ends.
type Cookies struct {
	secure   bool
	sessions *Sessions[Staff]
}

// StaffSession is a signed-in shift. It ends with the shift's token at the latest.
type StaffSession = Session[Staff]

// NewCookies returns an empty set of sessions. Secure is true whenever pages are served over TLS,
// at a proxy included; false only on a loopback address.
func NewCookies(secure bool, now func() time.Time) *Cookies {
	return &Cookies{secure, NewSessions[Staff](StaffIdle, StaffLife, maxSignedIn, now)}
}

// SignIn opens a session and sets its cookie. The error is a problem: session (401) if the shift
// is over, unavailable (503) if 10,000 are signed in.
func (c *Cookies) SignIn(w http.ResponseWriter, r *http.Request, s Staff) error {
	if old, err := c.id(r); err == nil {
		c.sessions.Quit(old)
	}
	id, _, err := c.sessions.Open(s, s.ExpiresAt)
	switch err {
	case nil:
		http.SetCookie(w, c.cookie(id, 0))
		w.Header().Set("Cache-Control", "no-store")
		return nil
	case ErrFull:
		return problem.New(problem.Unavailable).Because(err)
	default:
		return problem.New(problem.Session).Because(err)
	}
}

// Session returns the session of the request's cookie and counts as using it; else the problem
// session (401). It says nothing about the request's origin: see StaffEntry.
func (c *Cookies) Session(r *http.Request) (*StaffSession, error) {
	id, err := c.id(r)
	if err != nil {
		return nil, err
	}
	s, err := c.sessions.Use(id)
	if err != nil {
		return nil, problem.New(problem.Session).Because(err)
	}
	return s, nil
}

// SignOut ends the session and takes the cookie back. It is idempotent.
func (c *Cookies) SignOut(w http.ResponseWriter, r *http.Request) {
	if id, err := c.id(r); err == nil {
		c.sessions.Quit(id)
	}
	http.SetCookie(w, c.cookie("", -1))
	w.Header().Set("Cache-Control", "no-store")
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
