// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	spec "doorstep/mobile-sdk-spec"
)

// proof is a header of an installation's, made from SPEC.md, A-4, and by nothing of ours.
func (h *house) proof(key *ecdsa.PrivateKey, method, url, token string) string {
	h.Helper()
	point, err := key.PublicKey.Bytes()
	h.ok(err)
	part := base64.RawURLEncoding.EncodeToString
	ath := sha256.Sum256([]byte(token))
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"jti": uuid.NewString(), "htm": method, "htu": url, "iat": time.Now().Unix(), "ath": part(ath[:])})
	t.Header["typ"] = "dpop+jwt"
	t.Header["jwk"] = map[string]string{"kty": "EC", "crv": "P-256", "x": part(point[1:33]), "y": part(point[33:])}
	text, err := t.SignedString(key)
	h.ok(err)
	return text
}

func (h *house) newKey() *ecdsa.PrivateKey {
	h.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	h.ok(err)
	return key
}

// wallet has a credential of each kind for one request, carried as OpenAPI says.
type wallet struct {
	h       *house
	schemes map[string]spec.Scheme
}

// with is what a request carries that has these credentials.
func (w wallet) with(method, path string, names []string) http.Header {
	w.h.Helper()
	header := w.h.page("")
	shopper := strings.TrimPrefix(w.h.bearer(uuid.NewString()).Get("Authorization"), "Bearer ")
	secrets := map[string]func() string{
		"shopper":      func() string { return shopper },
		"installation": func() string { return w.h.proof(w.h.newKey(), method, w.h.url+path, shopper) },
		"stopToken": func() string {
			d, err := w.h.decide(w.h.app(uuid.NewString(), w.h.web, nil), "term")
			w.h.ok(err)
			return "Stop " + d.StopToken
		},
		"ticket":      func() string { return "Ticket " + w.h.granted(uuid.NewString(), 10*time.Minute).ticket() },
		"staffCookie": func() string { _, value, _ := strings.Cut(w.h.signIn(time.Now().Add(time.Hour)), "="); return value },
		"deviceCookie": func() string {
			d := tablet{house: w.h, cookies: map[string]string{}}
			d.does(w.h.server.Handler(), "POST", "/v1/staff/session", `{"code":"`+w.h.codeFor(w.h.staff("kim", time.Hour))+`","shared":true}`, "")
			return d.cookies["doorstep-device"]
		},
		"staffToken": func() string { return strings.TrimPrefix(w.h.staff("desk", time.Hour).Get("Authorization"), "Bearer ") },
		"adminToken": func() string { return strings.TrimPrefix(w.h.operator("ana").Get("Authorization"), "Bearer ") },
	}
	for _, name := range names {
		secret, ok := secrets[name]
		if !ok {
			w.h.Fatalf("there is no credential %q", name)
		}
		switch s := w.schemes[name]; {
		case s.Type == "http" && s.Scheme == "bearer":
			header.Set("Authorization", "Bearer "+secret())
		case s.Type == "apiKey" && s.In == "header":
			header.Set(s.Name, secret())
		case s.Type == "apiKey" && s.In == "cookie": // a browser keeps __Host- to https
			header.Set("Cookie", strings.TrimPrefix(s.Name, "__Host-")+"="+secret())
		default:
			w.h.Fatalf("%s is carried in no way that there is: %+v", name, s)
		}
	}
	return header
}

// carried are the sets of credentials that a request may come with.
var carried = [][]string{{}, {"shopper"}, {"shopper", "installation"}, {"stopToken"}, {"ticket"}, {"staffCookie"}, {"deviceCookie"}, {"staffToken"}, {"adminToken"}}

// takes reports whether an operation is documented to be content with these.
func takes(o spec.Operation, names []string) bool {
	return len(o.Takes) == 0 || slices.ContainsFunc(o.Takes, func(set []string) bool {
		return !slices.ContainsFunc(set, func(name string) bool { return !slices.Contains(names, name) })
	})
}

