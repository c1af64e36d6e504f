// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// Whoever is urgent goes before whoever is patient, each in the order of coming; who gave up is
// passed over, and the turn is never lost.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		if err := turns.take(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var order []string
		wait := func(ctx context.Context, name string, urgent bool) {
			go func() {
				if turns.take(ctx, urgent) != nil {
					return
				}
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				turns.give()
			}()
			synctest.Wait()
		}
		tired, giveUp := context.WithCancel(t.Context())
		wait(t.Context(), "grant 1", false)
		wait(t.Context(), "grant 2", false)
		wait(tired, "gave up", true)
		wait(t.Context(), "end", true)
		wait(t.Context(), "poll", true)
		giveUp()
		synctest.Wait()
		turns.give()
		synctest.Wait()
		if want := []string{"end", "poll", "grant 1", "grant 2"}; !slices.Equal(order, want) {
			t.Errorf("the turns went to %v, not to %v", order, want)
		}
		if err := turns.take(t.Context(), false); err != nil {
			t.Errorf("the turn is lost: %v", err)
		}
	})
}
