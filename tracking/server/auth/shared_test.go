// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"doorstep/tracking/server/problem"
)

// tablet is a device that several people use, before two servers.
type tablet struct {
	*testing.T
	*clock
	kept    *common
	at      [2]*Cookies
	cookies map[string]*http.Cookie
}

func newTablet(t *testing.T) *tablet {
	c := newClock()
	kept := &common{now: c.Now, rows: make(map[string]*counted)}
	d := &tablet{t, c, kept, [2]*Cookies{NewCookies(true, kept, c.Now), NewCookies(true, kept, c.Now)}, map[string]*http.Cookie{}}
	for _, at := range d.at {
		at.Rounds = 2 // what it costs is TestPINIsThatOne's affair
	}
	return d
}

// asks does something by a request of this device, which keeps the cookies that it is given.
func (d *tablet) asks(method string, f func(w http.ResponseWriter, r *http.Request) error) error {
	r, w := httptest.NewRequest(method, "/", nil), httptest.NewRecorder()
	for _, c := range d.cookies {
		r.AddCookie(c)
	}
	err := f(w, r)
	for _, c := range w.Result().Cookies() {
		d.cookies[c.Name] = c
	}
	return err
}

func (d *tablet) signIn(n int, shift string) error {
	return d.asks("POST", func(w http.ResponseWriter, r *http.Request) error {
		return d.at[n].SignInShared(w, r, Staff{Shift: shift, Tag: shift, Store: "s", Role: RoleFloor, ExpiresAt: d.Now().Add(8 * time.Hour)})
	})
}

func (d *tablet) choose(n int, pin string) error {
	return d.asks("PUT", func(w http.ResponseWriter, r *http.Request) error { return d.at[n].ChoosePIN(w, r, pin) })
}

func (d *tablet) unlock(n int, shift, pin string) error {
	return d.asks("POST", func(w http.ResponseWriter, r *http.Request) error {
		return d.at[n].Unlock(w, r, func(s Staff) bool { return s.Shift == shift }, pin)
	})
}

func (d *tablet) lock(n int) error {
	return d.asks("POST", func(_ http.ResponseWriter, r *http.Request) error { return d.at[n].Lock(r) })
}

// who is signed in, for a request that only reads, or the error.
func (d *tablet) who(n int) (shift string, err error) {
	s, err := d.session(n, "GET")
	if err != nil {
		return "", err
	}
	return s.Staff().Shift, nil
}

func (d *tablet) session(n int, method string) (s *StaffSession, err error) {
	err = d.asks(method, func(_ http.ResponseWriter, r *http.Request) error {
		s, err = d.at[n].Session(r)
		return err
	})
	return s, err
}

func (d *tablet) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// is fails unless this is who is signed in at both servers; "" is nobody, for that reason.
func (d *tablet) is(shift, why string) {
	d.Helper()
	for n := range d.at {
		got, err := d.who(n)
		if got != shift {
			d.Errorf("%q is signed in at server %d; want %q: %v", got, n, shift, err)
		}
		if why != "" {
			wantCode(d.T, err, 401, why)
		}
	}
}

// two people with a PIN each; ida is there, and kim was.
func twoOnATablet(t *testing.T) *tablet {
	t.Helper()
	d := newTablet(t)
	for _, who := range []struct{ shift, pin string }{{"kim", "4711"}, {"ida", "badge ida"}} {
		d.ok(d.signIn(0, who.shift))
		d.ok(d.choose(0, who.pin))
	}
	return d
}

// Before a PIN is chosen nothing can be done; it is chosen once, and in time.
func TestAPINIsDue(t *testing.T) {
	d := newTablet(t)
	d.ok(d.signIn(0, "kim"))
	d.is("", "pin_due")
	if on, err := d.onIt(0); err != nil || len(on) != 0 {
		t.Errorf("%v can unlock it, %v", on, err)
	}
	wantCode(t, d.choose(1, "1234"), 422, "bad_pin")
	d.ok(d.choose(1, "4711"))
	d.is("kim", "")
	wantCode(t, d.choose(0, "9514"), 422, "bad_pin")
	d.is("kim", "")

	d = newTablet(t)
	d.ok(d.signIn(0, "kim"))
	d.Add(LockAfter)
	wantCode(t, d.choose(0, "4711"), 401, "locked")
	d.is("", "locked")

	own := newTablet(t)
	own.ok(own.asks("POST", func(w http.ResponseWriter, r *http.Request) error {
		return own.at[0].SignIn(w, r, Staff{Shift: "kim", ExpiresAt: own.Now().Add(time.Hour)})
	}))
	wantCode(t, own.choose(0, "4711"), 422, "bad_pin")
	wantCode(t, own.lock(0), 401, "session")
	wantCode(t, own.unlock(0, "kim", "4711"), 401, "session")
	own.Add(LockAfter)
	own.is("kim", "")
}

