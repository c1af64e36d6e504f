// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestNoTokenInURL(t *testing.T) {
	const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzIn0.c2ln"
	for address, ok := range map[string]bool{
		"/v1/stores":                          true,
		"/v1/stores/a/fences/2026.01.02":      true,
		"/v1/me?store=a":                      true,
		"/console/":                           true,
		"/console/?lang=zh":                   true,
		"/assets/leaflet.js?v=1.9.4":          true,
		"/demo?speed=4":                       true,
		"/v1/session?":                        false,
		"/v1/session?ticket=abc":              false,
		"/v1/session?x=1":                     false,
		"/v1/tickets?store=a":                 false,
		"/v1/staff/socket?since=4":            false,
		"/v1/staff/map?v=2":                   false,
		"/v1/me?":                             false,
		"/v1/me?store=a&store=b":              false,
		"/v1/me?store=a&x=1":                  false,
		"/v1/me?store=" + jwt:                 false,
		"/v1/me?token=a":                      false,
		"/v1/stores/" + jwt:                   false,
		"/v1/stores?%zz":                      false,
		"/v1/stores?a;b":                      false,
		"/console/?code=abc":                  false,
		"/console/?CODE=abc":                  false,
		"/console/?%63ode=abc":                false,
		"/console/?code":                      false,
		"/console/?access_token=abc":          false,
		"/shopper/?lat=54.1":                  false,
		"/shopper/?lng=3.1":                   false,
		"/shopper/?x=" + url.QueryEscape(jwt): false,
		"/shopper/?" + jwt:                    false,
		"/shopper/?x=a.b.c":                   true,
	} {
		served := false
		h := NoTokenInURL(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = true }), fail)
		u, err := url.ParseRequestURI(address)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, &http.Request{Method: "GET", URL: u, Header: http.Header{}})
		if served != ok {
			t.Errorf("%s: served %v", address, served)
		}
		if !ok && (w.Code != 400 || strings.Contains(w.Body.String(), "abc") || strings.Contains(w.Body.String(), jwt)) {
			t.Errorf("%s: %d %s", address, w.Code, w.Body)
		}
	}
	if urlSecret(&url.URL{Path: "/", User: url.User("u")}) == "" {
		t.Error("user information passes")
	}
}
