// SPDX-License-Identifier: Apache-2.0

package server

import (
	"sync"
	"sync/atomic"
	"testing"
)

// TestATurn: whatever comes in while somebody reads is read, by one at a time. Each round begins and ends with nobody there, so
// that word that was left for nobody shows.
func TestATurn(t *testing.T) {
	const rounds, comers = 5_000, 4
	var (
		whose   turn
		came    atomic.Int64
		read    int64 // by whose turn it is
		reading atomic.Bool
	)
	for round := range rounds {
		var all sync.WaitGroup
		for range comers {
			all.Go(func() {
				came.Add(1)
				if !whose.take() {
					return
				}
				for again := true; again; again = !whose.giveBack() {
					if reading.Swap(true) {
						t.Error("two read at once")
					}
					read += came.Swap(0)
					reading.Store(false)
				}
			})
		}
		all.Wait()
		if want := int64(comers * (round + 1)); read != want {
			t.Fatalf("%d of %d were read", read, want)
		}
	}
}
