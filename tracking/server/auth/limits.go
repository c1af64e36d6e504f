// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"doorstep/tracking/server/problem"
)

// maxLimitKeys bounds the keys that are told apart, in Limits and in Caps.
const maxLimitKeys = 100_000

// Limits is a token bucket for each key, such as AddrKey of a client or a shopper's subject. A key
// whose bucket is full again is forgotten, for it is as good as new. With 100,000 keys in use, all
// further ones share one bucket: a crowd of invented addresses slows down strangers, and neither
// the memory nor those who are known. Safe for concurrent use.
type Limits struct {
	every rate.Limit
	burst int
	max   int
	now   func() time.Time

	mu       sync.Mutex // guards what follows
	buckets  map[string]*rate.Limiter
	crowd    *rate.Limiter
	sweepDue time.Time
}

// NewLimits allows each key perSecond requests a second in the long run and burst at once. Both
// must be above zero: *SettingError, because a limit of none is no limit.
func NewLimits(perSecond float64, burst int, now func() time.Time) (*Limits, error) {
	if !(perSecond > 0) || math.IsInf(perSecond, 0) || burst < 1 {
		return nil, &SettingError{"Limits", "not above zero", "Give a rate per second and a burst of at least 1."}
	}
	every := rate.Limit(perSecond)
	return &Limits{every: every, burst: burst, max: maxLimitKeys, now: now,
		buckets: make(map[string]*rate.Limiter), crowd: rate.NewLimiter(every, burst)}, nil
}

// Allow takes one from the key's bucket. If it is empty the error is the problem rate (429), with
// the time until the next try would do; the refused request costs the key nothing.
func (l *Limits) Allow(key string) error {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key, now)
	if b.AllowN(now, 1) {
		return nil
	}
	missing := 1 - b.TokensAt(now)
	return problem.New(problem.Rate).RetryAfter(time.Duration(missing / float64(l.every) * float64(time.Second)))
}

// Len is the number of keys told apart at the moment.
func (l *Limits) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.buckets)
}

func (l *Limits) bucket(key string, now time.Time) *rate.Limiter {
	if b, ok := l.buckets[key]; ok {
		return b
	}
	l.sweep(now)
	if len(l.buckets) >= l.max {
		return l.crowd
	}
	b := rate.NewLimiter(l.every, l.burst)
	l.buckets[key] = b
	return b
}

// sweep forgets the full buckets, at most once a second.
func (l *Limits) sweep(now time.Time) {
	if now.Before(l.sweepDue) {
		return
	}
	l.sweepDue = now.Add(time.Second)
	for key, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, key)
		}
	}
}

// Caps bounds how many of something, such as open sockets, each key holds at a time. Its memory is
// bounded by what is held. Safe for concurrent use.
type Caps struct {
	each int

	mu   sync.Mutex // guards held
	held map[string]int
}

// NewCaps allows each key to hold at most each; below one, nothing is ever allowed.
func NewCaps(each int) *Caps { return &Caps{each: each, held: make(map[string]int)} }

// Acquire takes one, or returns the problem rate (429). Release gives it back and may be called
// any number of times; only the first counts.
func (c *Caps) Acquire(key string) (release func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.room(key); err != nil {
		return nil, err
	}
	c.held[key]++
	return sync.OnceFunc(func() { c.release(key) }), nil
}

// Room is Acquire without taking one: whether there is one now.
func (c *Caps) Room(key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.room(key)
}

func (c *Caps) room(key string) error {
	if c.held[key] >= c.each {
		return problem.New(problem.Rate)
	}
	return nil
}

func (c *Caps) release(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[key]--; c.held[key] <= 0 {
		delete(c.held, key)
	}
}
