// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestCredential(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		want    string
	}{
		"plain":          {[]string{"Bearer abc"}, "abc"},
		"small letters":  {[]string{"bearer abc"}, "abc"},
		"none":           {nil, ""},
		"another scheme": {[]string{"Stop abc"}, ""},
		"no scheme":      {[]string{"abc"}, ""},
		"no credential":  {[]string{"Bearer "}, ""},
		"two spaces":     {[]string{"Bearer  abc"}, ""},
		"two words":      {[]string{"Bearer abc def"}, ""},
		"a list":         {[]string{"Bearer abc,Bearer def"}, ""},
		"two headers":    {[]string{"Bearer abc", "Bearer abc"}, ""},
		"two schemes":    {[]string{"Bearer abc", "Stop def"}, ""},
		"far too long":   {[]string{"Bearer " + strings.Repeat("a", maxToken+1)}, ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Authorization"] = c.headers
		if got, ok := Credential(r, "Bearer"); got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v", name, got, ok)
		}
	}
}

func TestShopperEntry(t *testing.T) {
	w := newWorld(t)
	p := newPhone(t)
	limits, err := NewLimits(1, 3, w.Now)
	if err != nil {
		t.Fatal(err)
	}
	e := ShopperEntry{w.tokens, p.proofs, limits}
	raw := w.edited(nil, nil)
	r := ask(p.sign(p.header(), p.claims()))
	r.Header.Set("Authorization", "Bearer "+raw)
	_, _, err = e.Installation(r)
	wantCode(t, err, 401, "proof") // made for another token
	r = ask(p.sign(p.header(), p.claims().with(fields{"ath": athOf(raw)})))
	r.Header.Set("Authorization", "Bearer "+raw)
	s, installation, err := e.Installation(r)
	if err != nil || s.Subject != "s-1" || installation != Thumbprint(&p.key.PublicKey) {
		t.Fatalf("%+v, %q, %v", s, installation, err)
	}
	_, _, err = e.Installation(r)
	wantCode(t, err, 401, "proof") // used
	_, _, err = e.Installation(r)
	wantCode(t, err, 429, "rate")
	other := w.edited(nil, fields{"sub": "s-2"})
	r.Header.Set("Authorization", "Bearer "+other)
	if s, err := e.Shopper(r); err != nil || s.Subject != "s-2" {
		t.Fatalf("another shopper: %+v, %v", s, err)
	}
	r.Header.Set("Authorization", "DPoP "+raw)
	_, _, err = e.Installation(r)
	wantCode(t, err, 401, "token")
}

// TestStaffEntry: a cookie is good only from one of our pages; a bearer token needs no page.
func TestStaffEntry(t *testing.T) {
	w := newWorld(t)
	e := StaffEntry{w.tokens, NewCookies(true, nil, w.Now), mustOrigins(t, "https://desk.example")}
	signIn := httptest.NewRecorder()
	if err := e.Cookies.SignIn(signIn, httptest.NewRequest("POST", "/", nil), Staff{Shift: "x", Store: "a", ExpiresAt: w.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	token := "Bearer " + w.signer.sign(w.header, w.staff)
	h := func(pairs ...string) http.Header {
		out := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			out.Set(pairs[i], pairs[i+1])
		}
		return out
	}
	for name, c := range map[string]struct {
		method string
		cookie bool
		header http.Header
		shift  string // "" is refused with:
		code   string
	}{
		"nothing":                       {"GET", false, nil, "", "session"},
		"read from our page":            {"GET", true, h("Sec-Fetch-Site", "same-origin"), "x", ""},
		"read, origin named":            {"GET", true, h("Origin", "https://desk.example"), "x", ""},
		"read from a strange page":      {"GET", true, h("Sec-Fetch-Site", "cross-site"), "", "origin"},
		"read from a neighbour":         {"GET", true, h("Sec-Fetch-Site", "same-site"), "", "origin"},
		"read typed into the bar":       {"GET", true, h("Sec-Fetch-Site", "none"), "", "origin"},
		"read, nothing said":            {"GET", true, nil, "", "origin"},
		"read, strange origin":          {"GET", true, h("Origin", "https://evil.example", "Sec-Fetch-Site", "same-origin"), "", "origin"},
		"read, null origin":             {"GET", true, h("Origin", "null"), "", "origin"},
		"action":                        {"POST", true, h("Origin", "https://desk.example"), "x", ""},
		"action without origin":         {"POST", true, h("Sec-Fetch-Site", "same-origin"), "", "origin"},
		"socket":                        {"GET", true, h("Origin", "https://desk.example", "Upgrade", "websocket"), "x", ""},
		"socket without origin":         {"GET", true, h("Upgrade", "websocket", "Sec-Fetch-Site", "same-origin"), "", "origin"},
		"socket from a strange page":    {"GET", true, h("Origin", "https://evil.example", "Upgrade", "websocket"), "", "origin"},
		"token":                         {"POST", false, h("Authorization", token), "shift-1", ""},
		"token and cookie":              {"POST", true, h("Authorization", token), "shift-1", ""},
		"token from a strange page":     {"POST", false, h("Authorization", token, "Origin", "https://evil.example"), "", "origin"},
		"bad token and cookie":          {"GET", true, h("Authorization", "Bearer x", "Origin", "https://desk.example"), "", "token"},
		"another scheme and cookie":     {"GET", true, h("Authorization", "Basic eDp5", "Origin", "https://desk.example"), "", "token"},
		"a shopper's token at the desk": {"GET", true, h("Authorization", "Bearer "+w.edited(nil, nil)), "", "door"},
	} {
		r := httptest.NewRequest(c.method, "/v1/staff/me", nil)
		if c.cookie {
			r = browser(t, signIn, c.method, "/v1/staff/me")
		}
		for k, v := range c.header {
			r.Header[k] = v
		}
		s, session, err := e.Staff(r)
		if c.shift != "" && (err != nil || s.Shift != c.shift || (session != nil) != (c.shift == "x")) {
			t.Errorf("%s: %+v, session %v, %v", name, s, session != nil, err)
		}
		if c.shift == "" {
			if err == nil || s.Shift != "" || session != nil {
				t.Errorf("%s: let in as %+v", name, s)
				continue
			}
			if _, got := code(t, err); got != c.code {
				t.Errorf("%s: %s; want %s", name, got, c.code)
			}
		}
	}
}
