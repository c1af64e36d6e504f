// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// common is what nodes share, for as long as it can be reached.
type common struct {
	now func() time.Time

	mu   sync.Mutex
	rows map[string]*counted
	away error
	uses int
}

func (c *common) do(f func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away == nil {
		f()
	}
	return c.away
}

// counted is a row, with the PINs that were tried.
type counted struct {
	SignIn
	tries int
}

func (c *common) Open(_ context.Context, s SignIn) error {
	return c.do(func() {
		s.Used = c.now()
		c.rows[s.ID] = &counted{s, 0}
		c.lockOthers(s)
	})
}

func (c *common) lockOthers(s SignIn) {
	for id, r := range c.rows {
		r.Locked = r.Locked || s.Device != "" && r.Device == s.Device && id != s.ID
	}
}

// at does something to a row that there is.
func (c *common) at(id string, f func(r *counted)) error {
	unknown := true
	err := c.do(func() {
		if r := c.rows[id]; r != nil && c.now().Before(r.End) {
			unknown = false
			f(r)
		}
	})
	if err == nil && unknown {
		err = ErrUnknown
	}
	return err
}

func (c *common) Find(_ context.Context, id string) (s SignIn, err error) {
	err = c.at(id, func(r *counted) { s = r.SignIn })
	return s, err
}

func (c *common) On(_ context.Context, device string) (list []SignIn, err error) {
	err = c.do(func() {
		for _, r := range c.rows {
			if r.Device == device && c.now().Before(r.End) {
				list = append(list, r.SignIn)
			}
		}
		slices.SortFunc(list, func(a, b SignIn) int { return b.Acted.Compare(a.Acted) })
	})
	return list, err
}

func (c *common) Use(_ context.Context, id string, acted time.Time) error {
	return c.do(func() {
		c.uses++
		if r := c.rows[id]; r != nil {
			r.Used = c.now()
			if acted.After(r.Acted) {
				r.Acted = acted
			}
		}
	})
}

func (c *common) Try(_ context.Context, id string) (tries int, err error) {
	err = c.at(id, func(r *counted) { r.tries++; tries = r.tries })
	return tries, err
}

func (c *common) Lock(_ context.Context, id string) (err error) {
	known := c.at(id, func(r *counted) {
		if r.Locked = r.Device != ""; !r.Locked {
			err = ErrUnknown
		}
	})
	return errors.Join(known, err)
}

func (c *common) Renew(_ context.Context, old string, s SignIn) error {
	return c.at(old, func(*counted) {
		delete(c.rows, old)
		s.Locked, s.Used = false, c.now()
		c.rows[s.ID] = &counted{s, 0}
		c.lockOthers(s)
	})
}

func (c *common) End(_ context.Context, id string) error { return c.do(func() { delete(c.rows, id) }) }

// shiftAtTwo is somebody signed in at one of two nodes, for an hour.
func shiftAtTwo(t *testing.T) (c *clock, kept *common, a, b *Cookies, page func(method string) *http.Request) {
	t.Helper()
	c = newClock()
	kept = &common{now: c.Now, rows: make(map[string]*counted)}
	a, b = NewCookies(true, kept, c.Now), NewCookies(true, kept, c.Now)
	w := httptest.NewRecorder()
	who := Staff{Shift: "x", Store: "s", Role: RoleFloor, Teams: []string{"Shoes"}, ExpiresAt: c.Now().Add(time.Hour)}
	if err := a.SignIn(w, httptest.NewRequest("POST", "/", nil), who); err != nil {
		t.Fatal(err)
	}
	return c, kept, a, b, func(method string) *http.Request { return browser(t, w, method, "/") }
}

