// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

func nanos(n int64) time.Duration { return time.Duration(n) }

func testPurge(t *testing.T, f Fixture) {
	register(t, f.Live, "registered", "a", 0)
	register(t, f.Live, "placed", "a", 0)
	register(t, f.Live, "stays", "a", 0)
	write(t, f.Live, results(tracking.Written, tracking.Written), item("placed", "a", 1, "p"), item("stays", "a", 1, "p"))
	for range 2 { // idempotent
		purge(t, f.Live, "unknown", "registered", "placed")
		holds(t, f.Live, map[string]string{"unknown": "", "registered": "", "placed": "", "stays": "p"})
	}
	purge(t, f.Live) // nothing to purge is purged
	for _, k := range f.Keys() {
		if want := k.Slot.Visit != live.NameOf("stays"); k.Tombstone != want || k.HasPosition == want {
			t.Errorf("after the purge: %+v", k)
		}
	}
	if n := len(f.Keys()); n != 4 {
		t.Errorf("%d keys, want 4", n)
	}
	var many []string
	for i := range 1100 {
		many = append(many, fmt.Sprintf("m%d", i))
	}
	purge(t, f.Live, many...)
	if n := len(f.Keys()); n != 1104 {
		t.Errorf("%d keys after a large purge, want 1104", n)
	}
}

func testPurgeBeatsWrite(t *testing.T, f Fixture) {
	register(t, f.Live, "v", "a", 0)
	purge(t, f.Live, "v")
	write(t, f.Live, results(tracking.Fenced), item("v", "a", 9, "was under way"))
	write(t, f.Live, results(tracking.Fenced), item("v", "a", 10, ""))
	holds(t, f.Live, map[string]string{"v": ""})
	f.Pass(tracking.PositionLife + tracking.WriteDeadline + tracking.LeaseTime) // whatever was sent before has arrived
	write(t, f.Live, results(tracking.Fenced), item("v", "a", 11, "was under way"))
}

func testFenceLife(t *testing.T, f Fixture) {
	purge(t, f.Live, "v")
	f.Pass(tracking.FenceLife - 2*time.Second)
	if err := f.Live.Register(t.Context(), slot("v"), "a", 0, life); !errors.Is(err, tracking.ErrFenced) {
		t.Fatalf("just before the fence's end: got %v, want ErrFenced", err)
	}
	purge(t, f.Live, "v") // repeated: the fence begins anew
	f.Pass(tracking.FenceLife - 2*time.Second)
	if err := f.Live.Register(t.Context(), slot("v"), "a", 0, life); !errors.Is(err, tracking.ErrFenced) {
		t.Fatalf("after a repeated purge: got %v, want ErrFenced", err)
	}
	f.Pass(2 * time.Second)
	if keys := f.Keys(); len(keys) != 0 {
		t.Errorf("after the fence's end: %+v", keys)
	}
	write(t, f.Live, results(tracking.Missing), item("v", "a", 99, "very late"))
}

func testExpiry(t *testing.T, f Fixture) {
	register(t, f.Live, "v", "a", 0)
	f.Pass(life - 2*time.Second)
	write(t, f.Live, results(tracking.Written), item("v", "a", 1, "p")) // renews
	f.Pass(life - 2*time.Second)
	holds(t, f.Live, map[string]string{"v": "p"})
	write(t, f.Live, results(tracking.OutOfOrder), item("v", "a", 1, "p")) // does not renew
	f.Pass(2 * time.Second)
	holds(t, f.Live, map[string]string{"v": ""})
	if keys := f.Keys(); len(keys) != 0 {
		t.Errorf("after the lease: %+v", keys)
	}
	write(t, f.Live, results(tracking.Missing), item("v", "a", 2, "p"))
	register(t, f.Live, "v", "a", 0)
	f.Pass(life)
	write(t, f.Live, results(tracking.Missing), item("v", "a", 1, "p")) // a registration runs out too
}

func testEveryKeyExpires(t *testing.T, f Fixture) {
	long := 24 * time.Hour
	for _, v := range []string{"bare", "placed", "blanked", "ended"} {
		if err := f.Live.Register(t.Context(), slot(v), "a", 0, long); err != nil {
			t.Fatal(err)
		}
	}
	a, b := item("placed", "a", 1, "p"), item("blanked", "a", 1, "")
	a.TTL, b.TTL = long, long
	write(t, f.Live, results(tracking.Written, tracking.Written), a, b)
	purge(t, f.Live, "ended", "unknown")
	keys := f.Keys()
	if len(keys) != 5 {
		t.Errorf("%d keys, want 5", len(keys))
	}
	for _, k := range keys {
		limit := tracking.PositionLife
		if k.Tombstone {
			limit = tracking.FenceLife
		}
		if k.TTL <= limit-10*time.Second || k.TTL > limit {
			t.Errorf("%s expires in %v, want %v", k.Slot.Visit, k.TTL, limit)
		}
	}
}

