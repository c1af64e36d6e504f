// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

func testRegister(t *testing.T, f Fixture) {
	register(t, f.Live, "v", "a", 0)
	holds(t, f.Live, map[string]string{"v": ""})
	write(t, f.Live, results(tracking.OutOfOrder), item("v", "a", 0, "p0"))
	write(t, f.Live, results(tracking.Written), item("v", "a", 1, "p1"))
	holds(t, f.Live, map[string]string{"v": "p1"})
	purge(t, f.Live, "v")
	if err := f.Live.Register(t.Context(), slot("v"), "b", 0, life); !errors.Is(err, tracking.ErrFenced) {
		t.Errorf("register after the end: got %v, want ErrFenced", err)
	}
	for _, k := range f.Keys() {
		if !k.Tombstone {
			t.Errorf("a fenced registration left %+v", k)
		}
	}
}

func testNewestOwner(t *testing.T, f Fixture) {
	register(t, f.Live, "v", "a", 0)
	write(t, f.Live, results(tracking.Written), item("v", "a", 100, "of a"))
	register(t, f.Live, "v", "b", 0)
	holds(t, f.Live, map[string]string{"v": ""}) // the new connection has to show where the phone is
	write(t, f.Live, results(tracking.NotOwner), item("v", "a", 101, "of a"))
	write(t, f.Live, results(tracking.Written), item("v", "b", 1, "of b"))
	write(t, f.Live, results(tracking.NotOwner), item("v", "a", 102, "of a"))
	holds(t, f.Live, map[string]string{"v": "of b"})
	// One token that begins with the other's: the whole of it counts.
	write(t, f.Live, results(tracking.NotOwner), item("v", "bb", 103, "of bb"))
	register(t, f.Live, "v", "bb", 0)
	write(t, f.Live, results(tracking.NotOwner), item("v", "b", 104, "of b"))
}

func testWriteResults(t *testing.T, f Fixture) {
	register(t, f.Live, "ok", "a", -5)
	register(t, f.Live, "ended", "a", 0)
	register(t, f.Live, "other", "b", 0)
	register(t, f.Live, "old", "a", 7)
	purge(t, f.Live, "ended")
	write(t, f.Live,
		results(tracking.Missing, tracking.Written, tracking.Fenced, tracking.NotOwner, tracking.OutOfOrder),
		item("unknown", "a", 9, "p"), item("ok", "a", -4, "p"), item("ended", "a", 9, "p"), item("other", "a", 9, "p"), item("old", "a", 7, "p"))
	holds(t, f.Live, map[string]string{"unknown": "", "ok": "p", "ended": "", "other": "", "old": ""})
	big := int64(1)<<53 - 1
	write(t, f.Live, results(tracking.Written), item("ok", "a", big-1, "q"))
	write(t, f.Live, results(tracking.OutOfOrder), item("ok", "a", big-1, "r"))
	write(t, f.Live, results(tracking.Written), item("ok", "a", big, "s"))
	holds(t, f.Live, map[string]string{"ok": "s"})
}

func testLongBatch(t *testing.T, f Fixture) {
	const n = 173
	var batch []tracking.LiveWrite
	want, stored := make([]tracking.WriteResult, n), map[string]string{}
	for i := range n {
		v := fmt.Sprintf("v%d", i)
		stored[v] = ""
		want[i] = tracking.Missing
		if i%3 != 0 {
			register(t, f.Live, v, "a", 0)
			want[i], stored[v] = tracking.Written, strings.Repeat(v, 40)
		}
		batch = append(batch, item(v, "a", 1, strings.Repeat(v, 40)))
	}
	write(t, f.Live, want, batch...)
	holds(t, f.Live, stored)
}