// A page may talk to any node, also when the one is gone at which somebody signed in.
func TestSignedInAtEveryNode(t *testing.T) {
	c, kept, _, b, page := shiftAtTwo(t)
	s, err := b.Session(page("GET"))
	if err != nil || s.Staff().Shift != "x" || len(s.Staff().Teams) != 1 {
		t.Fatalf("at the other node: %+v, %v", s, err)
	}
	for range 50 * 60 / 4 { // beats: used all the time
		c.Add(4 * time.Second)
		if !s.Touch(t.Context(), false) {
			t.Fatal("over, though it is used")
		}
	}
	if kept.uses < 45 || kept.uses > 51 {
		t.Errorf("written down %d times in 50 minutes", kept.uses)
	}
	third := NewCookies(true, kept, c.Now)
	if _, err := third.Session(page("GET")); err != nil {
		t.Errorf("at a third, after 50 minutes of use: %v", err)
	}
	c.Add(10 * time.Minute)
	for name, n := range map[string]*Cookies{"a node that had it": b, "one that has not": NewCookies(true, kept, c.Now)} {
		_, err := n.Session(page("GET"))
		t.Log(name)
		wantCode(t, err, 401, "session") // the shift is over
	}
}

// Whoever signs out at one node is signed out at all: at once where the page asks, and at the others with the next use
// that is five seconds after the last time they asked.
func TestSignedOutAtEveryNode(t *testing.T) {
	c, _, a, b, page := shiftAtTwo(t)
	s, err := b.Session(page("GET"))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SignOut(httptest.NewRecorder(), page("DELETE")); err != nil {
		t.Fatal(err)
	}
	_, err = a.Session(page("GET"))
	wantCode(t, err, 401, "session")
	c.Add(signInFresh)
	if s.Touch(t.Context(), false) {
		t.Error("a socket at the other node goes on")
	}
	select {
	case <-s.Gone():
	default:
		t.Error("and is not told")
	}
	_, err = b.Session(page("GET"))
	wantCode(t, err, 401, "session")
	_, err = NewCookies(true, b.kept, c.Now).Session(page("GET"))
	wantCode(t, err, 401, "session")
}

// A page that signs in anew at another node leaves nothing of its older session at either.
func TestSignedInAnewAtAnotherNode(t *testing.T) {
	c, _, a, b, page := shiftAtTwo(t)
	w := httptest.NewRecorder()
	if err := b.SignIn(w, page("POST"), Staff{Shift: "y", ExpiresAt: c.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	c.Add(signInFresh)
	for _, n := range []*Cookies{a, b} {
		_, err := n.Session(page("GET"))
		wantCode(t, err, 401, "session")
		if s, err := n.Session(browser(t, w, "GET", "/")); err != nil || s.Staff().Shift != "y" {
			t.Errorf("the new one: %v", err)
		}
	}
}

// A session that has been idle at one node need not have been so at another; one that was idle at all is over.
func TestIdleAtEveryNode(t *testing.T) {
	c, _, a, b, page := shiftAtTwo(t)
	for range 4 {
		c.Add(10 * time.Minute)
		if _, err := b.Session(page("GET")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Session(page("GET")); err != nil {
		t.Errorf("in use at another node: %v", err)
	}
	c, _, a, b, page = shiftAtTwo(t)
	c.Add(StaffIdle)
	for _, n := range []*Cookies{a, b} {
		_, err := n.Session(page("GET"))
		wantCode(t, err, 401, "session")
	}
}

// Out of reach is not signed out: a request is told to come again, a socket goes on, and nobody is signed in or out by
// halves.
func TestSignInsOutOfReach(t *testing.T) {
	c, kept, a, b, page := shiftAtTwo(t)
	s, err := a.Session(page("GET"))
	if err != nil {
		t.Fatal(err)
	}
	kept.away = errors.New("out of reach")
	c.Add(signInFresh)
	if !s.Touch(t.Context(), false) {
		t.Error("a socket is closed for it")
	}
	for _, n := range []*Cookies{a, b} {
		_, err := n.Session(page("GET"))
		wantCode(t, err, 503, "unavailable")
	}
	wantCode(t, b.SignIn(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil), Staff{ExpiresAt: c.Now().Add(time.Hour)}), 503, "unavailable")
	if n := b.sessions.Len(); n != 0 {
		t.Errorf("%d are signed in by halves", n)
	}
	wantCode(t, a.SignOut(httptest.NewRecorder(), page("DELETE")), 503, "unavailable")
	kept.away = nil
	if _, err := b.Session(page("GET")); err != nil {
		t.Errorf("within reach again: %v", err)
	}
}
