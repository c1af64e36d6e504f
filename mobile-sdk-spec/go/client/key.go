// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
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

// MarshalPEM writes the key for the app to keep. A phone's key never leaves its hardware; this is
// for servers, simulators and tests.
func (k *Key) MarshalPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, fmt.Errorf("client: write the installation's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// ParseKey reads what MarshalPEM wrote.
func ParseKey(text []byte) (*Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("client: not a PEM file; make a key with NewKey")
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("client: read the installation's key: %w", err)
	}
	private, ok := any.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errors.New("client: not a P-256 key; make one with NewKey")
	}
	return keyOf(private)
}

// proof signs one request, after RFC 9449. at is server time; target's query is left out.
func (k *Key) proof(method, target, token string, at time.Time) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", fmt.Errorf("client: the address cannot be read: %w", err)
	}
	u.RawQuery, u.Fragment = "", ""
	claims := jwt.MapClaims{"jti": newID(at), "htm": method, "htu": u.String(), "iat": at.Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	t := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	t.Header["typ"] = "dpop+jwt"
	t.Header["jwk"] = k.jwk
	return t.SignedString(k.private)
}

// newID is a UUID, version 7: 48 bits of time, then chance.
func newID(at time.Time) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