func testTwice(t *testing.T, f Fixture) {
	register(t, f.Live, "v", "a", 0)
	register(t, f.Live, "w", "a", 0)
	write(t, f.Live,
		results(tracking.Written, tracking.Written, tracking.OutOfOrder, tracking.Written, tracking.OutOfOrder),
		item("v", "a", 2, "two"), item("w", "a", 1, "w"), item("v", "a", 1, "one"), item("v", "a", 3, "three"), item("v", "a", 3, "again"))
	holds(t, f.Live, map[string]string{"v": "three", "w": "w"})
}

// A batch of several stores: each store's is published on its own channel, all that is shown of it
// in a row at once.
func testSeveralStores(t *testing.T, f Fixture) {
	stores := []string{"s1", "s2", "s3"}
	l := listen(t, f.Live, stores...)
	var batch []tracking.LiveWrite
	for i, store := range stores {
		for _, visit := range []string{"v", "w", "x"} {
			w := shown(item(visit+store, "a", 1, store)) // another name in each, or they would go one by one
			w.Slot.Store = store
			w.Show = visit != "w"
			if i != 2 || visit != "x" {
				if err := f.Live.Register(t.Context(), w.Slot, "a", 0, life); err != nil {
					t.Fatal(err)
				}
			}
			batch = append(batch, w)
		}
	}
	want := slices.Repeat([]tracking.WriteResult{tracking.Written}, len(batch))
	want[len(want)-1] = tracking.Missing
	write(t, f.Live, want, batch...)
	got := l.all()
	for i, store := range stores {
		published := []string{"v" + store + "=" + store + ";x" + store + "=" + store + ";"}
		if i == 2 {
			published = []string{"v" + store + "=" + store + ";"}
		}
		if heard := decoded(t, got[store]); !slices.Equal(heard, published) {
			t.Errorf("on the channel of %s: %q, want %q", store, heard, published)
		}
		there, err := f.Live.Read(t.Context(), store, []string{"v" + store, "w" + store})
		if err != nil || string(there["v"+store]) != store || string(there["w"+store]) != store {
			t.Errorf("in %s: %q, %v", store, there, err)
		}
	}
}

func testNoLease(t *testing.T, f Fixture) {
	register(t, f.Live, "v", "a", 0)
	register(t, f.Live, "ended", "a", 0)
	purge(t, f.Live, "ended")
	for _, ttl := range []int64{0, -1_000_000_000, 999_999} { // ns
		late, over, unknown := item("v", "a", 5, "p"), item("ended", "a", 5, "p"), item("unknown", "a", 5, "p")
		late.TTL, over.TTL, unknown.TTL = nanos(ttl), nanos(ttl), nanos(ttl)
		write(t, f.Live, results(tracking.NotOwner, tracking.Fenced, tracking.NotOwner), late, over, unknown)
	}
	holds(t, f.Live, map[string]string{"v": "", "ended": ""})
	write(t, f.Live, results(tracking.Written), item("v", "a", 1, "p")) // the number was not taken
}

func testLate(t *testing.T, f Fixture) {
	if f.Late == nil { // nothing lies between a client and this state: late is what the caller gave up
		testGivenUp(t, f)
		return
	}
	listener := listen(t, f.Live, store)
	register(t, f.Live, "v", "a", 0)
	register(t, f.Live, "ended", "a", 0)
	purge(t, f.Live, "ended")
	write(t, f.Live, results(tracking.Written), item("v", "a", 1, "in time"))
	write(t, f.Late, results(tracking.TooLate, tracking.TooLate, tracking.TooLate),
		shown(item("v", "a", 2, "late")), item("ended", "a", 2, "late"), item("unknown", "a", 2, "late"))
	if err := f.Late.Register(t.Context(), slot("v"), "b", 9, life); !errors.Is(err, live.ErrTooLate) {
		t.Errorf("a late registration: got %v, want ErrTooLate", err)
	}
	if err := f.Late.Register(t.Context(), slot("new"), "b", 9, life); !errors.Is(err, live.ErrTooLate) {
		t.Errorf("a late registration: got %v, want ErrTooLate", err)
	}
	holds(t, f.Live, map[string]string{"v": "in time", "new": "", "unknown": ""})
	if n := len(f.Keys()); n != 2 {
		t.Errorf("%d keys, want the 2 from before", n)
	}
	if got := listener.all(); len(got[store]) != 0 {
		t.Errorf("a late write was published: %q", got)
	}
	write(t, f.Live, results(tracking.Written), item("v", "a", 2, "next")) // owner and number unmoved
}

