// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"sync"
	"time"
)

// secretBytes is the length of every random secret here: 256 bits.
const secretBytes = 32

// digest is all that is kept of a secret, so that a dump of the memory opens nothing.
type digest [sha256.Size]byte

func digestOf(secret string) digest { return sha256.Sum256([]byte(secret)) }

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// digestIn reads what String writes; all else is the digest of nothing that is.
func digestIn(text string) (d digest) {
	_, _ = hex.Decode(d[:], []byte(text)[:min(len(text), 2*len(d))])
	return d
}

func newSecret() string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails, as crypto/rand documents
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// TimedSecret is a random secret that says when it ends: 8 bytes of the end (Unix ms) and 32 random bytes, in base64url
// without padding: 54 characters that fit a subprotocol. The end inside lets whoever redeems it say "expired" long after it
// was forgotten. Whoever alters that end has a secret that never was.
func TimedSecret(end time.Time) string {
	var b [8 + secretBytes]byte
	binary.BigEndian.PutUint64(b[:8], uint64(end.UnixMilli()))
	_, _ = rand.Read(b[8:]) // never fails, as crypto/rand documents
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// EndOf is when a TimedSecret says that it ends; not ok if it is none.
func EndOf(secret string) (end time.Time, ok bool) {
	b, err := decodePart(secret)
	if err != nil || len(b) != 8+secretBytes {
		return time.Time{}, false
	}
	ms := binary.BigEndian.Uint64(b[:8])
	return time.UnixMilli(int64(ms)), ms <= math.MaxInt64
}

// OneTime hands out secrets (TimedSecret) that can be redeemed once, within a fixed life.
//
// It is bounded: with max secrets issued within one life, used or not, Issue answers ErrFull rather
// than forget one. It is safe for concurrent use, and of any number of concurrent redemptions exactly one wins.
type OneTime[T any] struct {
	life time.Duration
	max  int
	now  func() time.Time

	mu    sync.Mutex // guards what follows
	held  map[digest]T
	order []due // in order of issue, which is the order of their ends
}

type due struct {
	key digest
	end int64 // Unix ms
}

// NewOneTime returns an empty OneTime. Life is cut to the millisecond.
func NewOneTime[T any](life time.Duration, max int, now func() time.Time) *OneTime[T] {
	return &OneTime[T]{life: life, max: max, now: now, held: make(map[digest]T)}
}

// Issue returns a new secret for v and when it ends.
func (o *OneTime[T]) Issue(v T) (secret string, end time.Time, err error) {
	now := o.now()
	end = time.UnixMilli(now.Add(o.life).UnixMilli())
	secret = TimedSecret(end)

	o.mu.Lock()
	defer o.mu.Unlock()
	o.sweep(now.UnixMilli())
	if len(o.order) >= o.max {
		return "", time.Time{}, ErrFull
	}
	o.held[digestOf(secret)] = v
	o.order = append(o.order, due{digestOf(secret), end.UnixMilli()})
	return secret, end, nil
}

// Redeem returns what the secret was issued for, once. Valid through the millisecond before its
// end. ErrExpired if its time is over, ErrUnknown if it was redeemed, or never issued here.
func (o *OneTime[T]) Redeem(secret string) (T, error) {
	var none T
	end, ok := EndOf(secret)
	if !ok {
		return none, ErrUnknown
	}
	now := o.now().UnixMilli()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sweep(now)
	if end.UnixMilli() <= now {
		return none, ErrExpired
	}
	v, ok := o.held[digestOf(secret)]
	if !ok {
		return none, ErrUnknown
	}
	delete(o.held, digestOf(secret))
	return v, nil
}

// sweep forgets what has ended. Each secret is looked at once, so it costs nothing on average.
func (o *OneTime[T]) sweep(now int64) {
	n := 0
	for n < len(o.order) && o.order[n].end <= now {
		delete(o.held, o.order[n].key)
		n++
	}
	if o.order = o.order[n:]; len(o.order) == 0 {
		o.order = nil // let go of the array
	}
}
