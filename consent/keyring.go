// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Keyring holds the keys without which nobody in the database can be told from anybody: they lie in one
// file outside it, beside the ledger's keys, and change while it lives. Every person falls into one of
// 4,096 buckets; the key of a bucket finds and opens those in it. To erase a person, the others in the
// bucket are carried over to a new key and the old one is destroyed, in the steps of a rotation:
//
//	Begin    the new keys are in the file, beside the old ones
//	         (the database commits to them, and counts the rotation)
//	Settle   the old keys are gone from the file
//
// The database's count says which of the two keys is in force, so that a crash between any two steps
// decides nothing. Whoever changes the file holds the database's lock; readers need none. Besides the
// buckets there is a key for each day, for what lives no longer, which is destroyed two days later; and
// one that stays.
type Keyring struct {
	path string

	mu sync.Mutex // owns now; what it points to never changes
	at *ring
}

// Buckets is into how many buckets people fall. More make a rotation cheaper and the file longer.
const Buckets = 4096

// Bucket is the key of one bucket. Label says in the database which key a row is under; it is random,
// and says nothing once the key is gone.
type Bucket struct {
	Label string
	Secret
}

// ID tells keyrings apart.
func (k *Keyring) ID() string { return k.ring().id }

// Path is where the file is.
func (k *Keyring) Path() string { return k.path }

// Rotations is how many rotations are settled in the file, and whether the next one has begun.
func (k *Keyring) Rotations() (settled int64, begun bool) {
	r := k.ring()
	return r.rotations, r.next != nil
}

// Knows reports whether the keys of a database that counts so many rotations are here.
func (k *Keyring) Knows(rotations int64) bool {
	settled, begun := k.Rotations()
	return rotations == settled || begun && rotations == settled+1
}

// Lookups are the forms under which a person may be found: under the key of their bucket, and under the
// one that is to follow it (twice the same if there is none).
func (k *Keyring) Lookups(kind string, ref Ref) [2]string {
	r := k.ring()
	i := r.bucket(kind, ref)
	now := r.secret(r.keys[i]).Mark(kind, string(ref))
	if after, ok := r.next[i]; ok {
		return [2]string{now, r.secret(after).Mark(kind, string(ref))}
	}
	return [2]string{now, now}
}

// Writing is the key under which somebody new is written in a database that counts so many rotations.
func (k *Keyring) Writing(kind string, ref Ref, rotations int64) Bucket {
	r := k.ring()
	i := r.bucket(kind, ref)
	key := r.keys[i]
	if after, ok := r.next[i]; ok && rotations > r.rotations {
		key = after
	}
	return r.secret(key)
}

// Bucket finds the key that a row is under.
func (k *Keyring) Bucket(label string) (Bucket, bool) {
	r := k.ring()
	key, ok := r.labels()[label]
	if !ok {
		return Bucket{}, false
	}
	return r.secret(key), true
}

// Mark is an id to compare with, under the key that stays.
func (k *Keyring) Mark(kind, id string) string { return k.ring().stays.Mark(kind, id) }

// Seal seals under the key that stays.
func (k *Keyring) Seal(place string, text []byte) string { return k.ring().stays.Seal(place, text) }

// Open opens what Seal made.
func (k *Keyring) Open(place, sealed string) ([]byte, error) {
	return k.ring().stays.Open(place, sealed)
}

// Day is the key of a day (UTC); ok is false if it is not made yet, or destroyed.
func (k *Keyring) Day(at time.Time) (s Secret, ok bool) {
	s, ok = k.ring().days[dayOf(at)]
	return s, ok
}

// DayMarks are the forms in which an id may have been marked around a time: that day, the day before, and
// the day after, which another clock may have reached.
func (k *Keyring) DayMarks(at time.Time, kind, id string) (out [3]string) {
	days, n := k.ring().days, 0
	for _, d := range [3]int{0, -1, 1} {
		if s, ok := days[dayOf(at.AddDate(0, 0, d))]; ok {
			out[n] = s.Mark(kind, id)
			n++
		}
	}
	for ; n > 0 && n < len(out); n++ {
		out[n] = out[0]
	}
	return out
}

