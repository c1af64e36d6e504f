// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorstep/tracking/server"
)

// codeFor asks for a one-time code with somebody's token.
func (h *house) codeFor(token http.Header) (code string) {
	h.Helper()
	var got struct {
		Code string `json:"code"`
		EndT int64  `json:"end_t"`
	}
	if status := h.ask("POST", "/v1/staff/codes", strings.TrimPrefix(token.Get("Authorization"), "Bearer "), "", &got); status != http.StatusOK {
		h.Fatalf("no code: %d", status)
	}
	h.want("its life", time.Until(time.UnixMilli(got.EndT)).Round(time.Second), 30*time.Second)
	return got.Code
}

// The retailer's sign-in gets a code for the token that it has, and a page a cookie for the code: once, and soon.
func TestACodeForAToken(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		code := h.codeFor(h.staff("mei", time.Hour))
		cookie := h.signInBy(code)
		if status, problem := h.request("GET", "/v1/staff/me", "", h.page(cookie)); status != http.StatusOK {
			h.Errorf("signed in as nobody: %d %s", status, problem)
		}
		late := h.codeFor(h.staff("mei", time.Hour))
		h.pass(30 * time.Second)
		for what, body := range map[string]string{"used": code, "late": late, "none": "x"} {
			if status, problem := h.request("POST", "/v1/staff/session", `{"code":"`+body+`"}`, h.page("")); status != http.StatusUnauthorized || problem != "code" {
				h.Errorf("a code that is %s: %d %s", what, status, problem)
			}
		}
		for who, header := range map[string]http.Header{"a page that is signed in": h.page(cookie), "nobody": {}, "a shopper": h.bearer("ana")} {
			if status, problem := h.request("POST", "/v1/staff/codes", "", header); status != http.StatusUnauthorized && status != http.StatusForbidden {
				h.Errorf("%s gets a code: %d %s", who, status, problem)
			}
		}
		h.pass(time.Hour)
		if status, problem := h.request("GET", "/v1/staff/me", "", h.page(cookie)); status != http.StatusUnauthorized || problem != "session" {
			h.Errorf("after the token's end: %d %s", status, problem)
		}
	})
}

// A page may be served by any server: what it signed in at one counts at another, and so does signing out.
func TestSignedInAtAnotherServer(t *testing.T) {
	var config server.Config
	inBubble(t, func(c *server.Config) { config = *c }, func(h *house) {
		other, err := server.New(config)
		h.ok(err)
		at := func(method, path, body, cookie string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, h.url+path, strings.NewReader(body))
			r.Header = h.page(cookie)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			other.Handler().ServeHTTP(w, r)
			return w
		}
		w := at("POST", "/v1/staff/session", `{"code":"`+h.codeFor(h.staff("mei", time.Hour))+`"}`, "")
		h.want("signed in with another's code", w.Code, http.StatusNoContent)
		cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		console := h.consoleOf(h.page(cookie))
		h.want("signed out", at("DELETE", "/v1/staff/session", "", cookie).Code, http.StatusNoContent)
		beat := frame(opText|last, `{"type":"beat","n":1}`)
		for range 12 {
			_ = console.write(beat)
			h.pass(500 * time.Millisecond)
		}
		if code := console.within(time.Second); code != 4006 {
			h.Errorf("the console's socket is closed with %d", code)
		}
		if status, problem := h.request("GET", "/v1/staff/me", "", h.page(cookie)); status != http.StatusUnauthorized || problem != "session" {
			h.Errorf("still signed in: %d %s", status, problem)
		}
	})
}
