// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"sync"
	"time"
)

// Sessions keeps values under random secrets that may be used many times, until they have not been
// used for the idle time, reach their absolute end, or are ended. The console's sign-in and the
// demonstration's renewals are both this. It is bounded, and safe for concurrent use.
type Sessions[T any] struct {
	idle, life time.Duration
	max        int
	now        func() time.Time

	mu   sync.Mutex // guards what follows, and every Session's used
	held map[digest]*Session[T]
}

// Session is one that was opened. Its methods are safe for concurrent use.
type Session[T any] struct {
	Value T         // never changed
	End   time.Time // absolute end, however much it is used

	of   *Sessions[T]
	key  digest
	used time.Time
	gone chan struct{}
}

// NewSessions returns an empty store; life bounds every session from its opening.
func NewSessions[T any](idle, life time.Duration, max int, now func() time.Time) *Sessions[T] {
	return &Sessions[T]{idle: idle, life: life, max: max, now: now, held: make(map[digest]*Session[T])}
}

// Open returns a fresh secret for v. It ends at end at the latest, if end is not zero. ErrFull if
// there is no room, ErrExpired if end has passed.
func (s *Sessions[T]) Open(v T, end time.Time) (secret string, opened *Session[T], err error) {
	secret = newSecret()
	opened, err = s.Adopt(secret, v, end)
	if err != nil {
		return "", nil, err
	}
	return secret, opened, nil
}

// Adopt is Open for a secret that was made elsewhere. If it is held already, that is what is returned.
func (s *Sessions[T]) Adopt(secret string, v T, end time.Time) (*Session[T], error) {
	now := s.now()
	last := now.Add(s.life)
	if !end.IsZero() && end.Before(last) {
		last = end
	}
	if !now.Before(last) {
		return nil, ErrExpired
	}
	n := &Session[T]{Value: v, End: last, of: s, key: digestOf(secret), used: now, gone: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.held[n.key]; held != nil && held.alive(now) {
		return held, nil
	}
	if len(s.held) >= s.max {
		s.sweep(now)
	}
	if len(s.held) >= s.max {
		return nil, ErrFull
	}
	s.held[n.key] = n
	return n, nil
}

// Use returns the session of a secret and counts as using it. ErrExpired once after its time,
// ErrUnknown otherwise.
func (s *Sessions[T]) Use(secret string) (*Session[T], error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.held[digestOf(secret)]
	if !ok {
		return nil, ErrUnknown
	}
	if !n.alive(now) {
		s.drop(n)
		return nil, ErrExpired
	}
	n.used = now
	return n, nil
}

// Quit ends the session of a secret; an unknown one is no error.
func (s *Sessions[T]) Quit(secret string) { s.quit(digestOf(secret)) }

func (s *Sessions[T]) quit(key digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.held[key]; ok {
		s.drop(n)
	}
}

// Len is the number of sessions held, some of which may be over.
func (s *Sessions[T]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held)
}

func (s *Sessions[T]) sweep(now time.Time) {
	for _, n := range s.held {
		if !n.alive(now) {
			s.drop(n)
		}
	}
}

func (s *Sessions[T]) drop(n *Session[T]) {
	delete(s.held, n.key)
	close(n.gone)
}

func (n *Session[T]) alive(now time.Time) bool {
	return now.Before(n.End) && now.Before(n.used.Add(n.of.idle))
}

// Gone is closed when the session was ended or found to be over. A socket that was opened with the
// session ends with it; it watches End too, since nobody may be asking.
func (n *Session[T]) Gone() <-chan struct{} { return n.gone }

// Touch counts as using the session, for a socket that stays open; false if it is over.
func (n *Session[T]) Touch() bool {
	s := n.of
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[n.key] != n {
		return false
	}
	if !n.alive(now) {
		s.drop(n)
		return false
	}
	n.used = now
	return true
}