func testBlank(t *testing.T, f Fixture) {
	register(t, f.Live, "v", "a", 0)
	write(t, f.Live, results(tracking.Written), item("v", "a", 1, "somewhere"))
	write(t, f.Live, results(tracking.OutOfOrder), item("v", "a", 1, ""))
	holds(t, f.Live, map[string]string{"v": "somewhere"})
	write(t, f.Live, results(tracking.Written), item("v", "a", 2, ""))
	holds(t, f.Live, map[string]string{"v": ""})
	keys := f.Keys()
	if len(keys) != 1 || keys[0].HasPosition || keys[0].Tombstone {
		t.Errorf("after blanking: %+v, want a bare registration", keys)
	}
	write(t, f.Live, results(tracking.OutOfOrder), item("v", "a", 2, "from before"))
	write(t, f.Live, results(tracking.Written), item("v", "a", 3, "back"))
	holds(t, f.Live, map[string]string{"v": "back"})
}

func testRead(t *testing.T, f Fixture) {
	var visits []string
	for i := range 1200 {
		visits = append(visits, fmt.Sprintf("v%d", i))
	}
	register(t, f.Live, "v3", "a", 0)
	register(t, f.Live, "v1100", "a", 0)
	payload := "\x00T{}\"\n" + strings.Repeat("x", 3000) // opaque: any bytes
	write(t, f.Live, results(tracking.Written, tracking.Written), item("v3", "a", 1, payload), item("v1100", "a", 1, "p"))
	got, err := f.Live.Read(t.Context(), store, visits)
	if err != nil || len(got) != 2 || string(got["v3"]) != payload || string(got["v1100"]) != "p" {
		t.Errorf("read: %d positions, error %v", len(got), err)
	}
	got["v3"][0] = 'x' // the reader's own copy
	holds(t, f.Live, map[string]string{"v3": payload})
	if got, err := f.Live.Read(t.Context(), store, nil); err != nil || len(got) != 0 {
		t.Errorf("read nothing: got %d, %v", len(got), err)
	}
}

// testOwners checks who owns what: with a position or without, until it ends.
func testOwners(t *testing.T, f Fixture) {
	visits := []string{"new", "placed", "blank", "over", "never"}
	for _, v := range []string{"new", "placed", "blank", "over"} {
		register(t, f.Live, v, "a", 0)
	}
	write(t, f.Live, results(tracking.Written, tracking.Written), item("placed", "a", 1, "p"), item("blank", "a", 1, "p"))
	write(t, f.Live, results(tracking.Written), item("blank", "a", 2, ""))
	register(t, f.Live, "new", "another", 0)
	purge(t, f.Live, "over")
	got, err := f.Live.Owners(t.Context(), store, visits)
	if err != nil || !maps.Equal(got, map[string]string{"new": "another", "placed": "a", "blank": "a"}) {
		t.Errorf("owners: %v, error %v", got, err)
	}
	if got, err := f.Live.Owners(t.Context(), "a}b", visits); err == nil {
		t.Errorf("a store that cannot be: %v", got)
	}
}

// testGivenUp checks that a write whose context is over is an error and stores nothing.
func testGivenUp(t *testing.T, f Fixture) {
	register(t, f.Live, "v", "a", 0)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Live.Write(over, []tracking.LiveWrite{item("v", "a", 1, "late")}); !errors.Is(err, context.Canceled) {
		t.Errorf("a write that was given up: got %v, want context.Canceled", err)
	}
	holds(t, f.Live, map[string]string{"v": ""})
}
