// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"doorstep/tracking"
)

// testConcurrentOwners has connections take a visit from one another. Whoever registered last is
// the only one whose writes go through, and of each owner's writes the numbers only rise.
func testConcurrentOwners(t *testing.T, f Fixture) {
	const owners, writes = 6, 60
	var wg sync.WaitGroup
	var written atomic.Int64
	for o := range owners {
		wg.Go(func() {
			owner := fmt.Sprintf("owner-%d", o)
			if err := f.Live.Register(t.Context(), slot("v"), owner, 0, life); err != nil {
				t.Errorf("register: %v", err)
			}
			lost := false
			for i := range int64(writes) {
				got, err := f.Live.Write(t.Context(), []tracking.LiveWrite{shown(item("v", owner, i+1, owner))})
				if err != nil {
					t.Errorf("write: %v", err)
					return
				}
				switch {
				case got[0] == tracking.NotOwner:
					lost = true
				case got[0] != tracking.Written:
					t.Errorf("%s: write %d got %d", owner, i, got[0])
				case lost:
					t.Errorf("%s wrote after it had lost the visit", owner)
				default:
					written.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if written.Load() < writes {
		t.Errorf("%d writes went through, want at least the %d of the last owner", written.Load(), writes)
	}
}

// testConcurrentPurge ends visits under writers, readers and a subscriber: from the moment a
// purge has returned nothing of the visit can be read, and no write goes through.
func testConcurrentPurge(t *testing.T, f Fixture) {
	const visits = 24
	var wg sync.WaitGroup
	for v := range visits {
		visit := fmt.Sprintf("v%d", v)
		register(t, f.Live, visit, "a", 0)
		var purged atomic.Bool
		ctx, stop := context.WithCancel(t.Context())
		wg.Go(func() { writeUntilFenced(t, ctx, f.Live, visit, &purged) })
		wg.Go(func() {
			defer stop()
			for i := range v {
				if _, err := f.Live.Read(t.Context(), store, []string{visit}); err != nil {
					t.Errorf("read %d: %v", i, err)
				}
			}
			if err := f.Live.Purge(t.Context(), store, []string{visit}); err != nil {
				t.Errorf("purge: %v", err)
			}
			purged.Store(true)
			for range 20 {
				got, err := f.Live.Read(t.Context(), store, []string{visit})
				if err != nil || len(got) != 0 {
					t.Errorf("after the purge: %d positions, %v", len(got), err)
				}
			}
		})
	}
	wg.Wait()
	for _, k := range f.Keys() {
		if !k.Tombstone {
			t.Errorf("left behind: %+v", k)
		}
	}
}

func writeUntilFenced(t *testing.T, ctx context.Context, l tracking.Live, visit string, purged *atomic.Bool) {
	for seq := int64(1); ; seq++ {
		over := purged.Load() // before the write is sent
		got, err := l.Write(ctx, []tracking.LiveWrite{shown(item(visit, "a", seq, "p"))})
		if errors.Is(err, context.Canceled) {
			return
		}
		if err != nil {
			t.Errorf("write: %v", err)
			return
		}
		if over && got[0] != tracking.Fenced {
			t.Errorf("a write after the purge got %d", got[0])
		}
		if got[0] == tracking.Fenced {
			return
		}
	}
}
