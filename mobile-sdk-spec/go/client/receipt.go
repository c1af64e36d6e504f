// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// Verdict is what published keys say of a receipt's signature.
type Verdict string

// The verdicts.
const (
	Valid      Verdict = "valid"
	Invalid    Verdict = "invalid"     // it was changed, or forged
	UnknownKey Verdict = "unknown_key" // fetch the keys again
	Malformed  Verdict = "malformed"   // no receipt at all
)

// CheckReceipt checks the signature of a receipt or of a proof, a compact JWS, against a JSON Web Key Set
// from /.well-known/jwks.json, offline. What it claims is worth something only when the verdict is Valid.
func CheckReceipt(jws string, jwks []byte) (verdict Verdict, claims json.RawMessage) {
	part := strings.Split(jws, ".")
	if len(part) != 3 {
		return Malformed, nil
	}
	var raw [3][]byte
	for i, p := range part {
		b, err := base64.RawURLEncoding.Strict().DecodeString(p)
		if err != nil {
			return Malformed, nil
		}
		raw[i] = b
	}
	var head struct {
		Alg, Kid string
		Crit     json.RawMessage
	}
	if json.Unmarshal(raw[0], &head) != nil || !json.Valid(raw[1]) {
		return Malformed, nil
	}
	if head.Alg != "EdDSA" || head.Crit != nil {
		return Invalid, raw[1]
	}
	key := publicKey(jwks, head.Kid)
	switch {
	case key == nil:
		return UnknownKey, raw[1]
	case !ed25519.Verify(key, []byte(part[0]+"."+part[1]), raw[2]):
		return Invalid, raw[1]
	}
	return Valid, raw[1]
}

// publicKey finds an Ed25519 key by its kid; nil if there is none.
func publicKey(jwks []byte, kid string) ed25519.PublicKey {
	var set struct {
		Keys []struct{ Kty, Crv, Kid, X string }
	}
	if json.Unmarshal(jwks, &set) != nil {
		return nil
	}
	for _, k := range set.Keys {
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if k.Kid == kid && k.Kty == "OKP" && k.Crv == "Ed25519" && err == nil && len(x) == ed25519.PublicKeySize {
			return x
		}
	}
	return nil
}
