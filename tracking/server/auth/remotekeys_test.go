// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MicahParks/jwkset"
)

// jwksServer is an identity provider's key address, with a set that can be rotated.
type jwksServer struct {
	*httptest.Server
	asked atomic.Int64
	mu    sync.Mutex
	serve func(http.ResponseWriter)
}

func newJWKS(t *testing.T, signers ...*signer) *jwksServer {
	t.Helper()
	s := &jwksServer{}
	s.rotate(t, signers...)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.asked.Add(1)
		s.mu.Lock()
		serve := s.serve
		s.mu.Unlock()
		serve(w)
	}))
	t.Cleanup(func() { s.Client().CloseIdleConnections(); s.Close() })
	return s
}

func (s *jwksServer) answer(f func(http.ResponseWriter)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serve = f
}

func (s *jwksServer) rotate(t *testing.T, signers ...*signer) {
	t.Helper()
	b := jwksOf(t, signers...)
	s.answer(func(w http.ResponseWriter) { _, _ = w.Write(b) })
}

func jwksOf(t *testing.T, signers ...*signer) []byte {
	t.Helper()
	var set jwkset.JWKSMarshal
	for _, s := range signers {
		k, err := jwkset.NewJWKFromKey(&s.key.PublicKey, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: s.kid}})
		if err != nil {
			t.Fatal(err)
		}
		set.Keys = append(set.Keys, k.Marshal())
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func remoteWorld(t *testing.T) (*world, *jwksServer, *RemoteKeys) {
	t.Helper()
	w := newWorld(t)
	server := newJWKS(t, w.signer)
	keys, err := FetchKeys(t.Context(), server.URL, server.Client(), w.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(keys.Close)
	w.tokens, err = NewTokens(Settings{Now: w.Now, Leeway: DefaultLeeway, Issuers: []Issuer{{testIssuer, []string{"ES256"}, keys, []Door{ShopperDoor}}}})
	if err != nil {
		t.Fatal(err)
	}
	return w, server, keys
}

// TestRotationUnderFlood: while invented key ids come in without pause, the issuer is asked at most
// once in two seconds, and its new key works as soon as the next question is allowed.
func TestRotationUnderFlood(t *testing.T) {
	w, server, _ := remoteWorld(t)
	next := newSigner(t, "k2")
	fresh := next.sign(w.header.with(fields{"kid": "k2"}), w.shop)
	flood := func() {
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for n := range 50 {
					raw := w.edited(fields{"kid": fmt.Sprintf("made-up-%d-%d", g, n)}, nil)
					if _, err := w.tokens.Shopper(t.Context(), raw); err == nil {
						t.Error("an invented kid was accepted")
					}
				}
			})
		}
		all.Wait()
	}
	flood()
	server.rotate(t, w.signer, next)
	flood()
	if n := server.asked.Load(); n != 1 {
		t.Fatalf("asked %d times within the gap; want only the first", n)
	}
	w.Add(refetchGap)
	flood()
	if _, err := w.tokens.Shopper(t.Context(), fresh); err != nil {
		t.Fatalf("the new key, %v after the rotation: %v", refetchGap, err)
	}
	if _, err := w.tokens.Shopper(t.Context(), w.edited(nil, nil)); err != nil {
		t.Fatalf("the old key, still published: %v", err)
	}
	if n := server.asked.Load(); n != 2 {
		t.Fatalf("asked %d times in all; want 2", n)
	}
	if refetchGap+fetchTimeout > 5*time.Second {
		t.Fatal("the two bounds add up to more than 5 s")
	}
}

// transport is an issuer without a network, so that time can be the test's own.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRotationFromASlowIssuer is the worst case: the issuer takes its keys' whole time to answer,
// rotates just after it was asked, and invented ids never stop. The new key works within 5 s.
func TestRotationFromASlowIssuer(t *testing.T) {
	old, next := jwksOf(t, newSigner(t, "k1")), jwksOf(t, newSigner(t, "k2"))
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var rotated atomic.Bool
		var asked atomic.Int64
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			serves := old // what stands when the question arrives
			if rotated.Load() {
				serves = next
			}
			if asked.Add(1) > 1 {
				select {
				case <-time.After(fetchTimeout - time.Millisecond):
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}
			return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(serves)), Request: r}, nil
		})}
		keys, err := FetchKeys(ctx, "https://login.example/jwks", client, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(refetchGap)
		var all sync.WaitGroup
		for g := range 4 {
			all.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					if _, err := keys.Key(ctx, fmt.Sprintf("made-up-%d-%d", g, n)); err == nil {
						t.Error("an invented kid was found")
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		time.Sleep(2 * time.Millisecond) // the flood's question is under way
		rotated.Store(true)
		start := time.Now()
		for time.Since(start) < time.Minute {
			if _, err = keys.Key(ctx, "k2"); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(start); took > 5*time.Second || asked.Load() != 3 {
			t.Errorf("the new key works after %v and %d questions", took, asked.Load())
		}
		if _, err := keys.Key(ctx, "k1"); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("the key that was taken back: %v", err)
		}
		stop()
		keys.Close()
		all.Wait()
		synctest.Wait()
	})
}

