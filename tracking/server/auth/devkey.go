// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/renameio/v2"
)

// DevIssuer is the iss of tokens that the server mints itself, for development and demonstrations.
// The name can never be anybody's host (RFC 2606).
const DevIssuer = "https://doorstep.invalid"

const devKeyBlock = "PRIVATE KEY" // PKCS #8

// DevKey mints tokens in place of a retailer's backend. Whoever holds it can be anybody: a server
// with real shoppers has none.
type DevKey struct {
	Now func() time.Time // time.Now, unless a test sets it before use

	key *ecdsa.PrivateKey
	kid string
}

// NewDevKey makes a fresh ES256 key.
func NewDevKey() (*DevKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a development key: %w", err)
	}
	return devKey(key), nil
}

func devKey(key *ecdsa.PrivateKey) *DevKey {
	return &DevKey{Now: time.Now, key: key, kid: "dev-" + Thumbprint(&key.PublicKey)[:16]}
}

// LoadDevKey reads a key that Save wrote. A file that others may read is refused; a missing one
// gives fs.ErrNotExist.
func LoadDevKey(path string) (*DevKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("development key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("development key: mode %v lets others read it; chmod 600 it, or remove it to have a new one", info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("development key: %w", err)
	}
	block, rest := pem.Decode(b)
	if block == nil || block.Type != devKeyBlock || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("development key: not one PEM block of a private key; remove the file to have a new one")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("development key: not a P-256 key; remove the file to have a new one")
	}
	return devKey(key), nil
}

// OpenDevKey loads the key at path, or makes one and saves it there.
func OpenDevKey(path string) (*DevKey, error) {
	k, err := LoadDevKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if k, err = NewDevKey(); err != nil {
		return nil, err
	}
	return k, k.Save(path)
}

// Save writes the key, readable to its owner only, in one step.
func (k *DevKey) Save(path string) error {
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		return fmt.Errorf("save the development key: %w", err)
	}
	b := pem.EncodeToMemory(&pem.Block{Type: devKeyBlock, Bytes: der})
	if err := renameio.WriteFile(path, b, 0o600, renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("save the development key: %w", err)
	}
	return nil
}

// Keys is the public half, for verifying.
func (k *DevKey) Keys() KeySet {
	return KeySet{k.kid: {jwt.SigningMethodES256.Alg(), &k.key.PublicKey}}
}

// Issuer is the key as an issuer of tokens for all doors.
func (k *DevKey) Issuer() Issuer {
	return Issuer{DevIssuer, []string{jwt.SigningMethodES256.Alg()}, k.Keys(), []Door{ShopperDoor, StaffDoor, AdminDoor}}
}

// MintShopper returns a shopper's token. An empty age leaves the band out. A ttl above ShopperLife
// makes a token that is refused.
func (k *DevKey) MintShopper(sub, app, age string, ttl time.Duration) (string, error) {
	c := jwt.MapClaims{"sub": sub, "azp": app}
	if age != "" {
		c["age"] = age
	}
	return k.mint(ShopperDoor, c, ttl)
}

// MintStaff returns a token for a shift at a store, which is there for the purposes, or for every one if none is named.
func (k *DevKey) MintStaff(shift, tag, role, store string, ttl time.Duration, purposes ...string) (string, error) {
	c := jwt.MapClaims{"sub": shift, "tag": tag, "role": role, "store": store}
	if len(purposes) > 0 {
		c["purposes"] = purposes
	}
	return k.mint(StaffDoor, c, ttl)
}

// MintAdmin returns an operator's token.
func (k *DevKey) MintAdmin(sub string, ttl time.Duration) (string, error) {
	return k.mint(AdminDoor, jwt.MapClaims{"sub": sub}, ttl)
}

func (k *DevKey) mint(door Door, c jwt.MapClaims, ttl time.Duration) (string, error) {
	now := k.Now()
	c["iss"], c["aud"] = DevIssuer, string(door)
	c["iat"], c["exp"] = now.Unix(), now.Add(ttl).Unix()
	t := jwt.NewWithClaims(jwt.SigningMethodES256, c)
	t.Header["kid"] = k.kid
	return t.SignedString(k.key)
}
