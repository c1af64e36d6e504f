// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"doorstep/tracking/server/problem"
)

// Times and bounds of proofs.
const (
	ProofWindow = time.Minute // between the proof's iat and the server's time, either way
	maxProofs   = 500_000     // within two minutes, over 4,000 a second
	maxJTI      = 128         // bytes
	p256Bytes   = 32
)

// ProofSettings configure Proofs.
type ProofSettings struct {
	// Hosts are the public names (host, or host:port if the port is not the scheme's own) under which
	// phones reach this deployment. A proof made for another host is refused. Empty means whatever
	// Host the request claims, which is fit for loopback only: a proof that another server was given
	// could be passed on with that server's name.
	Hosts []string
	Now   func() time.Time
}

// Proofs verifies that a request comes from an installation, after DPoP (RFC 9449): a JWS in the
// header DPoP, signed with ES256 by the key that the app made when it was installed, over exactly
// this request and this bearer token. What a proof holds:
//
//	header  typ "dpop+jwt"   alg "ES256"   jwk {kty "EC", crv "P-256", x, y}
//	claims  jti 1–128 bytes, new each time   htm   htu without query   iat   ath base64url(SHA-256(token))
//
// A proof is good once, within a minute of its iat either way. It is remembered at this node; at
// another it could be replayed within that minute by someone who also holds the token. Safe for
// concurrent use.
type Proofs struct {
	hosts  map[string]bool
	now    func() time.Time
	used   *replays
	parser *jwt.Parser
}

// NewProofs returns a verifier; its error is a *SettingError.
func NewProofs(s ProofSettings) (*Proofs, error) {
	if s.Now == nil {
		return nil, &SettingError{"Now", "empty", "Give the server's clock."}
	}
	p := &Proofs{hosts: make(map[string]bool), now: s.Now, used: newReplays(2*ProofWindow+time.Second, maxProofs),
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"ES256"}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())}
	for _, h := range s.Hosts {
		if h == "" || strings.ContainsAny(h, "/@?# ") {
			return nil, &SettingError{"Hosts", "not a host", "Give names such as shop.example or shop.example:8443, without scheme or path."}
		}
		p.hosts[strings.ToLower(h)] = true
	}
	return p, nil
}

// VerifyRequest checks the request's proof for the given bearer token and returns the installation:
// the RFC 7638 thumbprint of its key, 43 characters of base64url. The error is a problem: proof
// (401) for whatever is wrong, proof_time (401) if only the time is, unavailable (503) if so many
// proofs were seen that a replay could not be told.
func (p *Proofs) VerifyRequest(r *http.Request, bearer string) (thumbprint string, err error) {
	headers := r.Header.Values("DPoP")
	if len(headers) != 1 || bearer == "" {
		return "", refuseProof("not exactly one proof, or no token")
	}
	raw := headers[0]
	c, err := openCompact(raw)
	if err != nil {
		return "", refuseProof(err.Error())
	}
	key, thumbprint, err := proofKey(c.header)
	if err != nil {
		return "", refuseProof(err.Error())
	}
	if _, err := p.parser.Parse(raw, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
		return "", refuseProof(ruleOf(err))
	}
	if err := p.covers(claims(c.claims), r, bearer); err != nil {
		return "", refuseProof(err.Error())
	}
	if err := p.once(claims(c.claims), thumbprint); err != nil {
		return "", err
	}
	return thumbprint, nil
}

// proofKey reads the key that the proof brings along, and names it. Only the numbers count: the
// thumbprint is of the canonical form, so one key has one name.
func proofKey(header map[string]any) (*ecdsa.PublicKey, string, error) {
	if typ, _ := header["typ"].(string); typ != "dpop+jwt" {
		return nil, "", errors.New("typ is not dpop+jwt")
	}
	jwk, _ := header["jwk"].(map[string]any)
	if jwk["kty"] != "EC" || jwk["crv"] != "P-256" {
		return nil, "", errors.New("jwk is not a P-256 key")
	}
	if _, there := jwk["d"]; there {
		return nil, "", errors.New("jwk holds a private key")
	}
	point := []byte{4} // uncompressed, SEC 1 section 2.3.3
	for _, name := range []string{"x", "y"} {
		s, _ := jwk[name].(string)
		b, err := decodePart(s)
		if err != nil || len(b) != p256Bytes {
			return nil, "", errors.New("jwk's coordinates are not 32 bytes")
		}
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, "", errors.New("jwk is not on the curve")
	}
	return key, Thumbprint(key), nil
}

// Thumbprint names a P-256 key as RFC 7638 does: base64url of the SHA-256 of its canonical JWK. It
// is the installation's id. A key of another curve has none and gives "".
func Thumbprint(key *ecdsa.PublicKey) string {
	point, err := key.Bytes()
	if err != nil || len(point) != 1+2*p256Bytes {
		return ""
	}
	enc := base64.RawURLEncoding
	x, y := enc.EncodeToString(point[1:1+p256Bytes]), enc.EncodeToString(point[1+p256Bytes:])
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`))
	return enc.EncodeToString(sum[:])
}

// covers checks that the proof is for this request and this token.
func (p *Proofs) covers(c claims, r *http.Request, bearer string) error {
	if htm, _ := c.text("htm", 16); htm != r.Method {
		return errors.New("htm is another method")
	}
	if !p.here(c, r) {
		return errors.New("htu is another address")
	}
	sum := sha256.Sum256([]byte(bearer))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	ath, _ := c.text("ath", 64)
	if subtle.ConstantTimeCompare([]byte(ath), []byte(want)) != 1 {
		return errors.New("ath is of another token")
	}
	if _, ok := c.text("jti", maxJTI); !ok {
		return errors.New("jti does not fit")
	}
	return nil
}

// here compares host and path; behind a proxy the scheme cannot be known, so any of the two will do.
func (p *Proofs) here(c claims, r *http.Request) bool {
	htu, _ := c.text("htu", 2048)
	u, err := url.Parse(htu)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil ||
		u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(htu, "#") {
		return false
	}
	if u.EscapedPath() != r.URL.EscapedPath() {
		return false
	}
	host := withoutOwnPort(u.Scheme, u.Host)
	if len(p.hosts) > 0 {
		return p.hosts[host]
	}
	return host != "" && host == withoutOwnPort(u.Scheme, r.Host)
}

func withoutOwnPort(scheme, host string) string {
	host = strings.ToLower(host)
	if scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// once is the last check, so that only a proof that is otherwise good can use up its jti.
func (p *Proofs) once(c claims, thumbprint string) error {
	now := p.now()
	iat, err := c.second("iat")
	if err != nil {
		return refuseProof(err.Error())
	}
	if off := now.Sub(time.Unix(iat, 0)); off > ProofWindow || off < -ProofWindow {
		return problem.New(problem.ProofTime).Because(&reasoned{ErrProof, "iat is too far from now"})
	}
	jti, _ := c.text("jti", maxJTI)
	first, err := p.used.first(thumbprint, jti, now)
	if err != nil {
		return problem.New(problem.Unavailable).Because(err)
	}
	if !first {
		return refuseProof("used before")
	}
	return nil
}
