// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/tracking/server"
)

// tablet is a page on a device that several people use. It keeps the cookies that it is given.
type tablet struct {
	*house
	cookies map[string]string
	other   http.Handler // of another server
}

// asks sends a request to this server, or to the other one, and returns what came back.
func (d *tablet) asks(at http.Handler, method, path, body string) (status int, answer map[string]any) {
	d.Helper()
	r := httptest.NewRequest(method, d.url+path, strings.NewReader(body))
	var all []string
	for name, value := range d.cookies {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	r.Header = d.page(strings.Join(all, "; "))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	at.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		d.cookies[c.Name] = c.Value
	}
	if w.Body.Len() > 0 {
		d.ok(json.Unmarshal(w.Body.Bytes(), &answer))
	}
	return w.Code, answer
}

// does fails unless that is the answer: 204, or a problem's code.
func (d *tablet) does(at http.Handler, method, path, body, want string) map[string]any {
	d.Helper()
	status, answer := d.asks(at, method, path, body)
	if code, _ := answer["code"].(string); code != want || want == "" && status >= 400 {
		d.Errorf("%s %s: %d %v, want %q", method, path, status, answer, want)
	}
	return answer
}

// twoOnATablet has kim and ida signed in on one, each with a PIN; ida is there. The server here is behind the witness.
func twoOnATablet(h *house, config server.Config) (d *tablet, here http.Handler) {
	h.Helper()
	other, err := server.New(config)
	h.ok(err)
	d, here = &tablet{h, map[string]string{}, other.Handler()}, h.witnessed()
	for _, who := range []string{"kim", "ida"} {
		d.does(here, "POST", "/v1/staff/session", `{"code":"`+h.codeFor(h.staff(who, 8*time.Hour))+`","shared":true}`, "")
		d.does(here, "GET", "/v1/staff/me", "", "pin_due")
		d.does(here, "PUT", "/v1/staff/session/pin", `{"pin":"1234"}`, "bad_pin")
		d.does(here, "PUT", "/v1/staff/session/pin", `{"pin":"badge `+who+`"}`, "")
		h.pass(time.Second) // who did something last is told first
	}
	return d, here
}

// who is the pseudonym of somebody on the device.
func (d *tablet) who(at http.Handler, n, of int) string {
	d.Helper()
	people, _ := d.does(at, "GET", "/v1/staff/device", "", "")["people"].([]any)
	if len(people) != of {
		d.Fatalf("on the device: %v", people)
	}
	return people[n].(map[string]any)["person"].(string)
}

// Everything that staff can ask for with the cookie of a page.
var byCookie = [][3]string{{"GET", "/v1/staff/me", ""}, {"GET", "/v1/staff/map", ""}, {"GET", "/v1/staff/counts", ""}, {"GET", "/v1/staff/break-glass", ""},
	{"POST", "/v1/staff/break-glass", `{}`}, {"POST", "/v1/staff/break-glass/x/approve", ""}, {"POST", "/v1/staff/alerts/x/actions", `{"action":"claim","version":1}`},
	{"POST", "/v1/staff/alerts/x/call", `{}`}, {"GET", "/v1/staff/socket", ""}, {"PUT", "/v1/staff/session/pin", `{"pin":"9514"}`}}

// Two people on one tablet, before two servers: one at a time, each by their own PIN; and while it is locked, its cookie is
// worth nothing at either.
func TestTwoPeopleOnOneTablet(t *testing.T) {
	var config server.Config
	inBubble(t, func(c *server.Config) { config = *c }, func(h *house) {
		d, here := twoOnATablet(h, config)
		if me := d.does(here, "GET", "/v1/staff/me", "", ""); me["lock_ms"] != 180_000.0 {
			h.Errorf("ida: %v", me)
		}
		kim, ida := d.who(d.other, 1, 2), d.who(here, 0, 2)
		if kim != string(h.ledger.Keys().Shift("kim")) {
			h.Errorf("%s is not the pseudonym that colleagues see", kim)
		}
		screen := h.consoleOf(h.page("doorstep-staff=" + d.cookies["doorstep-staff"]))
		d.does(here, "POST", "/v1/staff/session/lock", "", "")
		if code := screen.within(time.Second); code != 4006 {
			h.Errorf("her socket is closed with %d", code)
		}
		for _, at := range []http.Handler{here, d.other} {
			for _, r := range byCookie {
				want := "locked"
				if strings.HasSuffix(r[1], "/pin") {
					want = "bad_pin" // it has one
				}
				if strings.HasSuffix(r[1], "/socket") {
					_, res, err := h.dialConsole(&peer{}, h.page("doorstep-staff="+d.cookies["doorstep-staff"]))
					if err == nil || res.StatusCode != http.StatusUnauthorized {
						h.Errorf("a socket of what is locked: %v", err)
					}
					continue
				}
				d.does(at, r[0], r[1], r[2], want)
			}
		}
		locked := d.cookies["doorstep-staff"]
		d.does(here, "POST", "/v1/staff/session/unlock", `{"person":"`+kim+`","pin":"badge ida"}`, "wrong_pin")
		d.does(d.other, "POST", "/v1/staff/session/unlock", `{"person":"`+kim+`","pin":"badge kim"}`, "")
		for _, at := range []http.Handler{here, d.other} {
			if me := d.does(at, "GET", "/v1/staff/me", "", ""); me["person"] != "Desk" {
				h.Errorf("kim: %v", me)
			}
		}
		d.does(here, "POST", "/v1/staff/session/unlock", `{"person":"`+ida+`","pin":"badge ida"}`, "")
		d.cookies["doorstep-staff"] = locked
		d.does(here, "GET", "/v1/staff/me", "", "session")
	})
}