// OpenDay opens what was sealed under the key of any day that is still there.
func (k *Keyring) OpenDay(place, sealed string) ([]byte, error) {
	day, text, ok := cutDay(sealed)
	s, here := k.ring().days[day]
	if ok && !here { // another node has made it, perhaps
		if err := k.Reload(); err != nil {
			return nil, err
		}
		s, here = k.ring().days[day]
	}
	if !ok || !here {
		return nil, fmt.Errorf("%w: the key of its day is not here", ErrSealed)
	}
	return s.Open(place, text)
}

// SealDay seals under the key of a day, which must be there: see MakeDays.
func (k *Keyring) SealDay(at time.Time, place string, text []byte) (string, error) {
	s, ok := k.Day(at)
	if !ok {
		return "", fmt.Errorf("consent keyring: no key for %s", dayOf(at))
	}
	return dayOf(at) + s.Seal(place, text), nil
}

const dayLayout = "20060102"

func dayOf(t time.Time) string { return t.UTC().Format(dayLayout) }

func cutDay(sealed string) (day, text string, ok bool) {
	if len(sealed) < len(dayLayout) {
		return "", "", false
	}
	return sealed[:len(dayLayout)], sealed[len(dayLayout):], true
}

// MakeDays makes the keys of this day and the next, if they are not there. Call it with the database's lock held.
func (k *Keyring) MakeDays(now time.Time) error {
	return k.change(func(f *ringFile) (changed bool) {
		for d := range 2 {
			if day := dayOf(now.AddDate(0, 0, d)); f.Days[day] == nil {
				f.Days[day], changed = secret(), true
			}
		}
		return changed
	})
}

// OldDays reports whether there are keys of days before yesterday.
func (k *Keyring) OldDays(now time.Time) bool {
	for day := range k.ring().days {
		if day < oldest(now) {
			return true
		}
	}
	return false
}

// DropDays destroys the keys of days before yesterday: what is under them has to be gone by then. Call it
// with the database's lock held.
func (k *Keyring) DropDays(now time.Time) error {
	return k.change(func(f *ringFile) (changed bool) {
		for day := range f.Days {
			if day < oldest(now) {
				delete(f.Days, day)
				changed = true
			}
		}
		return changed
	})
}

// oldest is the last day whose key is still needed, since what is under it lives for 24 hours.
func oldest(now time.Time) string { return dayOf(now.AddDate(0, 0, -1)) }

// Begin puts new keys beside those under which rows with these labels are, as the rotation after the
// count given, and returns them by the labels of the old ones. A rotation that was begun before is settled
// first, or taken back if the count says that it did not happen. Call it with the database's lock held.
func (k *Keyring) Begin(rotations int64, labels []string) (map[string]Bucket, error) {
	err := k.change(func(f *ringFile) bool {
		f.settle(rotations)
		f.Next = map[int][]byte{}
		for i := range Buckets {
			if slices.Contains(labels, labelOf(f.key(i))) {
				f.Next[i] = newBucketKey()
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	out := k.Following()
	if len(out) != len(labels) {
		return nil, fmt.Errorf("consent keyring: %d of %d keys to replace are not in %s", len(labels)-len(out), len(labels), k.path)
	}
	return out, nil
}

// Following are the keys of a rotation that has begun, by the labels of those that they replace.
func (k *Keyring) Following() map[string]Bucket {
	r, out := k.ring(), map[string]Bucket{}
	for i, key := range r.next {
		out[labelOf(r.keys[i])] = r.secret(key)
	}
	return out
}

// Settle destroys the keys that a rotation replaced, or those that were to replace them if the count says
// that it did not happen. Call it with the database's lock held.
func (k *Keyring) Settle(rotations int64) error {
	return k.change(func(f *ringFile) bool { return f.settle(rotations) })
}

func labelOf(key []byte) string { return hex.EncodeToString(key[:labelBytes]) }
