// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"
)

// PublishedAhead is how long a key is in the key set before it signs, so that whoever keeps a copy of
// the set has it by then. The set is served with a life of five minutes; an app may be offline for longer.
const PublishedAhead = 24 * time.Hour

// LogKeyOverlap is for how long checkpoints are signed by a retired log key too, beside the one that
// replaced it: the time in which those who watch the log take up the new one.
const LogKeyOverlap = 90 * 24 * time.Hour

// signingKey is a key of receipts, notices and proofs.
type signingKey struct {
	kid       string
	public    ed25519.PublicKey
	private   ed25519.PrivateKey // nil once retired: it can sign nothing any more
	published time.Time          // zero if that was before it was written down
	retired   time.Time          // zero for the current and the next one
}

func newSigningKey(seed []byte, published time.Time) signingKey {
	private := ed25519.NewKeyFromSeed(seed)
	k := publishedKey(private.Public().(ed25519.PublicKey))
	k.private, k.published = private, published
	return k
}

// publishedKey names a key by its RFC 7638 thumbprint.
func publishedKey(public ed25519.PublicKey) signingKey {
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"Ed25519","kty":"OKP","x":"%s"}`, encodeX(public)))
	return signingKey{kid: base64.RawURLEncoding.EncodeToString(sum[:]), public: public}
}

func encodeX(k ed25519.PublicKey) string { return base64.RawURLEncoding.EncodeToString(k) }

// logKey is a key of checkpoints.
type logKey struct {
	public  ed25519.PublicKey
	private ed25519.PrivateKey // nil once it signs no more
	retired time.Time          // zero for the newest
}

func newLogKey(seed []byte) logKey {
	private := ed25519.NewKeyFromSeed(seed)
	return logKey{public: private.Public().(ed25519.PublicKey), private: private}
}

// ErrNotAhead is why a rotation is refused: the next key has not been published for long enough.
var ErrNotAhead = errors.New("the next key has not been published for long enough")

// Rotate gives the keys as they are after a rotation: the next key signs, a fresh one is published to
// follow it, and the one that signed is retired and loses its private half. Retired keys go when the
// last receipt under them has reached the end of its proof. It answers ErrNotAhead before PublishedAhead
// has passed, unless atOnce is set: for a key that is no secret any more.
func (k Keys) Rotate(now time.Time, atOnce bool) (Keys, error) {
	if len(k.signing) < 2 {
		return Keys{}, errors.New("consent keys: there is no next key: load or make keys first")
	}
	former, next := k.signing[0], k.signing[1]
	if from := next.published.Add(PublishedAhead); now.Before(from) && !atOnce {
		return Keys{}, fmt.Errorf("%w: apps that fetched the keys before %s do not know it: rotate from %s on",
			ErrNotAhead, next.published.UTC().Format(time.RFC3339), from.UTC().Format(time.RFC3339))
	}
	former.private, former.retired = nil, now
	kept := append([]signingKey{next, newSigningKey(secret(), now), former}, k.signing[2:]...)
	k.signing = slices.DeleteFunc(kept, func(s signingKey) bool { return k.spent(s, now) })
	return k, nil
}

// spent reports whether no receipt can need a key any more: the youngest under it is as old as the key's
// retirement, give or take the time in which other nodes take up the change.
func (k Keys) spent(s signingKey, now time.Time) bool {
	return !s.retired.IsZero() && k.proofDays > 0 && now.After(s.retired.Add(days(k.proofDays)+PublishedAhead))
}

// RotateLog gives the keys with a fresh key of checkpoints in front. The former one signs beside it for
// LogKeyOverlap; its public half stays for good, so that every checkpoint that was ever saved verifies.
func (k Keys) RotateLog(now time.Time) Keys {
	kept := []logKey{newLogKey(secret())}
	for _, l := range k.log {
		if l.retired.IsZero() {
			l.retired = now
		}
		if !l.signs(now) {
			l.private = nil
		}
		kept = append(kept, l)
	}
	k.log = kept
	return k
}

func (l logKey) signs(now time.Time) bool {
	return l.private != nil && (l.retired.IsZero() || now.Before(l.retired.Add(LogKeyOverlap)))
}

// Promising gives the keys with the longest life of a receipt written down, so that a key is not dropped
// while a receipt of former, longer rules needs it.
func (k Keys) Promising(proofDays int) Keys {
	k.proofDays = max(k.proofDays, proofDays)
	return k
}

// KeyState says how one published key stands, for people.
type KeyState struct {
	ID      string    // kid
	Use     string    // "signs", "next" or "retired"
	Since   time.Time // published, or retired; zero if not known
	DropsAt time.Time // a retired one: when no receipt needs it any more; zero if not known
}

// States lists the published signing keys in their order.
func (k Keys) States() []KeyState {
	var out []KeyState
	for i, s := range k.signing {
		e := KeyState{ID: s.kid, Use: "signs", Since: s.published}
		switch {
		case !s.retired.IsZero():
			e.Use, e.Since = "retired", s.retired
			if k.proofDays > 0 {
				e.DropsAt = s.retired.Add(days(k.proofDays) + PublishedAhead)
			}
		case i > 0:
			e.Use = "next"
		}
		out = append(out, e)
	}
	return out
}