// The one who comes locks the one who was there, at every server, and each goes on with their own PIN under another cookie. A
// cookie that was in the browser when it was locked is worth nothing, then or later.
func TestTwoPeopleOnOneTablet(t *testing.T) {
	d := twoOnATablet(t)
	d.is("ida", "")
	idas := d.cookies[secureCookie]
	if on, err := d.onIt(1); err != nil || len(on) != 2 {
		t.Fatalf("%v can unlock it, %v", on, err)
	}
	wantCode(t, d.unlock(1, "kim", "badge ida"), 401, "wrong_pin")
	d.is("ida", "")
	socket, err := d.session(0, "GET")
	d.ok(err)
	d.ok(d.unlock(1, "kim", "4711"))
	d.is("kim", "")
	kims := d.cookies[secureCookie]
	if kims.Value == idas.Value {
		t.Error("both have one cookie")
	}
	d.Add(lockFresh)
	if socket.Touch(t.Context(), true) {
		t.Error("a socket of hers goes on at another server")
	}
	<-socket.Gone()
	d.cookies[secureCookie] = idas
	d.is("", "locked")
	wantCode(t, d.choose(0, "9514"), 422, "bad_pin") // it is hers still, and nobody chooses another PIN for it
	d.cookies[secureCookie] = kims
	d.ok(d.lock(0))
	d.is("", "locked")
	d.ok(d.lock(0))
	d.ok(d.unlock(0, "ida", "badge ida"))
	d.is("ida", "")
	d.cookies[secureCookie] = idas
	d.is("", "session") // it has another secret now
	d.cookies[secureCookie] = kims
	d.is("", "locked")
	wantCode(t, d.unlock(0, "lea", "4711"), 401, "session")
	delete(d.cookies, secureDevice)
	wantCode(t, d.unlock(0, "ida", "badge ida"), 401, "session")
}

// onIt is who can unlock the device.
func (d *tablet) onIt(n int) (shifts []string, err error) {
	err = d.asks("GET", func(_ http.ResponseWriter, r *http.Request) error {
		on, err := d.at[n].On(r)
		for _, s := range on {
			shifts = append(shifts, s.Shift)
		}
		return err
	})
	return shifts, err
}

// Three minutes after the last touch it is locked, at every server, however often a page reads by itself. Another server
// knows of a touch a little later, so there it may be locked sooner, and never later.
func TestATabletLocksByItself(t *testing.T) {
	d := twoOnATablet(t)
	socket, err := d.session(0, "GET")
	d.ok(err)
	for range 20 * 60 { // somebody is there, and touches it each half minute
		d.Add(time.Second)
		if !socket.Touch(t.Context(), d.Now().Unix()%30 == 0) {
			t.Fatal("locked, though somebody is there")
		}
	}
	d.is("ida", "")
	left := LockAfter - 30*time.Second // at least
	for range int(left / time.Second) {
		d.Add(time.Second)
		if _, err := d.who(0); err != nil || !socket.Touch(t.Context(), false) {
			t.Fatalf("locked before its time: %v", err)
		}
	}
	d.Add(31 * time.Second)
	if socket.Touch(t.Context(), true) {
		t.Error("a touch opens what is locked")
	}
	<-socket.Gone()
	d.is("", "locked")
	d.ok(d.unlock(1, "ida", "badge ida"))
	d.is("ida", "")
	d.Add(LockAfter - time.Second)
	if _, err := d.session(0, "POST"); err != nil { // what changes something is done by somebody
		t.Errorf("an action: %v", err)
	}
	d.Add(LockAfter - time.Second)
	d.is("ida", "")
	d.Add(time.Second)
	d.is("", "locked")

	d.ok(d.unlock(0, "ida", "badge ida"))
	d.Add(actedNoted / 2) // so soon that it is not written down
	if _, err := d.session(0, "POST"); err != nil {
		t.Errorf("an action: %v", err)
	}
	d.Add(LockAfter - time.Second)
	if _, err := d.who(0); err != nil {
		t.Errorf("locked before its time: %v", err)
	}
}

// A server that cannot ask locks by what it knows; and a lock that nobody wrote down is found by the others' clocks.
func TestATabletLocksOutOfReach(t *testing.T) {
	d := twoOnATablet(t)
	socket, err := d.session(0, "GET")
	d.ok(err)
	d.kept.away = errors.New("out of reach")
	d.Add(LockAfter - time.Second)
	if !socket.Touch(t.Context(), false) {
		t.Error("closed before its time")
	}
	_, err = d.who(0)
	wantCode(t, err, 503, "unavailable")
	wantCode(t, d.lock(0), 503, "unavailable")
	wantCode(t, d.unlock(0, "ida", "badge ida"), 503, "unavailable")
	d.Add(time.Second)
	if socket.Touch(t.Context(), false) {
		t.Error("a socket goes on")
	}
	d.kept.away = nil
	d.is("", "locked")
}

