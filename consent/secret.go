// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// Secret is a key of 256 bits that can be destroyed. With it, ids are marked so that they can be compared,
// and text is sealed so that it can be read again; once every copy of the key is gone, what it made
// says nothing. It is safe for concurrent use.
type Secret struct {
	mark []byte
	aead cipher.AEAD
}

const secretBytes = 32

// ErrSealed is why a text cannot be opened: another key, another place, or damage.
var ErrSealed = errors.New("the text was sealed under another key or for another place, or is damaged")

// SecretOf derives what a key of 32 bytes does. Marks and seals have keys of their own.
func SecretOf(key []byte) (Secret, error) {
	if len(key) != secretBytes {
		return Secret{}, fmt.Errorf("a secret has %d bytes, not %d", secretBytes, len(key))
	}
	block, err := aes.NewCipher(derive(key, "seal"))
	if err != nil {
		return Secret{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return Secret{derive(key, "mark"), aead}, err
}

func derive(key []byte, use string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("doorstep|" + use))
	return m.Sum(nil)
}

// Mark is an id to compare with: 32 hex digits, HMAC-SHA-256 cut to 128 bits.
func (s Secret) Mark(kind, id string) string {
	m := hmac.New(sha256.New, s.mark)
	m.Write([]byte(kind))
	m.Write([]byte{0})
	m.Write([]byte(id))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// Seal encrypts a text (AES-256-GCM under a random nonce) for one place, which is bound to it: what is
// sealed for one row cannot be passed off as another's. The result is base64.
func (s Secret) Seal(place string, text []byte) string {
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, text, []byte(place)))
}

// Open reads what Seal made for the same place; else ErrSealed.
func (s Secret) Open(place, sealed string) ([]byte, error) {
	raw, err := base64.RawStdEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return nil, ErrSealed
	}
	text, err := s.aead.Open(nil, nil, raw, []byte(place))
	if err != nil {
		return nil, ErrSealed
	}
	return text, nil
}

// Format keeps it out of every print.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "consent.Secret") }
