// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

// A primary dies and its replica, which was never told of the purge, takes over: the position is back, and the next
// purges reach it. So do writes, and a subscription hears them. The map of slots is not waited for.
func TestClusterFailover(t *testing.T) {
	c, _ := startCluster(t)
	r := open(t, c.URL(), live.Options{ReplyTimeout: time.Second})
	var heard atomic.Int64
	if err := r.Subscribe(t.Context(), func(tracking.Message) { heard.Add(1) }, "s1"); err != nil {
		t.Fatal(err)
	}
	mustRegister(t, r)
	wantWrite(t, r, 1, tracking.Written)
	until(t, "the first publication", func() bool { return heard.Load() == 1 })
	i := shard(t, c, "s1")
	there := operator(t, c.Replicas[i].AdminURL())
	until(t, "the replica to have it", func() bool { return there.DBSize(context.Background()).Val() == 1 })
	must(t, c.Cut(t.Context(), i))
	must(t, r.Purge(t.Context(), "s1", []string{"v1"}))
	must(t, c.FailOver(t.Context(), i))
	wantPosition(t, there, true) // what the failover brought back

	until(t, "a purge to reach the new primary", func() bool {
		return r.Purge(context.Background(), "s1", []string{"v1"}) == nil
	})
	wantPosition(t, there, false)
	another := tracking.Slot{Store: "s1", Visit: "v2"}
	until(t, "a registration there", func() bool { return r.Register(context.Background(), another, "a", 0, life) == nil })
	seq := int64(0)
	until(t, "the subscription to be back", func() bool {
		seq++
		got, err := r.Write(context.Background(), []tracking.LiveWrite{
			{Slot: another, Owner: "a", Seq: seq, Payload: []byte("p"), TTL: life, Show: true}})
		return err == nil && got[0] == tracking.Written && heard.Load() > 1
	})
}

const life = 20 * time.Second

// A slot moves to another primary, and at every step of it visits are purged: each is a tombstone when all has been
// moved, wherever it lay; and who was not purged can be written again.
func TestPurgeWhileASlotMoves(t *testing.T) {
	c, nodes := startCluster(t)
	r := open(t, c.URL(), live.Options{ReplyTimeout: 5 * time.Second})
	const visits = 12
	slot := func(n int) tracking.Slot { return tracking.Slot{Store: "s1", Visit: fmt.Sprint("v", n)} }
	write := func(n int, seq int64) ([]tracking.WriteResult, error) {
		return r.Write(t.Context(), []tracking.LiveWrite{{Slot: slot(n), Owner: "a", Seq: seq, Payload: []byte("p"), TTL: life, Show: true}})
	}
	for n := range visits {
		must(t, r.Register(t.Context(), slot(n), "a", 0, life))
		if got, err := write(n, 1); err != nil || got[0] != tracking.Written {
			t.Fatal(got, err)
		}
	}
	from, next := shard(t, c, "s1"), 0
	to := (from + 1) % len(c.Primaries)
	purge := func(n int) {
		must(t, r.Purge(t.Context(), "s1", []string{slot(n).Visit, fmt.Sprint("nobody", n)}))
		for _, s := range []int{next, n} {
			if got, err := write(s, 2); err == nil && got[0] == tracking.Written && s < next {
				t.Error("a write went through after the purge")
			}
		}
	}
	must(t, c.Reshard(t.Context(), "ds:{s1}:", to, func() {
		if next < visits-1 {
			n := next
			next++
			purge(n)
		}
	}))
	if next < visits-1 {
		t.Fatalf("only %d purges fell into the move", next)
	}
	ended := 0
	for _, k := range keyspace(t, nodes...) {
		if last := k.Slot.Visit == live.NameOf(slot(visits-1).Visit); k.Tombstone == last {
			t.Errorf("%v: tombstone %v", k.Slot, k.Tombstone)
		} else if !last {
			ended++
		}
	}
	if ended != 2*(visits-1) {
		t.Errorf("%d tombstones, want %d", ended, 2*(visits-1))
	}
	if n := len(keyspace(t, nodes[from])); n != 0 {
		t.Errorf("%d keys are left where the slot was", n)
	}
	seq := int64(2)
	until(t, "the last visit to be written where it is now", func() bool {
		seq++
		got, err := write(visits-1, seq)
		return err == nil && got[0] == tracking.Written
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
