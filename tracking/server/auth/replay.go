// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// replays remembers what was used, for at least keep. Memory comes in two generations: entries go
// to the young one, and when it is keep old it becomes the old one and the old one is forgotten as
// a whole. So every entry is held between keep and twice that, at constant cost.
//
// It never forgets early: a young generation that is full refuses, because evicting would let a
// proof be used again. A clock that jumps back keeps entries longer, never shorter.
type replays struct {
	keep time.Duration
	max  int

	mu         sync.Mutex // guards what follows
	young, old map[digest]struct{}
	born       time.Time
}

func newReplays(keep time.Duration, max int) *replays {
	return &replays{keep: keep, max: max, young: make(map[digest]struct{})}
}

// first reports whether this pair was not used before, and marks it as used. ErrFull means that it
// cannot be told, which is no.
func (s *replays) first(who, what string, now time.Time) (bool, error) {
	key := digest(sha256.Sum256([]byte(who + "\x00" + what)))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(now)
	if _, used := s.young[key]; used {
		return false, nil
	}
	if _, used := s.old[key]; used {
		return false, nil
	}
	if len(s.young) >= s.max {
		return false, ErrFull
	}
	s.young[key] = struct{}{}
	return true, nil
}

func (s *replays) turn(now time.Time) {
	switch age := now.Sub(s.born); {
	case s.born.IsZero() || age < 0:
		s.born = now
	case age >= s.keep:
		s.young, s.old, s.born = make(map[digest]struct{}), s.young, now
	}
}
