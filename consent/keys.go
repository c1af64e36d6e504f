// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Keys are the ledger's secrets. They live in one file outside the database, so that a stolen
// database names nobody and a stolen key file holds nothing. The zero Keys is unusable. A Keys does
// not change: what rotates is the file, and a Ledger is given the new ones with UseKeys.
//
// Losing them cannot be repaired: without the ref key, no stop finds its scopes.
type Keys struct {
	ref       []byte       // identifiers to Refs; never rotated
	visit     []byte       // scopes and epochs to pseudonyms; never rotated
	signing   []signingKey // the one that signs, the one that comes next, then the retired ones; all are published
	log       []logKey     // of checkpoints, the newest first
	proofDays int          // the longest life that a receipt under these keys was given; 0 if none is known
}

// NewKeys makes fresh keys from the system's random source.
func NewKeys() Keys {
	now := time.Now()
	return Keys{
		ref: secret(), visit: secret(), log: []logKey{newLogKey(secret())},
		signing: []signingKey{newSigningKey(secret(), now), newSigningKey(secret(), now)},
	}
}

// secret is 32 random bytes.
func secret() []byte {
	b := make([]byte, 32)
	rand.Read(b) // never fails: it ends the process instead
	return b
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

// countMark is what Ledger.CountMark tells of.
func (k Keys) countMark(store, zone string, window time.Time, who Ref) string {
	return mac128(k.visit, fmt.Sprintf("count|%s|%s|%d|%s", store, zone, window.Unix(), who))
}

// Tickets is the key under which a ticket or a one-time code lies where nodes share it.
func (k Keys) Tickets() Secret { return k.shared("tickets") }

// SignIns is the key under which it lies who of the staff is signed in.
func (k Keys) SignIns() Secret { return k.shared("sign-ins") }

func (k Keys) shared(use string) Secret {
	s, err := SecretOf(derive(k.visit, use))
	if err != nil {
		panic("consent keys: a key of the wrong length was let in: " + err.Error())
	}
	return s
}

// stopToken is that of a decision on one served notice.
func (k Keys) stopToken(served, decision string) []byte {
	return mac(k.ref, "stop token|"+served+"|"+decision)
}

func mac128(key []byte, text string) string { return hex.EncodeToString(mac(key, text)[:16]) }

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// Fingerprint tells two key files apart without telling anything about them. No rotation changes it.
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

// JWKS is the public half of the signing keys as a JSON Web Key Set (RFC 7517, 8037): the current one, the
// next one, and every retired one that a receipt still needs.
func (k Keys) JWKS() []byte {
	set := jwks{Keys: []jwk{}}
	for _, s := range k.signing {
		set.Keys = append(set.Keys, jwk{Kty: "OKP", Crv: "Ed25519", Alg: "EdDSA", Use: "sig", Kid: s.kid, X: encodeX(s.public)})
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