// What is documented to take a credential takes it, carried as it is documented, and no other; and what is documented as public refuses
// nobody. But for a sign-in and a made-up shopper, whose code is in the body, and for signing out, which is done if there is nothing to do.
func TestWhatTakesACredentialIsDocumented(t *testing.T) {
	h := newHouse(t)
	h.attended()
	operations, err := spec.Operations()
	h.ok(err)
	schemes, err := spec.Schemes()
	h.ok(err)
	if len(operations) < 50 || len(schemes) != 8 {
		t.Fatal(len(operations), len(schemes))
	}
	w := wallet{h, schemes}
	otherwise := map[string]bool{"POST /v1/staff/session": true, "POST /v1/demo/shopper": true, "DELETE /v1/staff/session": true}
	// Of a device that several people share: who is not at one, or names nobody at it, is told the same.
	shared := map[string]bool{"POST /v1/staff/session/lock": true, "POST /v1/staff/session/unlock": true}
	used := map[string]bool{}
	for _, o := range operations {
		name := o.Method + " " + o.Template
		for _, set := range o.Takes {
			for _, scheme := range set {
				used[scheme] = true
			}
		}
		if o.Socket || otherwise[name] {
			continue
		}
		path := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(o.Template, "x")
		body := ""
		if o.Method == http.MethodPost || o.Method == http.MethodPut {
			body = "{}"
		}
		for _, names := range carried {
			if len(o.Takes) == 0 && len(names) > 0 || shared[name] && takes(o, names) {
				continue // what is for everybody may be kept, whoever asks
			}
			status, code := h.request(o.Method, path, body, w.with(o.Method, path, names))
			if refused := status == http.StatusUnauthorized || code == "door"; refused == takes(o, names) {
				t.Errorf("%s with %v: %d %s; documented is %v", name, names, status, code, o.Takes)
			}
		}
	}
	if got := slices.Sorted(maps.Keys(used)); len(got) != len(schemes) {
		t.Errorf("there are %d credentials, and used are %v", len(schemes), got)
	}
}

// opens reports whether a socket says welcome to a hello, and else the answer's status or what it was closed with.
func (h *house) opens(path, protocol string, header http.Header) (welcome bool, status, code int) {
	h.Helper()
	d := websocket.Dialer{Subprotocols: []string{protocol}, HandshakeTimeout: time.Minute, NetDialContext: h.dial}
	conn, res, err := d.DialContext(h.Context(), "ws"+strings.TrimPrefix(h.url, "http")+path, header)
	if err != nil {
		if res == nil {
			h.Fatal(err)
		}
		return false, res.StatusCode, 0
	}
	defer func() { _ = conn.Close() }()
	hello := map[string]any{"type": "hello", "since": 0}
	if path == appSocket {
		hello = map[string]any{"type": "hello", "t": time.Now().UnixMilli(), "sdk": "test/1.0.0", "lang": "en", "fence": h.index.Site().Version}
	}
	_ = conn.WriteJSON(hello) // to one that closes it is no use, and nothing to wonder at
	for {
		var f struct{ Type string }
		err := conn.ReadJSON(&f)
		if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
			return false, res.StatusCode, closed.Code
		}
		h.ok(err)
		if f.Type == "welcome" {
			return true, res.StatusCode, 0
		}
	}
}

const appSocket = "/v1/session"

// The sockets too. An app's is opened to whoever comes, since a browser sees nothing else, and says by its code that it takes a ticket.
func TestWhatOpensASocketIsDocumented(t *testing.T) {
	h := newHouse(t)
	h.attended()
	operations, err := spec.Operations()
	h.ok(err)
	schemes, err := spec.Schemes()
	h.ok(err)
	w, sockets := wallet{h, schemes}, 0
	for _, o := range operations {
		if !o.Socket {
			continue
		}
		sockets++
		app := o.Template == appSocket
		protocol := map[bool]string{true: "doorstep.v1", false: "doorstep.staff.v1"}[app]
		for _, names := range carried {
			welcome, status, code := h.opens(o.Template, protocol, w.with(o.Method, o.Template, names))
			if opened := app || welcome; opened != takes(o, names) || opened != (status == http.StatusSwitchingProtocols) {
				t.Errorf("%s with %v: %d, closed with %d; documented is %v", o.Template, names, status, code, o.Takes)
			}
			if app && (welcome != slices.Equal(names, []string{"ticket"}) || !welcome && code != 4502) {
				t.Errorf("%s with %v: welcome %v, closed with %d", o.Template, names, welcome, code)
			}
		}
	}
	if sockets != 2 {
		t.Errorf("%d sockets", sockets)
	}
}
