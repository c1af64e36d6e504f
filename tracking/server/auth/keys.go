// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"doorstep/tracking/server/problem"
)

// ErrUnknownKey answers a key id that is not in the set.
var ErrUnknownKey = errors.New("no key of this id")

// Key is a public key with the one method it may verify.
type Key struct {
	Method string // ES256, EdDSA or RS256
	Public crypto.PublicKey
}

// Keys finds an issuer's keys by their id. Key answers ErrUnknownKey for an id that is not there;
// any other error means that the keys could not be had. It is safe for concurrent use.
type Keys interface {
	Key(ctx context.Context, kid string) (Key, error)
}

// KeySet is a set of keys that does not change.
type KeySet map[string]Key

// Key implements Keys.
func (s KeySet) Key(_ context.Context, kid string) (Key, error) {
	if k, ok := s[kid]; ok {
		return k, nil
	}
	return Key{}, ErrUnknownKey
}

// Bounds of a key set.
const (
	maxKeySet  = 256 << 10 // bytes
	maxKeys    = 64
	minRSABits = 2048
	maxRSABits = 8192 // more only costs time
)

// ParseKeySet reads a JWKS (RFC 7517). Keys that are for something else (encryption, another curve)
// are passed over; a key that is wrong for what it says it is, a secret in a set that should be
// public, two keys of one id, and a set without any usable key are errors. Certificates in it are
// never looked at, and nothing it points to is fetched.
func ParseKeySet(b []byte) (KeySet, error) {
	if len(b) > maxKeySet {
		return nil, errors.New("the key set is larger than 256 KiB")
	}
	var in jwkset.JWKSMarshal
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, errors.New("the key set is not a JWKS; expected {\"keys\":[…]}")
	}
	if len(in.Keys) > maxKeys {
		return nil, fmt.Errorf("the key set has %d keys; at most %d", len(in.Keys), maxKeys)
	}
	out := make(KeySet)
	for n, m := range in.Keys {
		k, use, err := readKey(m)
		if err != nil {
			return nil, fmt.Errorf("key %d of the set: %w", n, err)
		}
		if !use {
			continue
		}
		if _, twice := out[m.KID]; twice {
			return nil, fmt.Errorf("key %d of the set: its kid was given before", n)
		}
		out[m.KID] = k
	}
	if len(out) == 0 {
		return nil, errors.New("the key set has no usable key; it needs a kid and ES256 (P-256), EdDSA (Ed25519) or RS256 (2048 bits)")
	}
	return out, nil
}

// readKey turns one JWK into a key; use is false for one that is not for verifying here.
func readKey(m jwkset.JWKMarshal) (k Key, use bool, err error) {
	if m.D != "" || m.K != "" || m.P != "" || m.Q != "" {
		return k, false, errors.New("holds a private or a shared key; publish the public half only, and replace this one")
	}
	if m.KID == "" || len(m.KID) > maxText || (m.USE != "" && m.USE != jwkset.UseSig) {
		return k, false, nil
	}
	method := methodOf(m)
	if method == "" || (m.ALG != "" && m.ALG.String() != method) {
		return k, false, nil
	}
	// Only the numbers: no certificate, no address, no metadata for the library to follow.
	plain := jwkset.JWKMarshal{KTY: m.KTY, CRV: m.CRV, X: m.X, Y: m.Y, N: m.N, E: m.E}
	j, err := jwkset.NewJWKFromMarshal(plain, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return k, false, errors.New("its numbers are not a key")
	}
	if err := sound(j.Key()); err != nil {
		return k, false, err
	}
	return Key{method, j.Key()}, true, nil
}

func methodOf(m jwkset.JWKMarshal) string {
	switch {
	case m.KTY == jwkset.KtyEC && m.CRV == jwkset.CrvP256:
		return jwt.SigningMethodES256.Alg()
	case m.KTY == jwkset.KtyOKP && m.CRV == jwkset.CrvEd25519:
		return jwt.SigningMethodEdDSA.Alg()
	case m.KTY == jwkset.KtyRSA:
		return jwt.SigningMethodRS256.Alg()
	}
	return ""
}

func sound(key any) error {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return nil
		}
	case ed25519.PublicKey:
		return nil
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return fmt.Errorf("RSA of %d bits; use %d to %d", bits, minRSABits, maxRSABits)
		}
		if k.E%2 == 0 { // the library refuses 1
			return errors.New("RSA with an exponent that is not one; use 65537")
		}
		return nil
	}
	return errors.New("not a public key of a kind used here")
}

// keysUnavailable means that it cannot be said whether a token is good.
type keysUnavailable struct{ cause error }

func (e *keysUnavailable) Error() string { return "keys unavailable: " + e.cause.Error() }
func (e *keysUnavailable) Unwrap() error { return e.cause }
func (e *keysUnavailable) problem() error {
	return problem.New(problem.Unavailable).Because(e)
}
