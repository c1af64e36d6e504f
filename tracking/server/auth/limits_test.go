// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/tracking/server/problem"
)

// TestLimits: no key gets more than burst and rate allow, whoever else asks; whoever waits for
// retry_ms gets through.
func TestLimits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		perSecond := rapid.Float64Range(0.1, 50).Draw(rt, "rate")
		burst := rapid.IntRange(1, 10).Draw(rt, "burst")
		c := newClock()
		l, err := NewLimits(perSecond, burst, c.Now)
		if err != nil {
			rt.Fatal(err)
		}
		start, allowed := c.Now(), map[string]int{}
		for range rapid.IntRange(1, 60).Draw(rt, "requests") {
			key := fmt.Sprint(rapid.IntRange(0, 2).Draw(rt, "key"))
			c.Add(time.Duration(rapid.IntRange(0, 300).Draw(rt, "ms")) * time.Millisecond)
			if err := l.Allow(key); err != nil {
				p, _ := errors.AsType[*problem.Problem](err)
				if p.Status != 429 || p.RetryMS < 1 {
					rt.Fatalf("refused with %d, retry %d ms", p.Status, p.RetryMS)
				}
				c.Add(time.Duration(p.RetryMS) * time.Millisecond)
				if err := l.Allow(key); err != nil {
					rt.Fatalf("refused after waiting retry_ms: %v", err)
				}
			}
			allowed[key]++
			if most := float64(burst) + perSecond*c.Now().Sub(start).Seconds() + 1e-6; float64(allowed[key]) > most {
				rt.Fatalf("key %s: %d allowed, at most %f", key, allowed[key], most)
			}
		}
	})
}

// TestLimitsAreBounded: keys without end cost bounded memory, share one bucket once there is no
// room, leave those who were known alone, and are forgotten when they are as good as new.
func TestLimitsAreBounded(t *testing.T) {
	c := newClock()
	l, err := NewLimits(1, 2, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	l.max = 10
	if l.Allow("known") != nil {
		t.Fatal("the first was refused")
	}
	allowed := 0
	for n := range 1000 {
		if l.Allow(fmt.Sprint("made up ", n)) == nil {
			allowed++
		}
	}
	if l.Len() != 10 || allowed != 9+2 {
		t.Fatalf("%d keys kept, %d allowed; want 10 and 11", l.Len(), allowed)
	}
	if l.Allow("known") != nil {
		t.Fatal("the crowd used up somebody's bucket")
	}
	wantCode(t, l.Allow("known"), 429, "rate")
	c.Add(time.Hour)
	if l.Allow("new") != nil || l.Len() != 1 {
		t.Fatalf("%d keys kept after an hour", l.Len())
	}
}

func TestLimitsRefuseToStart(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		burst int
	}{{0, 1}, {-1, 1}, {1, 0}, {math.NaN(), 1}, {math.Inf(1), 1}} {
		if l, err := NewLimits(c.rate, c.burst, time.Now); err == nil || l != nil {
			t.Errorf("%v a second, %d at once: started", c.rate, c.burst)
		}
	}
}

func TestCaps(t *testing.T) {
	caps := NewCaps(3)
	var held, most atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			release, err := caps.Acquire("a")
			if err != nil {
				return
			}
			now := held.Add(1)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			held.Add(-1)
			release()
			release() // only the first counts
		})
	}
	all.Wait()
	if most.Load() > 3 || most.Load() < 1 || len(caps.held) != 0 {
		t.Fatalf("at most %d at once, %d keys left", most.Load(), len(caps.held))
	}
	var release func()
	for range 3 {
		var err error
		if release, err = caps.Acquire("a"); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, caps.Room("a"), 429, "rate")
	release()
	release()
	for range 2 {
		if err := caps.Room("a"); err != nil {
			t.Fatalf("room for one, which asking does not take: %v", err)
		}
	}
	if _, err := caps.Acquire("a"); err != nil {
		t.Fatalf("in the place of the one given back: %v", err)
	}
	_, err := caps.Acquire("a")
	wantCode(t, err, 429, "rate")
	if _, err := caps.Acquire("b"); err != nil {
		t.Fatalf("another key: %v", err)
	}
	_, err = NewCaps(0).Acquire("a")
	wantCode(t, err, 429, "rate")
}
