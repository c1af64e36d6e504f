// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// coordinates are a key's x and y as a JWK has them.
func coordinates(s *signer) (x, y string) {
	p, err := s.key.PublicKey.Bytes()
	if err != nil {
		s.t.Fatal(err)
	}
	enc := base64.RawURLEncoding
	return enc.EncodeToString(p[1:33]), enc.EncodeToString(p[33:])
}

const bearer = "the-token"

// phone makes proofs the way an SDK would.
type phone struct {
	*clock
	*signer
	proofs *Proofs
	n      int
}

func newPhone(t testing.TB, hosts ...string) *phone {
	t.Helper()
	p := &phone{clock: newClock(), signer: newSigner(t, "")}
	var err error
	if p.proofs, err = NewProofs(ProofSettings{Hosts: hosts, Now: p.Now}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *phone) header() fields {
	x, y := coordinates(p.signer)
	return fields{"typ": "dpop+jwt", "alg": "ES256", "jwk": fields{"kty": "EC", "crv": "P-256", "x": x, "y": y}}
}

func (p *phone) claims() fields {
	p.n++
	return fields{"jti": fmt.Sprint("j", p.n), "htm": "POST", "htu": "https://shop.example/v1/tickets",
		"iat": p.Now().Unix(), "ath": athOf(bearer)}
}

func athOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func ask(proof ...string) *http.Request {
	r := httptest.NewRequest("POST", "https://shop.example/v1/tickets", nil)
	r.Header["Dpop"] = proof
	return r
}

func TestProofGood(t *testing.T) {
	p := newPhone(t)
	for name, edit := range map[string]fields{
		"plain":             nil,
		"the port said":     {"htu": "https://shop.example:443/v1/tickets"},
		"http at a proxy":   {"htu": "http://shop.example/v1/tickets"},
		"host in capitals":  {"htu": "https://SHOP.example/v1/tickets"},
		"an unknown claim":  {"nonce": "n"},
		"the longest jti":   {"jti": strings.Repeat("j", maxJTI)},
		"fractional iat":    {"iat": float64(p.Now().Unix()) + 0.25},
		"a minute behind":   {"iat": p.Now().Unix() - 60},
		"a minute in front": {"iat": p.Now().Unix() + 60},
	} {
		got, err := p.proofs.VerifyRequest(ask(p.sign(p.header(), p.claims().with(edit))), bearer)
		if err != nil || got != Thumbprint(&p.key.PublicKey) || len(got) != 43 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	exported := p.header()["jwk"].(fields).with(fields{"ext": true, "key_ops": []string{"verify"}, "kid": "x"})
	got, err := p.proofs.VerifyRequest(ask(p.sign(p.header().with(fields{"jwk": exported}), p.claims())), bearer)
	if err != nil || got != Thumbprint(&p.key.PublicKey) {
		t.Errorf("a key as browsers export it: %q, %v", got, err)
	}
}

// TestThumbprintVector is the key of RFC 9449, section 4.1, with the thumbprint of its section 6.1.
func TestThumbprintVector(t *testing.T) {
	key, got, err := proofKey(map[string]any{"typ": "dpop+jwt", "jwk": map[string]any{"kty": "EC", "crv": "P-256",
		"x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}})
	if err != nil || got != "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" || Thumbprint(key) != got {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestProofBad(t *testing.T) {
	p := newPhone(t)
	other := newPhone(t)
	x, y := coordinates(p.signer)
	jwk := func(edit fields) fields {
		return p.header().with(fields{"jwk": p.header()["jwk"].(fields).with(edit)})
	}
	bad := map[string]string{
		"empty":                   "",
		"garbage":                 "a.b.c",
		"typ missing":             p.sign(p.header().with(fields{"typ": nil}), p.claims()),
		"typ JWT":                 p.sign(p.header().with(fields{"typ": "JWT"}), p.claims()),
		"alg none":                p.sign(p.header().with(fields{"alg": "none"}), p.claims()),
		"alg HS256":               p.sign(p.header().with(fields{"alg": "HS256"}), p.claims()),
		"alg ES384":               p.sign(p.header().with(fields{"alg": "ES384"}), p.claims()),
		"jwk missing":             p.sign(p.header().with(fields{"jwk": nil}), p.claims()),
		"jwk text":                p.sign(p.header().with(fields{"jwk": "k"}), p.claims()),
		"jwk of somebody else":    p.sign(other.header(), p.claims()),
		"jwk private":             p.sign(jwk(fields{"d": x}), p.claims()),
		"jwk RSA":                 p.sign(jwk(fields{"kty": "RSA"}), p.claims()),
		"jwk P-384":               p.sign(jwk(fields{"crv": "P-384"}), p.claims()),
		"jwk off the curve":       p.sign(jwk(fields{"y": x}), p.claims()),
		"jwk mirrored":            p.sign(jwk(fields{"x": y, "y": x}), p.claims()),
		"jwk at zero":             p.sign(jwk(fields{"x": strings.Repeat("A", 43), "y": strings.Repeat("A", 43)}), p.claims()),
		"jwk short":               p.sign(jwk(fields{"x": x[:42]}), p.claims()),
		"jwk long":                p.sign(jwk(fields{"x": "AA" + x}), p.claims()),
		"jwk padded":              p.sign(jwk(fields{"x": x + "="}), p.claims()),
		"jku too":                 p.sign(p.header().with(fields{"jku": "https://evil.example"}), p.claims()),
		"crit":                    p.sign(p.header().with(fields{"crit": []string{"jti"}}), p.claims()),
		"jti missing":             p.sign(p.header(), p.claims().with(fields{"jti": nil})),
		"jti empty":               p.sign(p.header(), p.claims().with(fields{"jti": ""})),
		"jti a number":            p.sign(p.header(), p.claims().with(fields{"jti": 1})),
		"jti too long":            p.sign(p.header(), p.claims().with(fields{"jti": strings.Repeat("j", maxJTI+1)})),
		"htm missing":             p.sign(p.header(), p.claims().with(fields{"htm": nil})),
		"htm another":             p.sign(p.header(), p.claims().with(fields{"htm": "GET"})),
		"htm in small letters":    p.sign(p.header(), p.claims().with(fields{"htm": "post"})),
		"htu missing":             p.sign(p.header(), p.claims().with(fields{"htu": nil})),
		"htu another path":        p.sign(p.header(), p.claims().with(fields{"htu": "https://shop.example/v1/decisions"})),
		"htu a longer path":       p.sign(p.header(), p.claims().with(fields{"htu": "https://shop.example/v1/tickets/"})),
		"htu another host":        p.sign(p.header(), p.claims().with(fields{"htu": "https://evil.example/v1/tickets"})),
		"htu a longer host":       p.sign(p.header(), p.claims().with(fields{"htu": "https://shop.example.evil/v1/tickets"})),
		"htu another port":        p.sign(p.header(), p.claims().with(fields{"htu": "https://shop.example:8443/v1/tickets"})),
		"htu with a user":         p.sign(p.header(), p.claims().with(fields{"htu": "https://u@shop.example/v1/tickets"})),
		"htu with a query":        p.sign(p.header(), p.claims().with(fields{"htu": "https://shop.example/v1/tickets?a=1"})),
		"htu with an empty query": p.sign(p.header(), p.claims().with(fields{"htu": "https://shop.example/v1/tickets?"})),
		"htu with a fragment":     p.sign(p.header(), p.claims().with(fields{"htu": "https://shop.example/v1/tickets#"})),
		"htu only a path":         p.sign(p.header(), p.claims().with(fields{"htu": "/v1/tickets"})),
		"htu another scheme":      p.sign(p.header(), p.claims().with(fields{"htu": "ws://shop.example/v1/tickets"})),
		"ath missing":             p.sign(p.header(), p.claims().with(fields{"ath": nil})),
		"ath of another token":    p.sign(p.header(), p.claims().with(fields{"ath": strings.Repeat("A", 43)})),
		"iat missing":             p.sign(p.header(), p.claims().with(fields{"iat": nil})),
		"iat a string":            p.sign(p.header(), p.claims().with(fields{"iat": "1800000000"})),
		"iat 1e308":               p.sign(p.header(), p.claims().with(fields{"iat": 1e308})),
		"a claim twice":           p.raw(p.header().json(t), `{"htm":"GET",`+p.claims().json(t)[1:]),
	}
	want := body(refuseProof("any"))
	for name, proof := range bad {
		t.Run(name, func(t *testing.T) {
			got, err := p.proofs.VerifyRequest(ask(proof), bearer)
			wantCode(t, err, 401, "proof")
			if got != "" || body(err) != want {
				t.Errorf("answered %q and %s", got, body(err))
			}
		})
	}
	good := func() string { return p.sign(p.header(), p.claims()) }
	_, err := p.proofs.VerifyRequest(ask(), bearer)
	wantCode(t, err, 401, "proof")
	_, err = p.proofs.VerifyRequest(ask(good(), good()), bearer)
	wantCode(t, err, 401, "proof")
	_, err = p.proofs.VerifyRequest(ask(good()), "another-token")
	wantCode(t, err, 401, "proof")
	_, err = p.proofs.VerifyRequest(ask(good()), "")
	wantCode(t, err, 401, "proof")
	if _, err = p.proofs.VerifyRequest(ask(good()), bearer); err != nil {
		t.Fatalf("and the good one: %v", err)
	}
}

// TestProofTime: ±60 s of server time to the millisecond, and off time is told apart so that a phone
// can mend its clock; only a proof that is otherwise good is told so.
func TestProofTime(t *testing.T) {
	for off, ok := range map[time.Duration]bool{
		60 * time.Second: true, 60*time.Second + time.Millisecond: false,
		-60 * time.Second: true, -60*time.Second - time.Millisecond: false,
	} {
		p := newPhone(t)
		proof := p.sign(p.header(), p.claims())
		spoilt := p.sign(p.header(), p.claims().with(fields{"htm": "GET"}))
		p.Add(off)
		_, err := p.proofs.VerifyRequest(ask(proof), bearer)
		if ok && err != nil {
			t.Errorf("%v off: %v", off, err)
		}
		if !ok {
			wantCode(t, err, 401, "proof_time")
			_, err = p.proofs.VerifyRequest(ask(spoilt), bearer)
			wantCode(t, err, 401, "proof")
		}
	}
}

func TestProofHosts(t *testing.T) {
	p := newPhone(t, "shop.example")
	evil := p.sign(p.header(), p.claims().with(fields{"htu": "https://evil.example/v1/tickets"}))
	r := ask(evil)
	r.Host = "evil.example" // passed on by a server that was given the proof
	_, err := p.proofs.VerifyRequest(r, bearer)
	wantCode(t, err, 401, "proof")
	r = ask(p.sign(p.header(), p.claims()))
	r.Host = "10.0.0.7:8080" // as a proxy inside calls it
	if _, err := p.proofs.VerifyRequest(r, bearer); err != nil {
		t.Fatalf("behind a proxy: %v", err)
	}
	for _, host := range []string{"", "https://shop.example", "shop.example/", "u@shop.example"} {
		if _, err := NewProofs(ProofSettings{Hosts: []string{host}, Now: time.Now}); err == nil {
			t.Errorf("host %q started", host)
		}
	}
	if _, err := NewProofs(ProofSettings{}); err == nil {
		t.Error("started without a clock")
	}
}

// TestProofOnce: whenever and however often a proof comes again, it was good once.
func TestProofOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPhone(t)
		sent := []string{}
		good := map[string]int{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			if len(sent) == 0 || rapid.Bool().Draw(rt, "new") {
				ahead := rapid.Int64Range(-60, 60).Draw(rt, "iat")
				sent = append(sent, p.sign(p.header(), p.claims().with(fields{"iat": p.Now().Unix() + ahead})))
			}
			proof := sent[rapid.IntRange(0, len(sent)-1).Draw(rt, "which")]
			if _, err := p.proofs.VerifyRequest(ask(proof), bearer); err == nil {
				if good[proof]++; good[proof] > 1 {
					rt.Fatalf("good twice")
				}
			}
			p.Add(time.Duration(rapid.Int64Range(0, 90_000).Draw(rt, "ms")) * time.Millisecond)
		}
		if len(good) == 0 {
			rt.Fatal("none was ever good")
		}
	})
}

// TestProofIsRememberedLongEnough: a proof dated a minute ahead could be good for two minutes. It is
// tried again all that time, while others keep the memory turning.
func TestProofIsRememberedLongEnough(t *testing.T) {
	p := newPhone(t)
	proof := p.sign(p.header(), p.claims().with(fields{"iat": p.Now().Unix() + 60}))
	if _, err := p.proofs.VerifyRequest(ask(proof), bearer); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		p.Add(10 * time.Second)
		if _, err := p.proofs.VerifyRequest(ask(p.sign(p.header(), p.claims())), bearer); err != nil {
			t.Fatal(err)
		}
		_, err := p.proofs.VerifyRequest(ask(proof), bearer)
		wantCode(t, err, 401, "proof")
	}
	p.Add(time.Millisecond)
	_, err := p.proofs.VerifyRequest(ask(proof), bearer)
	wantCode(t, err, 401, "proof_time")
}

func TestProofOneWinner(t *testing.T) {
	p := newPhone(t)
	proof := p.sign(p.header(), p.claims())
	var won atomic.Int64
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if _, err := p.proofs.VerifyRequest(ask(proof), bearer); err == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d winners", won.Load())
	}
}

// TestReplaysAreBounded: a full memory refuses, forgets nothing early, and has room again in time.
func TestReplaysAreBounded(t *testing.T) {
	c := newClock()
	s := newReplays(time.Minute, 3)
	for _, id := range []string{"a", "b", "c"} {
		if first, err := s.first("k", id, c.Now()); !first || err != nil {
			t.Fatal(first, err)
		}
	}
	if _, err := s.first("k", "d", c.Now()); err != ErrFull {
		t.Fatalf("a fourth: %v", err)
	}
	if first, _ := s.first("k", "a", c.Now()); first {
		t.Fatal("forgot a while full")
	}
	c.Add(time.Minute)
	if first, err := s.first("k", "d", c.Now()); !first || err != nil {
		t.Fatal("no room after a turn", err)
	}
	if first, _ := s.first("k", "a", c.Now()); first {
		t.Fatal("forgot a too early")
	}
	if len(s.young)+len(s.old) > 6 {
		t.Fatal("holds more than two generations")
	}
	c.Add(-time.Hour)
	if first, _ := s.first("k", "a", c.Now()); first {
		t.Fatal("a clock that jumps back made it forget")
	}
	c.Add(time.Minute)
	_, _ = s.first("k", "x", c.Now())
	c.Add(time.Minute)
	if first, _ := s.first("k", "a", c.Now()); !first {
		t.Fatal("never forgets")
	}
	if first, _ := s.first("k2", "a", c.Now()); !first {
		t.Fatal("one phone's jti counted for another")
	}
}
