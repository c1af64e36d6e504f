// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/renameio/v2"
)

// Keys are the ledger's secrets. They live in one file outside the database, so that a stolen
// database names nobody and a stolen key file holds nothing. The zero Keys is unusable.
//
// Losing them cannot be repaired: without the ref key, no stop finds its scopes.
type Keys struct {
	ref     []byte       // identifiers to Refs
	visit   []byte       // scopes and epochs to pseudonyms
	signing []signingKey // the first signs; all are published
}

type signingKey struct {
	kid     string
	private ed25519.PrivateKey
}

// keyFile is the JSON form; byte slices are base64.
type keyFile struct {
	Version int      `json:"version"`
	Ref     []byte   `json:"ref"`
	Visit   []byte   `json:"visit"`
	Signing [][]byte `json:"signing"` // Ed25519 seeds, the signing one first, then retired and coming ones
}

const keyFileVersion = 1

// NewKeys makes fresh keys from the system's random source.
func NewKeys() Keys {
	secret := func() []byte {
		b := make([]byte, 32)
		rand.Read(b) // never fails: it ends the process instead
		return b
	}
	return Keys{ref: secret(), visit: secret(), signing: []signingKey{newSigningKey(secret())}}
}

// LoadKeys reads a key file. It refuses one that others may read.
func LoadKeys(path string) (Keys, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Keys{}, fmt.Errorf("consent keys: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Keys{}, fmt.Errorf("consent keys: %s can be read by others (%v): chmod 600 it", path, info.Mode().Perm())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Keys{}, fmt.Errorf("consent keys: %w", err)
	}
	k, err := parseKeys(data)
	if err != nil {
		return Keys{}, fmt.Errorf("consent keys: %s: %w", path, err)
	}
	return k, nil
}

// LoadOrCreateKeys reads the key file, or writes a fresh one if there is none. A ledger that was
// written under other keys is then refused by Ledger.Bind.
func LoadOrCreateKeys(path string) (Keys, error) {
	k, err := LoadKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	k = NewKeys()
	return k, k.Save(path)
}

// Save writes the key file: whole or not at all, mode 0600.
func (k Keys) Save(path string) error {
	f := keyFile{Version: keyFileVersion, Ref: k.ref, Visit: k.visit}
	for _, s := range k.signing {
		f.Signing = append(f.Signing, s.private.Seed())
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("consent keys: %w", err)
	}
	if err := renameio.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("consent keys: %w", err)
	}
	return nil
}

func parseKeys(data []byte) (Keys, error) {
	var f keyFile
	if err := json.Unmarshal(data, &f); err != nil {
		return Keys{}, fmt.Errorf("%w: restore the file from its backup", err)
	}
	if f.Version != keyFileVersion {
		return Keys{}, fmt.Errorf("version %d is not known: use the program that wrote it", f.Version)
	}
	if len(f.Ref) != 32 || len(f.Visit) != 32 || len(f.Signing) == 0 {
		return Keys{}, errors.New("a key is missing or not 32 bytes long: restore the file from its backup")
	}
	k := Keys{ref: f.Ref, visit: f.Visit}
	for i, seed := range f.Signing {
		if len(seed) != ed25519.SeedSize {
			return Keys{}, fmt.Errorf("signing key %d is not %d bytes long: restore the file from its backup", i, ed25519.SeedSize)
		}
		k.signing = append(k.signing, newSigningKey(seed))
	}
	return k, nil
}

// newSigningKey names the key by its RFC 7638 thumbprint.
func newSigningKey(seed []byte) signingKey {
	private := ed25519.NewKeyFromSeed(seed)
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"Ed25519","kty":"OKP","x":"%s"}`, publicX(private)))
	return signingKey{kid: base64.RawURLEncoding.EncodeToString(sum[:]), private: private}
}

func publicX(k ed25519.PrivateKey) string {
	return base64.RawURLEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
}

// Rotated returns the keys with a fresh signing key in front. The former ones stay published, since
// receipts need them.
func (k Keys) Rotated() Keys {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	k.signing = append([]signingKey{newSigningKey(seed)}, k.signing...)
	return k
}

// Subject is the Ref of a shopper: the sub of the retailer's token.
func (k Keys) Subject(sub string) Ref { return k.makeRef("subject", sub) }

// Installation is the Ref of an app on a phone: the RFC 7638 thumbprint of its own key.
func (k Keys) Installation(thumbprint string) Ref { return k.makeRef("installation", thumbprint) }

// Shift is the Ref of a person of the staff for as long as the id given: the shift pseudonym.
func (k Keys) Shift(id string) Ref { return k.makeRef("shift", id) }

func (k Keys) makeRef(kind, id string) Ref { return Ref(mac128(k.ref, kind+"|"+id)) }

// Visit is the pseudonym of one epoch of a scope: 32 hex digits, and all of a visit that leaves
// the ledger. It is written nowhere from which the shopper could be told without the database.
func (k Keys) Visit(s Scope, epoch int64) string {
	return mac128(k.visit, string(s.Installation)+"|"+s.Store+"|"+strconv.FormatInt(epoch, 10))
}

func mac128(key []byte, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// Fingerprint tells two key files apart without telling anything about them.
func (k Keys) Fingerprint() string {
	return mac128(k.ref, "fingerprint|"+mac128(k.visit, "fingerprint"))
}

// Sign makes a compact JWS (EdDSA) with the current signing key. typ becomes the header's typ.
func (k Keys) Sign(typ string, claims jwt.Claims) (string, error) {
	if len(k.signing) == 0 {
		return "", errors.New("consent keys: no signing key: load or make keys first")
	}
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	t.Header["typ"], t.Header["kid"] = typ, k.signing[0].kid
	return t.SignedString(k.signing[0].private)
}

// JWKS is the public half of the signing keys as a JSON Web Key Set (RFC 7517, 8037).
func (k Keys) JWKS() []byte {
	set := jwks{Keys: []jwk{}}
	for _, s := range k.signing {
		set.Keys = append(set.Keys, jwk{Kty: "OKP", Crv: "Ed25519", Alg: "EdDSA", Use: "sig", Kid: s.kid, X: publicX(s.private)})
	}
	data, err := json.Marshal(set)
	if err != nil {
		panic("consent keys: strings that JSON cannot hold: " + err.Error())
	}
	return data
}

type jwks struct {
	Keys []jwk `json:"keys"`
}

type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	Alg string `json:"alg"`
	Use string `json:"use"`
	Kid string `json:"kid"`
	X   string `json:"x"`
}

// Format keeps secrets out of every print, whatever the verb.
func (Keys) Format(f fmt.State, _ rune) { fmt.Fprint(f, "consent.Keys(secret)") }
