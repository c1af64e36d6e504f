// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const jws = "aGVhZA.Ym9keQ.c2ln"

func confirmed(id any) string {
	return fmt.Sprintf(`{"id":%q,"receipt":%q,"change":7,"removed":{"nodes":2,"consoles":3,"ms":84}}`, id, jws)
}

func TestWithdrawIsRepeatedWithOneID(t *testing.T) {
	p := newPeer(t)
	ids := make(chan any, 3)
	var n atomic.Int32
	p.on("POST /v1/withdrawals", func(w http.ResponseWriter, r *http.Request) {
		body := p.read(r)
		ids <- body["id"]
		if n.Add(1) < 3 {
			p.problem(w, 503, "recorded_not_complete", 1)
			return
		}
		p.answer(w, confirmed(body["id"]))
	})
	var kept Withdrawal
	c := p.client(func(c *Config) { c.Persist = func(w Withdrawal) error { kept = w; return nil } })
	got, err := c.Withdraw(t.Context(), Withdrawal{Scope: "grant", Store: "s", Purpose: "assist"})
	if err != nil {
		t.Fatal(err)
	}
	if got.By != "http" || got.Change != 7 || got.Receipt != jws || got.Removed != (Removed{2, 3, 84}) {
		t.Errorf("got %+v", got)
	}
	for range 3 {
		if id := <-ids; id != kept.ID || id != got.ID {
			t.Errorf("id %v, kept %v, confirmed %v", id, kept.ID, got.ID)
		}
	}
	if kept.T == 0 {
		t.Error("kept without a time")
	}
}

func TestWithdrawTurnsLocationOffFirst(t *testing.T) {
	p := newPeer(t)
	release := make(chan struct{})
	p.on("POST /v1/withdrawals", func(w http.ResponseWriter, r *http.Request) {
		<-release
		p.answer(w, confirmed(p.read(r)["id"]))
	})
	p.script = func(c *conn) {
		f := c.next()
		if f["type"] != "withdraw" || f["scope"] != "store" {
			t.Errorf("got %v", f)
		}
		c.say(`{"type":"withdrawn","id":%q,"receipt":%q,"removed":{"nodes":1,"consoles":0,"ms":3}}`, f["id"], jws)
		c.end(4500)
	}
	c := p.client(func(c *Config) {
		c.Persist = func(Withdrawal) error { return nil }
	})
	s := p.connect(c)
	c.cfg.Persist = func(Withdrawal) error {
		if err := s.Fix(Fix{Lat: 54, Lng: 3, AccuracyM: 5}); !errors.Is(err, ErrStopped) {
			t.Errorf("a fix while it is being kept: %v", err)
		}
		return nil
	}
	got, err := c.Withdraw(t.Context(), Withdrawal{Scope: "store", Store: "s"})
	close(release)
	if err != nil || got.By != "socket" || got.Removed.MS != 3 {
		t.Errorf("got %+v, %v", got, err)
	}
	if end := closedOf(t, s); end.Code != 4500 || end.Restart != "decision" {
		t.Errorf("closed with %+v", end)
	}
}

