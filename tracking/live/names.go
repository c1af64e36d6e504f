// SPDX-License-Identifier: Apache-2.0

package live

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"doorstep/tracking"
)

// The limits of what goes into a key.
const (
	maxName  = 128 // bytes of a store's, a visit's or a channel's name
	maxOwner = 255 // bytes of an owner token: its length is one byte of the value's header
	maxSeq   = 1<<53 - 1
)

// KeyOf is where a visit lies: ds:{<store>}:v:<name>. The braces make the store the hash tag, so
// that all of a store's keys and its channel lie in one slot of a cluster.
func KeyOf(store, visit string) string { return string(appendKey(nil, store, hashOf(visit))) }

func appendKey(b []byte, store string, n name) []byte {
	return appendName(append(append(append(b, "ds:{"...), store...), "}:v:"...), n)
}

// NameOf is the name of a visit in Redis: SHA-256 cut to 128 bits, in 22 characters of base64url. A tombstone outlives its
// visit by a minute, after an erasure too, and must not say whose it was. A visit is 128 bits that nobody can guess, so
// that the way back needs no key to be closed; whoever has the visit finds its key.
func NameOf(visit string) string { return string(appendName(nil, hashOf(visit))) }

// name is a visit's name before it is made printable.
type name [16]byte

const nameLabel = "doorstep visit|"

func hashOf(visit string) name {
	var buf [len(nameLabel) + maxName]byte
	sum := sha256.Sum256(append(append(buf[:0], nameLabel...), visit...))
	return name(sum[:len(name{})])
}

// appendName is for the eye of whoever looks into Redis; a key without it would be 6 bytes shorter.
func appendName(b []byte, n name) []byte { return base64.RawURLEncoding.AppendEncode(b, n[:]) }

// channelName is what a channel is called in Redis. It carries the hash tag for the same reason.
func channelName(channel string) string { return "ds:{" + channel + "}:c" }

// channelOf undoes channelName.
func channelOf(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, "ds:{"), "}:c")
}

// nameIn is the visit's name in a key; ok is false for a key that is not a visit's.
func nameIn(k string) (name string, ok bool) {
	if !strings.HasPrefix(k, "ds:{") {
		return "", false
	}
	_, name, ok = strings.Cut(k, "}:v:")
	return name, ok
}

// checkName refuses what would break a key apart: a brace moves the hash tag, and with it the key
// to another slot or another store.
func checkName(op, what, name string) error {
	if name == "" || len(name) > maxName || strings.ContainsAny(name, "{}\x00\r\n") {
		return invalid(op, what, fmt.Sprintf("use 1 to %d bytes without braces or line breaks", maxName))
	}
	return nil
}

func checkVisits(op, store string, visits []string) error {
	if err := checkName(op, "store", store); err != nil {
		return err
	}
	for _, v := range visits {
		if err := checkName(op, "visit", v); err != nil {
			return err
		}
	}
	return nil
}

func checkChannels(op string, channels []string) error {
	if len(channels) == 0 {
		return invalid(op, "channels", "name at least one")
	}
	for _, c := range channels {
		if err := checkName(op, "channel", c); err != nil {
			return err
		}
	}
	return nil
}

func checkOwner(op, owner string, seq int64) error {
	if owner == "" || len(owner) > maxOwner {
		return invalid(op, "owner", fmt.Sprintf("use a token of 1 to %d bytes", maxOwner))
	}
	if seq > maxSeq || seq < -maxSeq {
		return invalid(op, "seq", "stay within 2^53: Redis compares numbers as doubles")
	}
	return nil
}

func checkRegister(s tracking.Slot, owner string, seq int64, ttl time.Duration) error {
	if err := checkVisits("Register", s.Store, []string{s.Visit}); err != nil {
		return err
	}
	if err := checkOwner("Register", owner, seq); err != nil {
		return err
	}
	if lifeMS(ttl) == 0 {
		return invalid("Register", "ttl", "a lease of less than a millisecond has ended")
	}
	return nil
}

func checkBatch(batch []tracking.LiveWrite) error {
	store := ""
	for i := range batch {
		w := &batch[i]
		if w.Slot.Store != store || i == 0 {
			store = w.Slot.Store
			if err := checkName("Write", "store", store); err != nil {
				return err
			}
		}
		if err := checkName("Write", "visit", w.Slot.Visit); err != nil {
			return err
		}
		if err := checkOwner("Write", w.Owner, w.Seq); err != nil {
			return err
		}
	}
	return nil
}

// lifeStep is what lives are rounded down to, in milliseconds: what is flushed together has one life then, which
// is told to Redis once.
const lifeStep = 250

// lifeMS is an expiry in milliseconds, cut to PositionLife and rounded down, to quarters of a second from the first
// on: doubt shortens. Zero says that the lease has run out.
func lifeMS(ttl time.Duration) int64 {
	ms := max(0, min(ttl, tracking.PositionLife).Milliseconds())
	if ms > lifeStep {
		ms -= ms % lifeStep
	}
	return ms
}
