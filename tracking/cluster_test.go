// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"doorstep/tracking"
	"doorstep/tracking/live"
	"doorstep/tracking/live/redisserver"
)

func startCluster(t *testing.T) *redisserver.Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := redisserver.StartCluster(ctx, 3)
	if errors.Is(err, redisserver.ErrNoBinary) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// A primary takes the purge, and dies before its replica has heard of it. The position is back in Redis, and on no
// screen; within 5 s it is purged again, though nobody announced the failover. Then the shopper can come back.
func TestFailoverWithoutThePurge(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	h := newHouse(t, openRedis(t, c.URL()))
	a, b := h.start("a"), h.start("b")
	ana, v, mei, alert := h.watched(a, b)
	key := live.KeyOf(shop, v.hid)
	i := must(c.Of(h.Context(), key))(h)
	h.until("the replica to have the position", func() bool {
		keys, err := c.Replicas[i].Keys(h.Context())
		return err == nil && len(keys) == 1 && len(keys[0].Value) > 40
	})
	h.ok(c.Cut(h.Context(), i))
	from := h.answered(a, ana.stop("store"))
	equal(h, "gone frames", len(mei.got("gone")), 1)
	h.ok(c.FailOver(h.Context(), i))
	over := h.clock.Boot()
	if keys := must(c.Replicas[i].Keys(h.Context()))(h); len(keys) != 1 || keys[0].Value == "T" {
		t.Fatalf("the failover brought nothing back: %d keys", len(keys))
	}
	mei.Beat(1)
	h.until("purged again", func() bool {
		keys, err := c.Replicas[i].Keys(h.Context())
		return err == nil && len(keys) == 1 && keys[0].Value == "T"
	})
	if took := h.clock.Boot() - over; took > 5*time.Second {
		t.Errorf("purged again after %v", took)
	}
	h.silent(from, alert)
	ana.grant("assist", "term")
	h.until("the shopper to be back", func() bool {
		_, err := b.Open(h.Context(), ana.opening(), &phone{log: h.log})
		return err == nil
	})
	h.silent(from, alert)
}

// A store's slot moves from one primary to another while its shoppers withdraw, one at each step of the move: every
// answer is a success, and nothing is left of any of them.
func TestReshardingWhileShoppersWithdraw(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	h := newHouse(t, openRedis(t, c.URL()))
	n := h.start("a")
	h.join(n, shop, "mei")
	const shoppers = 6
	var list []*shopper
	var visits []*visitor
	for i := range shoppers {
		s := h.shopper(fmt.Sprint("shopper ", i), "assist")
		v := s.open(n)
		h.until("inside, and written", func() bool { v.at(desk()); return v.payload() != nil })
		list, visits = append(list, s), append(visits, v)
	}
	key := "ds:{" + shop + "}:"
	to := (must(c.Of(h.Context(), key))(h) + 1) % len(c.Primaries)
	next := 0
	h.ok(c.Reshard(h.Context(), key, to, func() {
		if next < shoppers {
			h.answered(n, list[next].stop("store"))
			next++
		}
	}))
	equal(h, "withdrawn while the slot moved", next, shoppers)
	over := map[string]bool{}
	for _, s := range c.Primaries {
		for _, k := range must(s.Keys(h.Context()))(h) {
			over[k.Name] = k.Value == "T"
		}
	}
	for i, v := range visits {
		if !over[live.KeyOf(shop, v.hid)] {
			t.Errorf("the visit %d is no tombstone", i)
		}
	}
}

// loaded puts a house under load, and walks the keyspace of its servers meanwhile: every key is a visit's, and has an
// expiry, of the session's lease at most, or, if it is a tombstone, which holds nothing, of a fence's life.
func (h *house) loaded(servers ...*redisserver.Server) {
	h.Helper()
	stop, walked := make(chan struct{}), make(chan struct{})
	var positions, tombstones int
	go func() {
		defer close(walked)
		for {
			for _, s := range servers {
				p, o := h.keysExpire(s)
				positions, tombstones = positions+p, tombstones+o
			}
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	everythingAtOnce(h, 6, 3)
	close(stop)
	<-walked
	if positions == 0 || tombstones == 0 {
		h.Errorf("%d positions and %d tombstones were walked past: nothing was looked at", positions, tombstones)
	}
}

// keysExpire walks the keyspace of one server.
func (h *house) keysExpire(s *redisserver.Server) (positions, tombstones int) {
	keys, err := s.Keys(context.Background())
	if err != nil {
		h.Errorf("walk: %v", err)
	}
	for _, k := range keys {
		if !strings.HasPrefix(k.Name, "ds:{"+shop+"}:v:") {
			h.Error("a key that is no visit's")
		}
		limit := tracking.PositionLife
		if k.Value == "T" {
			limit = tracking.FenceLife
			tombstones++
		} else {
			positions++
		}
		if k.TTL <= 0 || k.TTL > limit {
			h.Errorf("a key (tombstone: %v) expires in %v, want at most %v", k.Value == "T", k.TTL, limit)
		}
	}
	return positions, tombstones
}
