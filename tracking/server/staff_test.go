// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/tracking/server/auth"
)

// request sends one request and returns the answer's status and its code, if it is a problem.
func (h *house) request(method, path, body string, header http.Header) (status int, code string) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, h.url+path, strings.NewReader(body))
	h.ok(err)
	for name, values := range header {
		r.Header[name] = values
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := h.web.Do(r)
	h.ok(err)
	b, err := io.ReadAll(res.Body)
	h.ok(err)
	h.ok(res.Body.Close())
	var problem struct{ Code string }
	if bytes.HasPrefix(b, []byte("{")) {
		_ = json.Unmarshal(b, &problem) // a success has no code
	}
	return res.StatusCode, problem.Code
}

// page is the header of a request from one of our own pages.
func (h *house) page(cookie string) http.Header {
	header := http.Header{"Origin": {h.url}}
	if cookie != "" {
		header.Set("Cookie", cookie)
	}
	return header
}

// signIn signs somebody in at a page and returns the cookie.
func (h *house) signIn(ends time.Time) (cookie string) {
	h.Helper()
	return h.signInBy(h.code(ends))
}

// signInBy is signIn with somebody's code.
func (h *house) signInBy(code string) (cookie string) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.url+"/v1/staff/session", strings.NewReader(`{"code":"`+code+`"}`))
	h.ok(err)
	r.Header = h.page("")
	r.Header.Set("Content-Type", "application/json")
	res, err := h.web.Do(r)
	h.ok(err)
	h.ok(res.Body.Close())
	if res.StatusCode != http.StatusNoContent || len(res.Cookies()) != 1 {
		h.Fatalf("signed in with %d and %d cookies", res.StatusCode, len(res.Cookies()))
	}
	return res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
}

func (h *house) code(ends time.Time) string {
	h.Helper()
	code, err := h.server.StaffCode(auth.Staff{Shift: "mei", Tag: "Mei", Role: auth.RoleFloor, Store: demostore.ID, ExpiresAt: ends})
	h.ok(err)
	return code
}

// Whatever acts on a cookie's authority, or gives one, comes from one of our pages; and a request that does not
// changes nothing: the code is still good, the cookie too.
func TestStaffRequestsComeFromAPage(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		cookie := h.signIn(time.Now().Add(time.Hour))
		code := `{"code":"` + h.code(time.Now().Add(time.Hour)) + `"}`
		act := `{"action":"claim","version":1}`
		for name, header := range map[string]http.Header{
			"no origin": {}, "a strange one": {"Origin": {"https://evil.example"}}, "none to speak of": {"Origin": {"null"}},
			"a page's word": {"Sec-Fetch-Site": {"same-origin"}},
		} {
			header.Set("Cookie", cookie)
			header.Set("Idempotency-Key", "k")
			for _, r := range [][3]string{{"POST", "/v1/staff/session", code}, {"DELETE", "/v1/staff/session", ""},
				{"POST", "/v1/staff/alerts/x/actions", act}} {
				if status, code := h.request(r[0], r[1], r[2], header); status != http.StatusForbidden || code != "origin" {
					h.Errorf("%s %s, %s: %d %s", r[0], r[1], name, status, code)
				}
			}
			if _, res, err := h.dialConsole(&peer{}, header); err == nil || res.StatusCode != http.StatusForbidden {
				h.Errorf("a socket, %s: %v", name, err)
			}
		}
		if status, code := h.request("GET", "/v1/staff/me", "", h.page(cookie)); status != http.StatusOK {
			h.Errorf("the cookie was given up: %d %s", status, code)
		}
		if status, problem := h.request("POST", "/v1/staff/session", code, h.page("")); status != http.StatusNoContent {
			h.Errorf("the code was used up: %d %s", status, problem)
		}
		if status, problem := h.request("POST", "/v1/staff/session", code, h.page("")); status != http.StatusUnauthorized || problem != "code" {
			h.Errorf("the code once more: %d %s", status, problem)
		}
	})
}

// An action names its own key and the version on the screen, so that repeating it does nothing twice.
func TestAnActionSaysWhatItIs(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		for _, c := range []struct{ name, key, body, code string }{
			{"no key", "", `{"action":"claim","version":1}`, "idempotency"},
			{"a key like a book", strings.Repeat("k", 65), `{"action":"claim","version":1}`, "idempotency"},
			{"no version", "k", `{"action":"claim"}`, "request"},
			{"time's own action", "k", `{"action":"expire","version":1}`, "alert_action"},
			{"the system's", "k", `{"action":"vanish","version":1}`, "alert_action"},
			{"to nobody", "k", `{"action":"hand_over","version":1}`, "request"},
			{"a field of its own", "k", `{"action":"claim","version":1,"by":"kim"}`, "request"},
			{"no such alert", strings.Repeat("k", 64), `{"action":"claim","version":1}`, "no_alert"},
		} {
			header := h.staff("mei", time.Hour)
			if c.key != "" {
				header.Set("Idempotency-Key", c.key)
			}
			if status, code := h.request("POST", "/v1/staff/alerts/018f0000-0000-7000-8000-000000000000/actions", c.body, header); code != c.code {
				h.Errorf("%s: %d %s, want %s", c.name, status, code, c.code)
			}
		}
	})
}

// A console's socket ends with the sign-in that opened it, when the shift is over or somebody signs out.
func TestAConsoleEndsWithItsSignIn(t *testing.T) {
	beat := string(frame(opText|last, `{"type":"beat","n":1}`))
	stay := func(h *house, p peer, d time.Duration) {
		for end := time.Now().Add(d); time.Now().Before(end); h.pass(min(5*time.Second, time.Until(end))) {
			_ = p.write([]byte(beat))
		}
	}
	for name, c := range map[string]struct {
		open func(h *house) http.Header
		ends func(h *house, p peer, header http.Header)
	}{
		"the shift ends, on a token": {func(h *house) http.Header { return h.staff("mei", time.Minute) },
			func(h *house, p peer, _ http.Header) { stay(h, p, time.Minute) }},
		"the shift ends, on a page": {func(h *house) http.Header { return h.page(h.signIn(time.Now().Add(time.Minute))) },
			func(h *house, p peer, _ http.Header) { stay(h, p, time.Minute) }},
		"signed out": {func(h *house) http.Header { return h.page(h.signIn(time.Now().Add(time.Hour))) },
			func(h *house, p peer, header http.Header) {
				stay(h, p, 40*time.Minute) // which counts as using it
				if status, code := h.request("GET", "/v1/staff/me", "", header); status != http.StatusOK {
					h.Fatalf("signed out by itself: %d %s", status, code)
				}
				if status, code := h.request("DELETE", "/v1/staff/session", "", header); status != http.StatusNoContent {
					h.Fatalf("not signed out: %d %s", status, code)
				}
			}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				header := c.open(h)
				p := h.consoleOf(header)
				stay(h, p, 50*time.Second)
				if code := p.within(0); code != 0 {
					h.Fatalf("closed with %d, too soon", code)
				}
				c.ends(h, p, header)
				if code := p.within(time.Second); code != 4006 {
					h.Fatalf("closed with %d", code)
				}
			})
		})
	}
}

// A console that is not heard of is gone: nobody is on duty who is not there.
func TestASilentConsoleIsGone(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		p := h.console()
		h.pass(9 * time.Second)
		if code := p.within(0); code != 0 {
			h.Fatalf("closed with %d, too soon", code)
		}
		if code := p.within(2 * time.Second); code == 0 {
			h.Fatal("still open")
		}
	})
}
