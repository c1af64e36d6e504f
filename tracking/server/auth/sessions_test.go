// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestSessions walks any history of uses and waits beside a model of two times.
func TestSessions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		s := NewSessions[int](10*time.Second, time.Minute, 10, c.Now)
		var end time.Time
		if rapid.Bool().Draw(rt, "ends by itself") {
			end = c.Now().Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "end")) * time.Second)
		}
		secret, opened, err := s.Open(7, end)
		if err != nil {
			rt.Fatal(err)
		}
		last := c.Now().Add(time.Minute)
		if !end.IsZero() {
			last = earlier(last, end)
		}
		used, over := c.Now(), false
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			c.Add(time.Duration(rapid.IntRange(0, 12).Draw(rt, "seconds")) * time.Second)
			over = over || !c.Now().Before(last) || !c.Now().Before(used.Add(10*time.Second))
			var good bool
			if rapid.Bool().Draw(rt, "touch") {
				good = opened.Touch()
			} else {
				got, err := s.Use(secret)
				good = err == nil && got.Value == 7
			}
			if good == over {
				rt.Fatalf("good %v, want %v", good, !over)
			}
			if good {
				used = c.Now()
			}
			select {
			case <-opened.Gone():
				if !over {
					rt.Fatal("gone while alive")
				}
			default:
				if over {
					rt.Fatal("over, and nobody was told")
				}
			}
		}
	})
}

func TestSessionsAreBounded(t *testing.T) {
	c := newClock()
	s := NewSessions[int](time.Minute, time.Hour, 2, c.Now)
	a, _, _ := s.Open(1, time.Time{})
	_, b, _ := s.Open(2, time.Time{})
	if _, _, err := s.Open(3, time.Time{}); !errors.Is(err, ErrFull) {
		t.Fatalf("a third: %v", err)
	}
	if _, _, err := s.Open(3, c.Now()); !errors.Is(err, ErrExpired) {
		t.Fatalf("one that is over: %v", err)
	}
	s.Quit(a)
	s.Quit(a)
	s.Quit("never was")
	if _, err := s.Use(a); !errors.Is(err, ErrUnknown) {
		t.Fatalf("after quitting: %v", err)
	}
	if _, _, err := s.Open(3, time.Time{}); err != nil {
		t.Fatalf("room after quitting: %v", err)
	}
	c.Add(time.Minute)
	if _, _, err := s.Open(4, time.Time{}); err != nil || s.Len() != 1 {
		t.Fatalf("room after the idle time: %v, %d held", err, s.Len())
	}
	<-b.Gone()
}

// browser keeps the cookies that it is sent.
func browser(t *testing.T, w *httptest.ResponseRecorder, method, address string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, address, nil)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge >= 0 {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
	return r
}

func TestCookie(t *testing.T) {
	for secure, want := range map[bool][]string{
		true:  {"__Host-doorstep-staff=", "; Path=/;", "; HttpOnly;", "; Secure;", "; SameSite=Strict"},
		false: {"doorstep-staff=", "; Path=/;", "; HttpOnly;", "; SameSite=Strict"},
	} {
		c := newClock()
		cookies := NewCookies(secure, nil, c.Now)
		w := httptest.NewRecorder()
		if err := cookies.SignIn(w, httptest.NewRequest("POST", "/", nil), Staff{Shift: "x", Store: "a", ExpiresAt: c.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		header := w.Header().Get("Set-Cookie")
		for _, part := range want {
			if !strings.Contains(header+";", part) {
				t.Errorf("secure %v: %q is missing in %q", secure, part, header)
			}
		}
		if strings.Contains(header, "Domain") || strings.Contains(header, "Expires") || strings.Contains(header, "Max-Age") || (!secure && strings.Contains(header, "Secure")) {
			t.Errorf("too much in %q", header)
		}
		s, err := cookies.Session(browser(t, w, "GET", "/"))
		if err != nil || s.Staff().Shift != "x" {
			t.Fatalf("got %+v, %v", s, err)
		}
	}
}

func TestSignInAndOut(t *testing.T) {
	c := newClock()
	cookies := NewCookies(true, nil, c.Now)
	shift := Staff{Shift: "x", Store: "a", ExpiresAt: c.Now().Add(time.Hour)}
	first, second := httptest.NewRecorder(), httptest.NewRecorder()
	if err := cookies.SignIn(first, httptest.NewRequest("POST", "/", nil), shift); err != nil {
		t.Fatal(err)
	}
	old, err := cookies.Session(browser(t, first, "GET", "/"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cookies.SignIn(second, browser(t, first, "POST", "/"), shift); err != nil {
		t.Fatal(err)
	}
	if first.Header().Get("Set-Cookie") == second.Header().Get("Set-Cookie") {
		t.Fatal("the id stayed the same")
	}
	<-old.Gone()
	_, err = cookies.Session(browser(t, first, "GET", "/"))
	wantCode(t, err, 401, "session")

	both := browser(t, second, "GET", "/")
	both.AddCookie(browser(t, first, "GET", "/").Cookies()[0])
	_, err = cookies.Session(both)
	wantCode(t, err, 401, "session") // somebody else set one of them

	now, err := cookies.Session(browser(t, second, "GET", "/"))
	if err != nil {
		t.Fatal(err)
	}
	out := httptest.NewRecorder()
	_ = cookies.SignOut(out, browser(t, second, "DELETE", "/"))
	_ = cookies.SignOut(out, httptest.NewRequest("DELETE", "/", nil))
	if !strings.Contains(out.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Fatalf("the browser keeps it: %q", out.Header().Get("Set-Cookie"))
	}
	<-now.Gone()
	_, err = cookies.Session(browser(t, second, "GET", "/"))
	wantCode(t, err, 401, "session")
	if now.Touch(t.Context(), false) {
		t.Fatal("a signed-out session can be touched")
	}
}

func TestCookieEndsWithTheShift(t *testing.T) {
	c := newClock()
	cookies := NewCookies(true, nil, c.Now)
	w := httptest.NewRecorder()
	if err := cookies.SignIn(w, httptest.NewRequest("POST", "/", nil), Staff{ExpiresAt: c.Now().Add(20 * time.Minute)}); err != nil {
		t.Fatal(err)
	}
	c.Add(20*time.Minute - time.Millisecond)
	if _, err := cookies.Session(browser(t, w, "GET", "/")); err != nil {
		t.Fatal(err)
	}
	c.Add(time.Millisecond)
	_, err := cookies.Session(browser(t, w, "GET", "/"))
	wantCode(t, err, 401, "session")
	wantCode(t, cookies.SignIn(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil), Staff{ExpiresAt: c.Now()}), 401, "session")
}