func TestWithdrawLeavesOtherSessionsAlone(t *testing.T) {
	p := newPeer(t)
	p.on("POST /v1/withdrawals", func(w http.ResponseWriter, r *http.Request) { p.answer(w, confirmed(p.read(r)["id"])) })
	got := make(chan map[string]any, 1)
	p.script = func(c *conn) { got <- c.next(); c.drain() }
	c := p.client()
	s := p.connect(c)
	if _, err := c.Withdraw(t.Context(), Withdrawal{Scope: "grant", Store: "s", Purpose: "pickup"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Fix(Fix{Lat: 54, Lng: 3, AccuracyM: 5}); err != nil {
		t.Errorf("the other purpose was stopped: %v", err)
	}
	if f := <-got; f["type"] != "fix" {
		t.Errorf("got %v", f)
	}
}

func TestWithdrawWithoutATokenUsesTheStopToken(t *testing.T) {
	p := newPeer(t)
	got := make(chan string, 1)
	p.on("POST /v1/withdrawals", func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Authorization") + r.Header.Get("DPoP")
		p.answer(w, confirmed(p.read(r)["id"]))
	})
	c := p.client(func(c *Config) {
		c.Token = func(context.Context) (string, error) { return "", errors.New("signed out") }
	})
	c.stop["s assist"] = "c3RvcA"
	if _, err := c.Withdraw(t.Context(), Withdrawal{Scope: "grant", Store: "s", Purpose: "assist"}); err != nil {
		t.Fatal(err)
	}
	if h := <-got; h != "Stop c3RvcA" {
		t.Errorf("authorised by %q", h)
	}
}

// A token that the server does not take is asked for once more, and then the stop token is enough (W-5). It is the withdrawal's own after a restart.
func TestWithdrawWithATokenThatIsRefusedUsesTheStopToken(t *testing.T) {
	p := newPeer(t)
	var by []string
	p.on("POST /v1/withdrawals", func(w http.ResponseWriter, r *http.Request) {
		kind, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if by = append(by, kind); kind != "Stop" {
			p.problem(w, 401, "token", 0)
			return
		}
		if credential != "a2VwdA" {
			t.Errorf("stopped by %q", credential)
		}
		p.answer(w, confirmed(p.read(r)["id"]))
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // else it is repeated for ever
	defer cancel()
	if _, err := p.client().Withdraw(ctx, Withdrawal{Scope: "all", StopToken: "a2VwdA"}); err != nil {
		t.Error(err)
	}
	if !slices.Equal(by, []string{"Bearer", "Bearer", "Stop"}) {
		t.Errorf("authorised by %v", by)
	}
}

func TestWithdrawGivesUpOnlyWhenItMust(t *testing.T) {
	p := newPeer(t)
	p.on("POST /v1/withdrawals", func(w http.ResponseWriter, _ *http.Request) { p.problem(w, 422, "scope", 0) })
	c := p.client()
	var e *Problem
	if _, err := c.Withdraw(t.Context(), Withdrawal{Scope: "all"}); !errors.As(err, &e) || e.Code != "scope" {
		t.Errorf("got %v", err)
	}
	for _, w := range []Withdrawal{{Scope: "grant", Store: "s"}, {Scope: "store"}, {Scope: "everything"}} {
		if _, err := c.Withdraw(t.Context(), w); err == nil || errors.As(err, &e) && e.Code == "" {
			t.Errorf("%+v was sent: %v", w, err)
		}
	}
	p.on("POST /v1/withdrawals", func(w http.ResponseWriter, _ *http.Request) { p.problem(w, 503, "unavailable", 1) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Withdraw(ctx, Withdrawal{Scope: "all"}); err == nil {
		t.Error("an unconfirmed withdrawal was reported as done")
	}
}

// TestWithdrawWaitsBetweenAttempts measures the jittered waits without waiting for them.
func TestWithdrawWaitsBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		key, err := NewKey()
		if err != nil {
			t.Fatal(err)
		}
		refuse := roundTrip(func(*http.Request) (*http.Response, error) { n++; return nil, errors.New("no network") })
		c, err := New(Config{BaseURL: "http://doorstep.invalid", Installation: key, HTTP: &http.Client{Transport: refuse},
			Token: func(context.Context) (string, error) { return testToken, nil }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		if _, err := c.Withdraw(ctx, Withdrawal{Scope: "all"}); err == nil {
			t.Error("confirmed without a network")
		}
		// Waits are uniform up to 20 s, so that 30 minutes hold about 180.
		if n < 120 || n > 260 {
			t.Errorf("%d attempts in half an hour", n)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestProofIsForThisRequest(t *testing.T) {
	p := newPeer(t)
	p.on("GET /v1/me", func(w http.ResponseWriter, _ *http.Request) { p.answer(w, `{"grants":[],"may_prompt":true}`) })
	c := p.client()
	if _, err := c.Me(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	claims, header := readProof(t, p.proofs[0])
	sum := sha256.Sum256([]byte(testToken))
	want := map[string]any{"htm": "GET", "htu": p.server.URL + "/v1/me", "ath": base64.RawURLEncoding.EncodeToString(sum[:])}
	for name, v := range want {
		if claims[name] != v {
			t.Errorf("%s = %v, want %v", name, claims[name], v)
		}
	}
	if header["typ"] != "dpop+jwt" || header["alg"] != "ES256" {
		t.Errorf("header = %v", header)
	}
	jwk := header["jwk"].(map[string]any)
	raw, _ := json.Marshal(map[string]any{"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"], "y": jwk["y"]})
	print := sha256.Sum256(raw) // encoding/json sorts a map's names, as RFC 7638 wants
	if got := base64.RawURLEncoding.EncodeToString(print[:]); got != c.cfg.Installation.Thumbprint() {
		t.Errorf("thumbprint %s, want %s", c.cfg.Installation.Thumbprint(), got)
	}
	if _, private := jwk["d"]; private {
		t.Error("the proof gives the private key away")
	}
}

// readProof verifies a proof by the key in its own header.
func readProof(t *testing.T, proof string) (claims jwt.MapClaims, header map[string]any) {
	t.Helper()
	token, err := jwt.ParseWithClaims(proof, jwt.MapClaims{}, func(tok *jwt.Token) (any, error) {
		jwk := tok.Header["jwk"].(map[string]any)
		point := []byte{4} // uncompressed (SEC 1, section 2.3.3)
		for _, name := range []string{"x", "y"} {
			raw, err := base64.RawURLEncoding.DecodeString(jwk[name].(string))
			if err != nil || len(raw) != 32 {
				t.Fatalf("%s is not 32 bytes: %v", name, err)
			}
			point = append(point, raw...)
		}
		return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	}, jwt.WithValidMethods([]string{"ES256"}))
	if err != nil {
		t.Fatal(err)
	}
	return token.Claims.(jwt.MapClaims), token.Header
}

func TestAClockThatIsOffIsMendedAndTheProofSignedAgain(t *testing.T) {
	p := newPeer(t)
	p.now = func() time.Time { return time.Now().Add(-24 * time.Hour) }
	p.on("GET /v1/me", func(w http.ResponseWriter, r *http.Request) {
		claims, _ := readProof(p.t, r.Header.Get("DPoP"))
		if off := int64(claims["iat"].(float64)) - p.now().Unix(); off > 60 || off < -60 {
			p.problem(w, 401, "proof_time", 0)
			return
		}
		p.answer(w, `{"grants":[],"may_prompt":true}`)
	})
	if _, err := p.client().Me(t.Context(), "s"); err != nil {
		t.Error(err)
	}
	if len(p.proofs) != 2 {
		t.Errorf("%d proofs, want 2", len(p.proofs))
	}
}

func TestDecideSendsWhatWasShown(t *testing.T) {
	p := newPeer(t)
	prompt := Prompt{ServedID: "c2VydmVk", Purpose: "assist", Notice: Notice{Hash: strings.Repeat("a", 64)}, Title: "Help",
		Blocks: []Block{{Key: "who", Title: "Who", Text: "Us"}}, Choices: []Choice{{"visit", "This visit"}, {"no", "No"}}}
	prompt.Digest = prompt.Shown()
	var body map[string]any
	p.on("POST /v1/decisions", func(w http.ResponseWriter, r *http.Request) {
		body = p.read(r)
		p.answer(w, fmt.Sprintf(`{"record_id":"01890a5d-ac96-774b-bcce-b302099a8057","state":"given","receipt":%q,"stop_token":"c3RvcA"}`, jws))
	})
	c := p.client()
	got, err := c.Decide(t.Context(), "s", prompt, Answer{Choice: "visit", Control: "button"})
	if err != nil || got.State != "given" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if body["digest"] != prompt.Digest || body["control"] != "button" || body["served_id"] != "c2VydmVk" {
		t.Errorf("sent %v", body)
	}
	if c.stop["s assist"] != "c3RvcA" {
		t.Error("the stop token was not kept")
	}
	prompt.Blocks[0].Text = "Somebody else"
	if _, err := c.Decide(t.Context(), "s", prompt, Answer{Choice: "visit", Control: "button"}); !errors.Is(err, ErrShown) {
		t.Errorf("a changed notice: %v", err)
	}
}

func TestKeysAreKept(t *testing.T) {
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseKey(text)
	if err != nil || again.Thumbprint() != key.Thumbprint() {
		t.Errorf("%v: another key came back", err)
	}
	if _, err := ParseKey([]byte("none")); err == nil {
		t.Error("no key was read as one")
	}
}
