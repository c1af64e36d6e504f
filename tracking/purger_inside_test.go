// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
)

// shards is a live state of which one shard answers, one refuses and one is silent.
type shards struct {
	Live
	mu     sync.Mutex
	purged map[string]int
}

var errShard = errors.New("this shard is out of reach")

func (s *shards) Purge(ctx context.Context, store string, _ []string) error {
	switch store[0] {
	case 'd':
		return errShard
	case 's':
		<-ctx.Done()
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.purged[store]++
	return nil
}

// A shard that cannot be reached keeps no purge from the others, the first time or when it is repeated; and what it has
// not confirmed is not called purged.
func TestAShardOutOfReachKeepsNoOtherWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &shards{purged: make(map[string]int)}
		p := New(Config{Live: l, Clock: SystemClock{}}).purger
		slots := []Slot{{"reached", "v"}, {"also reached", "v"}}
		for i := range 20 {
			slots = append(slots, Slot{fmt.Sprint("down ", i), "w"}, Slot{fmt.Sprint("silent ", i), "w"})
		}
		ctx, cancel := context.WithTimeout(t.Context(), WriteDeadline)
		defer cancel()
		if err := p.now(ctx, slots); !errors.Is(err, errShard) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("answered %v", err)
		}
		const rounds = 5
		for range rounds {
			p.repeat(t.Context())
		}
		for _, store := range []string{"reached", "also reached"} {
			if n := l.purged[store]; n != 1+rounds {
				t.Errorf("%s was purged %d times, want %d", store, n, 1+rounds)
			}
		}
		if left := p.withUnconfirmed(slots); len(left) != 40 {
			t.Errorf("%d are not confirmed, want 40", len(left))
		}
	})
}
