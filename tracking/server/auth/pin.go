// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorstep/tracking/server/problem"
)

// Bounds of what somebody is known by on a device that several people use.
const (
	PINLeast = 4  // digits, or characters of a badge
	PINMost  = 12 // digits
	MaxBadge = 64 // characters

	pinRounds = 600_000 // as OWASP's Password Storage Cheat Sheet has it for PBKDF2-HMAC-SHA-256
	saltBytes = 16
)

// PIN is all that is kept of a PIN or of what a badge says: a slow, salted hash. It has few values to choose from, so a guess must
// cost something, whoever holds it must not be able to guess often, and it is sealed where it lies.
type PIN struct {
	Salt, Hash []byte
	Rounds     int // of PBKDF2-HMAC-SHA-256
}

// newPIN hashes one that may be chosen, or answers the problem bad_pin (422). What only has digits was typed: 4 to 12 of them, neither
// all the same nor in a row. All else is a badge.
func newPIN(text string, rounds int) (PIN, error) {
	n := utf8.RuneCountInString(text)
	digits := strings.Trim(text, "0123456789") == ""
	if !utf8.ValidString(text) || n < PINLeast || n > MaxBadge || strings.ContainsFunc(text, unprintable) || digits && (n > PINMost || inARow(text)) {
		return PIN{}, problem.New(problem.BadPIN)
	}
	p := PIN{Salt: make([]byte, saltBytes), Rounds: rounds}
	_, _ = rand.Read(p.Salt) // never fails, as crypto/rand documents
	p.Hash = p.of(text)
	return p, nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// inARow reports whether each digit is as far from the one before, by none, one up or one down: the first that anybody tries.
func inARow(digits string) bool {
	step := int(digits[1]) - int(digits[0])
	for i := 1; i < len(digits); i++ {
		if int(digits[i])-int(digits[i-1]) != step {
			return false
		}
	}
	return step >= -1 && step <= 1
}

// chosen reports whether there is one.
func (p PIN) chosen() bool { return len(p.Hash) > 0 }

// is reports whether it is this one, after the same time for each.
func (p PIN) is(text string) bool {
	return p.chosen() && subtle.ConstantTimeCompare(p.Hash, p.of(text)) == 1
}

func (p PIN) of(text string) []byte {
	hash, err := pbkdf2.Key(sha256.New, text, p.Salt, p.Rounds, sha256.Size)
	if err != nil {
		panic("auth: a hash of SHA-256's own length: " + err.Error())
	}
	return hash
}