// A tablet locks three minutes after the last touch that a page told of in its beats, and its socket is closed then: nobody is
// on duty at it. One that is touched stays.
func TestATabletLocksByItself(t *testing.T) {
	var config server.Config
	inBubble(t, func(c *server.Config) { config = *c }, func(h *house) {
		d, here := twoOnATablet(h, config)
		screen := h.consoleOf(h.page("doorstep-staff=" + d.cookies["doorstep-staff"]))
		beats := func(d time.Duration, touched string) (closed int) {
			for range d / (5 * time.Second) {
				_ = screen.write(frame(opText|last, `{"type":"beat","n":1`+touched+`}`))
				if closed = screen.within(5 * time.Second); closed != 0 {
					break
				}
			}
			return closed
		}
		if closed := beats(10*time.Minute, `,"touched":true`) + beats(170*time.Second, ``); closed != 0 {
			h.Fatalf("closed with %d, though somebody was there", closed)
		}
		d.does(here, "GET", "/v1/staff/me", "", "")
		if closed := beats(5*time.Second, `,"touched":true`); closed != 0 {
			h.Fatalf("closed with %d in the last moment, though somebody was there", closed)
		}
		if closed := beats(185*time.Second, ``); closed != 4006 {
			h.Errorf("nobody was there, and it was closed with %d", closed)
		}
		d.does(here, "GET", "/v1/staff/me", "", "locked")
		d.does(d.other, "GET", "/v1/staff/me", "", "locked")
		d.does(here, "POST", "/v1/staff/session/unlock", `{"person":"`+d.who(here, 0, 2)+`","pin":"badge ida"}`, "")
		d.does(here, "GET", "/v1/staff/me", "", "")
		d.does(here, "DELETE", "/v1/staff/session", "", "")
		d.who(d.other, 0, 1)
	})
}

// Five wrong PINs end a sign-in, and those who count refused looks see that somebody tried.
func TestGuessingAPIN(t *testing.T) {
	var config server.Config
	inBubble(t, func(c *server.Config) { config = *c }, func(h *house) {
		d, here := twoOnATablet(h, config)
		kim := d.who(here, 1, 2)
		wrong := `{"person":"` + kim + `","pin":"9999"}`
		for n, at := range []http.Handler{here, d.other, here, here} {
			if p := d.does(at, "POST", "/v1/staff/session/unlock", wrong, "wrong_pin"); p["left"] != float64(4-n) {
				h.Errorf("%v tries are left after %d", p["left"], n+1)
			}
		}
		d.does(here, "POST", "/v1/staff/session/unlock", `{"person":"`+kim+`","pin":"`+strings.Repeat("x", 65)+`"}`, "request") // which is no try
		d.does(here, "POST", "/v1/staff/session/unlock", wrong, "session")
		d.does(here, "POST", "/v1/staff/session/unlock", `{"person":"`+kim+`","pin":"badge kim"}`, "session")
		d.who(here, 0, 1)
		d.does(here, "GET", "/v1/staff/me", "", "") // ida's, who is there
		h.want("entries", len(h.store.refused), 1)
		if r := <-h.store.refused; r.Reader != kim || r.Code != "wrong_pin" || r.Store != demostore.ID {
			h.Errorf("the entry: %+v", r)
		}
		for _, header := range []http.Header{{}, {"Origin": {"https://evil.example"}}} {
			header.Set("Cookie", "doorstep-staff="+d.cookies["doorstep-staff"]+"; doorstep-device="+d.cookies["doorstep-device"])
			for _, r := range [][3]string{{"POST", "/v1/staff/session/unlock", wrong}, {"POST", "/v1/staff/session/lock", ""}, {"PUT", "/v1/staff/session/pin", `{"pin":"9514"}`}, {"GET", "/v1/staff/device", ""}} {
				if status, code := h.request(r[0], r[1], r[2], header); status != http.StatusForbidden || code != "origin" {
					h.Errorf("%s %s from no page of ours: %d %s", r[0], r[1], status, code)
				}
			}
		}
	})
}