// TestKeysGrowStale: a key that is no longer published works for five minutes more at most, and an
// issuer that is silent for an hour makes every answer "not now".
func TestKeysGrowStale(t *testing.T) {
	w, server, keys := remoteWorld(t)
	server.answer(func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
	w.Add(refreshEvery)
	if _, err := keys.Key(t.Context(), "k1"); err != nil {
		t.Fatalf("an old answer, the issuer out of reach: %v", err)
	}
	w.Add(keysStaleness)
	again := w.signer.sign(w.header, w.shop.with(fields{"iat": w.Now().Unix(), "exp": w.Now().Unix() + 60}))
	_, err := w.tokens.Shopper(t.Context(), again)
	wantCode(t, err, 503, "unavailable")
	server.rotate(t, w.signer)
	w.Add(refetchGap)
	if _, err := w.tokens.Shopper(t.Context(), again); err != nil {
		t.Fatalf("the issuer is back: %v", err)
	}
	server.rotate(t, newSigner(t, "k3"))
	w.Add(refreshEvery)
	<-keys.refresh()
	if _, err := keys.Key(t.Context(), "k1"); !errors.Is(err, ErrUnknownKey) {
		t.Fatalf("a key that was taken back: %v", err)
	}
}

// TestBadAnswersChangeNothing: whatever the address serves, the keys that are held stay.
func TestBadAnswersChangeNothing(t *testing.T) {
	w, server, keys := remoteWorld(t)
	others := jwksOf(t, newSigner(t, "k2"))
	for name, f := range map[string]func(http.ResponseWriter){
		"an error with keys": func(w http.ResponseWriter) { w.WriteHeader(500); _, _ = w.Write(others) },
		"an error":           func(w http.ResponseWriter) { w.WriteHeader(500) },
		"a page":             func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") },
		"an empty set":       func(w http.ResponseWriter) { fmt.Fprint(w, `{"keys":[]}`) },
		"too much":           func(w http.ResponseWriter) { fmt.Fprint(w, `{"keys":[`, strings.Repeat(" ", maxKeySet), `]}`) },
		"a redirection":      func(w http.ResponseWriter) { w.Header().Set("Location", "/x"); w.WriteHeader(302) },
	} {
		server.answer(f)
		before := server.asked.Load()
		w.Add(refetchGap)
		if _, err := keys.Key(t.Context(), "k2"); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("%s: %v", name, err)
		}
		if server.asked.Load() != before+1 {
			t.Errorf("%s: asked %d times", name, server.asked.Load()-before)
		}
		if _, err := keys.Key(t.Context(), "k1"); err != nil {
			t.Errorf("%s: the old key: %v", name, err)
		}
	}
}

func TestFetchKeysRefusesToStart(t *testing.T) {
	server := newJWKS(t, newSigner(t, "k1"))
	server.answer(func(w http.ResponseWriter) { w.WriteHeader(404) })
	for _, address := range []string{"", "keys.json", "http://login.example/jwks", "ftp://127.0.0.1/", "https://u:p@login.example/", "http://127.0.0.1.evil.example/", server.URL} {
		k, err := FetchKeys(t.Context(), address, server.Client(), time.Now)
		if err == nil || k != nil {
			t.Errorf("%q: started", address)
		}
		if _, setting := errors.AsType[*SettingError](err); setting == (address == server.URL) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestWaitingEndsWithTheRequest(t *testing.T) {
	w, server, keys := remoteWorld(t)
	hold := make(chan struct{})
	server.answer(func(http.ResponseWriter) { <-hold })
	defer close(hold)
	w.Add(refetchGap)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := keys.Key(ctx, "k2"); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	keys.Close()
}

func TestParseKeySet(t *testing.T) {
	s := newSigner(t, "k1")
	x, y := coordinates(s)
	ec := fields{"kty": "EC", "crv": "P-256", "kid": "k1", "x": x, "y": y}
	set := func(keys ...fields) string { return fields{"keys": keys}.json(t) }
	for name, c := range map[string]struct {
		text string
		n    int // usable keys; 0 is an error
	}{
		"one":                    {set(ec), 1},
		"two":                    {set(ec, ec.with(fields{"kid": "k2", "use": "sig", "alg": "ES256"})), 2},
		"for encryption":         {set(ec.with(fields{"use": "enc"})), 0},
		"for encryption, beside": {set(ec, ec.with(fields{"kid": "k2", "use": "enc"})), 1},
		"without a kid":          {set(ec.with(fields{"kid": nil})), 0},
		"another method":         {set(ec.with(fields{"alg": "ES384"})), 0},
		"HS256 said of it":       {set(ec.with(fields{"alg": "HS256"})), 0},
		"another curve":          {set(ec.with(fields{"crv": "P-384"})), 0},
		"the same kid twice":     {set(ec, ec), 0},
		"private":                {set(ec.with(fields{"d": x})), 0},
		"private, beside":        {set(ec, ec.with(fields{"kid": "k2", "d": x})), 0},
		"a shared secret":        {set(fields{"kty": "oct", "kid": "k1", "k": x}), 0},
		"off the curve":          {set(ec.with(fields{"y": x})), 0},
		"RSA of 512 bits":        {set(fields{"kty": "RSA", "kid": "r", "e": "AQAB", "n": strings.Repeat("v", 86)}), 0},
		"RSA, exponent 2":        {set(fields{"kty": "RSA", "kid": "r", "e": "Ag", "n": strings.Repeat("v", 342)}), 0},
		"RSA, exponent 1":        {set(fields{"kty": "RSA", "kid": "r", "e": "AQ", "n": strings.Repeat("v", 342)}), 0},
		"RSA":                    {set(fields{"kty": "RSA", "kid": "r", "e": "AQAB", "n": strings.Repeat("v", 342)}), 1},
		"not a set":              {`[]`, 0},
		"nothing":                {``, 0},
		"too large":              {strings.Repeat(" ", maxKeySet) + set(ec), 0},
	} {
		got, err := ParseKeySet([]byte(c.text))
		if len(got) != c.n || (err == nil) != (c.n > 0) {
			t.Errorf("%s: %d keys, %v", name, len(got), err)
		}
	}
}
