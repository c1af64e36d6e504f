// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"doorstep/tracking/server/problem"
)

func mustOrigins(t *testing.T, list ...string) *Origins {
	t.Helper()
	o, err := NewOrigins(list)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func fail(w http.ResponseWriter, _ *http.Request, err error) {
	problem.Write(w, problem.As(err), newClock().Now())
}

// TestOrigins: exact, present and single, or refused; a native app's socket may leave it out, but
// not along with a cookie.
func TestOrigins(t *testing.T) {
	o := mustOrigins(t, "https://shop.example", "http://127.0.0.1:8080/", "https://[::1]:8443", "https://Desk.example:443")
	for name, c := range map[string]struct {
		origin       []string
		cookie       bool
		page, socket bool
	}{
		"listed":             {[]string{"https://shop.example"}, false, true, true},
		"listed, cookie":     {[]string{"https://shop.example"}, true, true, true},
		"listed with port":   {[]string{"http://127.0.0.1:8080"}, true, true, true},
		"listed as IPv6":     {[]string{"https://[::1]:8443"}, true, true, true},
		"listed untidily":    {[]string{"https://desk.example"}, true, true, true},
		"missing":            {nil, false, false, true},
		"missing, cookie":    {nil, true, false, false},
		"empty":              {[]string{""}, false, false, false},
		"null":               {[]string{"null"}, false, false, false},
		"hostile":            {[]string{"https://evil.example"}, false, false, false},
		"another scheme":     {[]string{"http://shop.example"}, false, false, false},
		"another port":       {[]string{"https://shop.example:8443"}, false, false, false},
		"port of the scheme": {[]string{"https://shop.example:443"}, false, false, false},
		"no port":            {[]string{"http://127.0.0.1"}, false, false, false},
		"a longer host":      {[]string{"https://shop.example.evil"}, false, false, false},
		"a host in front":    {[]string{"https://evil-shop.example"}, false, false, false},
		"a subdomain":        {[]string{"https://a.shop.example"}, false, false, false},
		"a user":             {[]string{"https://shop.example@evil.example"}, false, false, false},
		"a path":             {[]string{"https://shop.example/"}, false, false, false},
		"capitals":           {[]string{"https://SHOP.example"}, false, false, false},
		"a dot at the end":   {[]string{"https://shop.example."}, false, false, false},
		"two":                {[]string{"https://shop.example", "https://shop.example"}, false, false, false},
		"two in one":         {[]string{"https://shop.example, https://evil.example"}, false, false, false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if c.origin != nil {
			r.Header["Origin"] = c.origin
		}
		if c.cookie {
			r.AddCookie(&http.Cookie{Name: "x", Value: "y"})
		}
		for kind, got := range map[string]struct {
			err  error
			want bool
		}{"page": {o.RequirePage(r), c.page}, "socket": {o.AllowSocket(r), c.socket}} {
			if (got.err == nil) != got.want {
				t.Errorf("%s as %s: %v", name, kind, got.err)
			}
			if got.err != nil {
				wantCode(t, got.err, 403, "origin")
			}
		}
	}
}

func TestOriginsRefuseToStart(t *testing.T) {
	for _, entry := range []string{"", "*", "null", "shop.example", "https://", "https://*.shop.example", "https://shop.example/app",
		"https://shop.example?x", "https://shop.example#", "ftp://shop.example", "https://u@shop.example", "https://bücher.example", "https://shop.example:x"} {
		o, err := NewOrigins([]string{"https://shop.example", entry})
		if e, ok := errors.AsType[*SettingError](err); !ok || o != nil || e.Remedy == "" {
			t.Errorf("%q: %v", entry, err)
		}
	}
	if mustOrigins(t).Allowed("") {
		t.Error("an empty list allows something")
	}
}

func TestCORS(t *testing.T) {
	o := mustOrigins(t, "https://shop.example")
	served := 0
	h := o.CORS(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { served++; w.WriteHeader(200) }), fail)
	for name, c := range map[string]struct {
		method, origin, ask string
		status, served      int
		allow               string
	}{
		"a native app":          {"POST", "", "", 200, 1, ""},
		"a listed page":         {"POST", "https://shop.example", "", 200, 1, "https://shop.example"},
		"a preflight":           {"OPTIONS", "https://shop.example", "POST", 204, 0, "https://shop.example"},
		"OPTIONS by itself":     {"OPTIONS", "https://shop.example", "", 200, 1, "https://shop.example"},
		"a strange page":        {"POST", "https://evil.example", "", 403, 0, ""},
		"a strange preflight":   {"OPTIONS", "https://evil.example", "POST", 403, 0, ""},
		"a page without origin": {"POST", "null", "", 403, 0, ""},
	} {
		served = 0
		r := httptest.NewRequest(c.method, "/v1/prompts", nil)
		r.AddCookie(&http.Cookie{Name: "x", Value: "y"}) // the console's, from the same host: no matter here
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.ask != "" {
			r.Header.Set("Access-Control-Request-Method", c.ask)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := w.Header()
		if w.Code != c.status || served != c.served || got.Get("Access-Control-Allow-Origin") != c.allow {
			t.Errorf("%s: %d, served %d, allowed %q", name, w.Code, served, got.Get("Access-Control-Allow-Origin"))
		}
		if got.Get("Vary") != "Origin" || got.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: headers %v", name, got)
		}
		if c.status == 204 && got.Get("Access-Control-Allow-Headers") != corsHeaders {
			t.Errorf("%s: headers allowed: %q", name, got.Get("Access-Control-Allow-Headers"))
		}
	}
}