func testStoresApart(t *testing.T, f Fixture) {
	other := tracking.Slot{Store: "s2", Visit: "v"}
	register(t, f.Live, "v", "a", 0)
	if err := f.Live.Register(t.Context(), other, "b", 0, life); err != nil {
		t.Fatal(err)
	}
	got, err := f.Live.Write(t.Context(), []tracking.LiveWrite{{Slot: other, Owner: "b", Seq: 1, Payload: []byte("there"), TTL: life}})
	if err != nil || len(got) != 1 || got[0] != tracking.Written {
		t.Fatalf("write in the other store: %v, %v", got, err)
	}
	holds(t, f.Live, map[string]string{"v": ""})
	purge(t, f.Live, "v")
	there, err := f.Live.Read(t.Context(), "s2", []string{"v"})
	if err != nil || string(there["v"]) != "there" {
		t.Errorf("the other store after a purge here: %q, %v", there["v"], err)
	}
}

func testArguments(t *testing.T, f Fixture) {
	l, ctx := f.Live, t.Context()
	ok := item("v", "a", 1, "p")
	write := func(w tracking.LiveWrite) error {
		_, err := l.Write(ctx, []tracking.LiveWrite{ok, w})
		return err
	}
	noOwner, longOwner, high, noStore, braced := ok, ok, ok, ok, ok
	noStore.Slot.Store, braced.Slot.Store = "", "s{1"
	noOwner.Owner, longOwner.Owner, high.Seq = "", strings.Repeat("a", 256), 1<<53
	_, readErr := l.Read(ctx, "a}b", []string{"v"})
	for name, err := range map[string]error{
		"no store":                  l.Register(ctx, tracking.Slot{Visit: "v"}, "a", 0, life),
		"a brace in the store":      l.Register(ctx, tracking.Slot{Store: "a}b", Visit: "v"}, "a", 0, life),
		"no visit":                  l.Register(ctx, tracking.Slot{Store: store}, "a", 0, life),
		"no owner":                  l.Register(ctx, slot("v"), "", 0, life),
		"no lease":                  l.Register(ctx, slot("v"), "a", 0, 0),
		"a number beyond a double":  l.Register(ctx, slot("v"), "a", -1<<53, life),
		"write: no store":           write(noStore),
		"write: a brace":            write(braced),
		"write: no owner":           write(noOwner),
		"write: a long owner":       write(longOwner),
		"write: a high number":      write(high),
		"read: a brace":             readErr,
		"purge: an empty visit":     l.Purge(ctx, store, []string{"v", ""}),
		"publish: no channel":       l.Publish(ctx, "", nil),
		"subscribe: no channel":     l.Subscribe(ctx, func(tracking.Message) {}),
		"subscribe: a line's break": l.Subscribe(ctx, func(tracking.Message) {}, "a\nb"),
	} {
		if !errors.Is(err, live.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	if keys := f.Keys(); len(keys) != 0 {
		t.Errorf("refused arguments left %+v", keys)
	}
}

func testContext(t *testing.T, f Fixture) {
	if err := f.Live.Ping(t.Context()); err != nil {
		t.Fatalf("ping: %v", err)
	}
	register(t, f.Live, "v", "a", 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, writeErr := f.Live.Write(ctx, []tracking.LiveWrite{item("v", "a", 1, "p")})
	_, readErr := f.Live.Read(ctx, store, []string{"v"})
	for name, err := range map[string]error{
		"register": f.Live.Register(ctx, slot("v"), "b", 0, life),
		"write":    writeErr, "read": readErr,
		"purge":     f.Live.Purge(ctx, store, []string{"v"}),
		"publish":   f.Live.Publish(ctx, store, nil),
		"subscribe": f.Live.Subscribe(ctx, func(tracking.Message) {}, store),
		"ping":      f.Live.Ping(ctx),
	} {
		if !errors.Is(err, live.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want ErrUnavailable for a cancelled context", name, err)
		}
	}
	// None of it was sent: the number is free, the owner the same, and there is no tombstone.
	write(t, f.Live, results(tracking.Written), item("v", "a", 1, "p"))
}