// Five wrong PINs in a row end a sign-in, at whichever servers they were tried; a right one in between begins the count anew.
func TestWrongPINs(t *testing.T) {
	d := twoOnATablet(t)
	left := func(n, want int) {
		t.Helper()
		err := d.unlock(n%2, "kim", "4712")
		wantCode(t, err, 401, "wrong_pin")
		if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Extra["left"] != want {
			t.Errorf("%v tries left; want %d", p.Extra["left"], want)
		}
	}
	for n := range 4 {
		left(n, 4-n)
	}
	d.ok(d.unlock(0, "kim", "4711"))
	for n := range 4 {
		left(n, 4-n)
	}
	d.is("kim", "") // who only tries changes nothing for whoever is there
	err := d.unlock(0, "kim", "4712")
	wantCode(t, err, 401, "session")
	if !errors.Is(err, ErrTooManyPINs) {
		t.Errorf("ended without a word: %v", err)
	}
	d.is("", "session")
	wantCode(t, d.unlock(1, "kim", "4711"), 401, "session")
	if on, err := d.onIt(0); err != nil || len(on) != 1 || on[0] != "ida" {
		t.Errorf("%v can unlock it, %v", on, err)
	}
	for _, r := range d.kept.rows { // as when its end could not be written down
		r.tries = wrongPINs
	}
	wantCode(t, d.unlock(1, "ida", "badge ida"), 401, "session")
}

// However many guess at once, five are looked at.
func TestGuessesAtOnce(t *testing.T) {
	d := twoOnATablet(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	wrong := 0
	for n := range 12 {
		all.Go(func() {
			r := httptest.NewRequest("POST", "/", nil)
			r.AddCookie(d.cookies[secureDevice])
			err := d.at[n%2].Unlock(httptest.NewRecorder(), r, func(s Staff) bool { return s.Shift == "kim" }, "9999")
			if _, c := code(t, err); c == "wrong_pin" {
				mu.Lock()
				defer mu.Unlock()
				wrong++
			}
		})
	}
	all.Wait()
	if wrong > wrongPINs-1 {
		t.Errorf("%d were told that they may go on", wrong)
	}
	wantCode(t, d.unlock(0, "kim", "4711"), 401, "session")
}

// Whoever signs in again on the same device begins anew, whoever is on a device of their own is signed out there, and a
// seventeenth person takes the place of whoever was away longest.
func TestRoomOnATablet(t *testing.T) {
	d := twoOnATablet(t)
	kims := d.cookies[secureCookie]
	d.ok(d.signIn(1, "ida"))
	d.is("", "pin_due")
	d.cookies[secureCookie] = kims
	d.is("", "session")
	if n := len(d.kept.rows); n != 2 {
		t.Errorf("%d sign-ins of two people", n)
	}
	for n := range peopleOnDevice {
		d.Add(time.Second)
		d.ok(d.signIn(0, string(rune('A'+n))))
	}
	if n := len(d.kept.rows); n != peopleOnDevice {
		t.Errorf("%d sign-ins on one device", n)
	}

	own := newTablet(t)
	own.ok(own.asks("POST", func(w http.ResponseWriter, r *http.Request) error {
		return own.at[0].SignIn(w, r, Staff{Shift: "kim", ExpiresAt: own.Now().Add(time.Hour)})
	}))
	old := own.cookies[secureCookie]
	own.ok(own.signIn(0, "kim"))
	own.cookies[secureCookie] = old
	own.is("", "session")
}

// A shared device outlives the pause of half an hour that ends a sign-in elsewhere, and not the shift.
func TestASharedSignInLastsForTheShift(t *testing.T) {
	d := twoOnATablet(t)
	d.Add(3 * time.Hour)
	d.is("", "locked")
	d.ok(d.unlock(0, "kim", "4711"))
	d.is("kim", "")
	d.ok(d.asks("DELETE", func(w http.ResponseWriter, r *http.Request) error { return d.at[0].SignOut(w, r) }))
	if on, err := d.onIt(0); err != nil || len(on) != 1 {
		t.Errorf("%v can unlock it, %v", on, err)
	}
	d.Add(5 * time.Hour)
	wantCode(t, d.unlock(0, "ida", "badge ida"), 401, "session")
}

// The device's cookie is as hard to take as the other.
func TestDeviceCookie(t *testing.T) {
	d := twoOnATablet(t)
	for _, name := range []string{secureCookie, secureDevice} {
		c := d.cookies[name]
		if c == nil || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge != 0 {
			t.Errorf("%s: %+v", name, c)
		}
	}
	without := NewCookies(true, nil, d.Now)
	wantCode(t, without.SignInShared(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil), Staff{ExpiresAt: d.Now().Add(time.Hour)}), 503, "unavailable")
}
