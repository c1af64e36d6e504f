// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"doorstep/tracking/live"
	"doorstep/tracking/live/livetest"
	"doorstep/tracking/live/redisserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startServer starts a Redis that ends with the test. Without a binary the test is skipped, and
// fails in CI: a contract that nobody checked is not kept.
func startServer(t testing.TB, settings ...string) *redisserver.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s, err := redisserver.Start(ctx, settings...)
	started(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// started fails or skips the test if a server could not be started.
func started(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, redisserver.ErrNoBinary) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// open opens a client that ends with the test.
func open(t testing.TB, url string, opts live.Options) *live.Redis {
	t.Helper()
	r, err := live.OpenRedis(context.Background(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// operator is a plain client of the operator's user.
func operator(t testing.TB, url string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}

// until waits for a condition that is about to come true, for at most 15 s.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for patience := time.After(15 * time.Second); !condition(); {
		select {
		case <-tick.C:
		case <-patience:
			t.Fatalf("not within 15 s: %s", what)
		}
	}
}

// keyspace walks the whole keyspace of some servers, as Memory.Keys does in its own.
func keyspace(t testing.TB, nodes ...*redis.Client) (keys []live.Key) {
	t.Helper()
	ctx := context.Background()
	for _, c := range nodes {
		for it := c.Scan(ctx, 0, "*", 1000).Iterator(); it.Next(ctx); {
			name := it.Val()
			value, err1 := c.Get(ctx, name).Result()
			ttl, err2 := c.PTTL(ctx, name).Result()
			if errors.Is(err1, redis.Nil) {
				continue // expired in between
			}
			if err1 != nil || err2 != nil {
				t.Fatalf("look at a key: %v, %v", err1, err2)
			}
			keys = append(keys, keyOf(t, name, value, ttl))
		}
	}
	return keys
}

// keyOf reads the layout again, from its description in value.go.
func keyOf(t testing.TB, name, value string, ttl time.Duration) (k live.Key) {
	t.Helper()
	store, visit, ok := strings.Cut(strings.TrimPrefix(name, "ds:{"), "}:v:")
	if !ok || !strings.HasPrefix(name, "ds:{") {
		t.Fatalf("a key that is not a visit's: %q", name)
	}
	k.Slot.Store, k.Slot.Visit, k.TTL = store, visit, ttl
	switch {
	case value == "T":
		k.Tombstone = true
	case value != "" && value[0] == 'R' && len(value) >= 2+int(value[1])+8:
		k.HasPosition = len(value) > 2+int(value[1])+8
	default:
		t.Fatalf("a value that is neither a tombstone nor a registration: %q", value)
	}
	return k
}

// pass takes d off the life of every key: time, without the waiting.
func pass(t testing.TB, d time.Duration, nodes ...*redis.Client) {
	t.Helper()
	ctx := context.Background()
	for _, c := range nodes {
		for it := c.Scan(ctx, 0, "*", 1000).Iterator(); it.Next(ctx); {
			ttl, err := c.PTTL(ctx, it.Val()).Result()
			if err == nil && ttl > d {
				err = c.PExpire(ctx, it.Val(), ttl-d).Err()
			} else if err == nil {
				err = c.Del(ctx, it.Val()).Err()
			}
			if err != nil {
				t.Fatalf("let time pass: %v", err)
			}
		}
	}
}

// fixture is an empty Redis of one or more primaries as the contract wants it.
func fixture(t testing.TB, url string, nodes ...*redis.Client) livetest.Fixture {
	t.Helper()
	for _, c := range nodes {
		if err := c.FlushAll(context.Background()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return livetest.Fixture{
		Live: open(t, url, live.Options{ReplyTimeout: 10 * time.Second}),
		Late: open(t, url, live.Options{ReplyTimeout: 10 * time.Second}.Allow(-time.Millisecond)),
		Pass: func(d time.Duration) { pass(t, d, nodes...) },
		Keys: func() []live.Key { return keyspace(t, nodes...) },
	}
}

// clock is a time that moves when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// memoryFixture is an empty twin with a clock of its own.
func memoryFixture(t testing.TB) livetest.Fixture {
	c := &clock{now: time.Unix(1_700_000_000, 0)}
	m := live.NewMemory(c.Now)
	t.Cleanup(func() { m.Close() })
	return livetest.Fixture{Live: m, Pass: c.pass, Keys: func() []live.Key {
		keys := m.Keys()
		for i := range keys {
			keys[i].Slot.Visit = live.NameOf(keys[i].Slot.Visit) // as Redis names it
		}
		return keys
	}}
}
