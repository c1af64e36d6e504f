// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"doorstep/tracking/server/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that moves only when it is told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// code renders an error as the server would and answers its status and code.
func code(t testing.TB, err error) (int, string) {
	t.Helper()
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		t.Fatalf("error %v is not a problem", err)
	}
	return p.Status, p.Code
}

func wantCode(t testing.TB, err error, status int, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted; want %d %s", status, want)
	}
	if s, c := code(t, err); s != status || c != want {
		t.Fatalf("got %d %s (%v); want %d %s", s, c, err, status, want)
	}
}

func body(err error) string {
	w := httptest.NewRecorder()
	problem.Write(w, problem.As(err), time.Unix(1, 0))
	return http.StatusText(w.Code) + w.Header().Get("WWW-Authenticate") + w.Body.String()
}

// signer is a party of a test: it signs whatever it is told to, well-formed or not.
type signer struct {
	t   testing.TB
	key *ecdsa.PrivateKey
	kid string
}

func newSigner(t testing.TB, kid string) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{t, key, kid}
}

func (s *signer) public() Key { return Key{"ES256", &s.key.PublicKey} }

// raw signs exactly these bytes of header and claims.
func (s *signer) raw(header, claims string) string {
	s.t.Helper()
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(claims))
	sig, err := jwt.SigningMethodES256.Sign(text, s.key)
	if err != nil {
		s.t.Fatal(err)
	}
	return text + "." + enc.EncodeToString(sig)
}

// fields is an object to edit: nil values are left out.
type fields map[string]any

func (f fields) with(edit fields) fields {
	out := make(fields, len(f)+len(edit))
	for k, v := range f {
		out[k] = v
	}
	for k, v := range edit {
		if v == nil {
			delete(out, k)
			continue
		}
		out[k] = v
	}
	return out
}

func (f fields) json(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (s *signer) sign(header, claims fields) string {
	s.t.Helper()
	return s.raw(header.json(s.t), claims.json(s.t))
}

const testIssuer = "https://login.shop.example"

// world is a verifier, its issuer's key, and good material to spoil.
type world struct {
	*clock
	signer *signer
	tokens *Tokens
	header fields
	shop   fields // a good shopper's claims
	staff  fields // a good shift's claims
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{clock: newClock(), signer: newSigner(t, "k1")}
	var err error
	w.tokens, err = NewTokens(Settings{Now: w.Now, Leeway: DefaultLeeway, Issuers: []Issuer{{
		Name: testIssuer, Methods: []string{"ES256", "EdDSA", "RS256"}, Doors: []Door{ShopperDoor, StaffDoor},
		Keys: KeySet{"k1": w.signer.public()}}}})
	if err != nil {
		t.Fatal(err)
	}
	now := w.Now().Unix()
	w.header = fields{"alg": "ES256", "kid": "k1", "typ": "JWT"}
	base := fields{"iss": testIssuer, "iat": now, "exp": now + 900}
	w.shop = base.with(fields{"aud": "doorstep:shopper", "sub": "s-1", "azp": "app-1", "age": "adult"})
	w.staff = base.with(fields{"aud": "doorstep:staff", "sub": "shift-1", "tag": "Mei", "role": "floor", "store": "a"})
	return w
}

// edited is a shopper's token with changes to header and claims.
func (w *world) edited(header, claims fields) string {
	return w.signer.sign(w.header.with(header), w.shop.with(claims))
}
