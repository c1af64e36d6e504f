// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Key is an installation's own key, P-256. A phone keeps it in its secure hardware.
type Key struct {
	private *ecdsa.PrivateKey
	jwk     publicJWK
}

// publicJWK has its members in the order that RFC 7638 hashes them in.
type publicJWK struct {
	Crv string `json:"crv"`
	Kty string `json:"kty"`
	X   string `json:"x"`
	Y   string `json:"y"`
}

// NewKey makes a key, once per installation.
func NewKey() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("client: make the installation's key: %w", err)
	}
	return keyOf(private)
}

func keyOf(private *ecdsa.PrivateKey) (*Key, error) {
	point, err := private.PublicKey.Bytes() // 0x04, then x and y of 32 bytes each
	if err != nil {
		return nil, fmt.Errorf("client: read the installation's key: %w", err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return &Key{private: private, jwk: publicJWK{Crv: "P-256", Kty: "EC", X: b64(point[1:33]), Y: b64(point[33:])}}, nil
}

// Thumbprint is the installation's id: the RFC 7638 thumbprint of the public key.
func (k *Key) Thumbprint() string {
	raw, err := json.Marshal(k.jwk)
	if err != nil {
		return "" // four strings always marshal
	}
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// proof signs one request, after RFC 9449. at is server time; target's query is left out.
func (k *Key) proof(method, target, token string, at time.Time) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", fmt.Errorf("client: the address cannot be read: %w", err)
	}
	u.RawQuery, u.Fragment = "", ""
	claims := jwt.MapClaims{"jti": newID(), "htm": method, "htu": u.String(), "iat": at.Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	t := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	t.Header["typ"] = "dpop+jwt"
	t.Header["jwk"] = k.jwk
	return t.SignedString(k.private)
}

// newID is a random UUID, version 4.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
