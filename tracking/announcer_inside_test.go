// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// crier is a live state that takes its time with each hint, and remembers them by visit.
type crier struct {
	Live
	takes func() time.Duration

	mu   sync.Mutex
	said map[string][]int64
}

func (c *crier) Publish(ctx context.Context, _ string, payload []byte) error {
	select {
	case <-time.After(c.takes()):
	case <-ctx.Done():
		return ctx.Err()
	}
	var h hint
	if err := json.Unmarshal(payload, &h); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said[h.Visit] = append(c.said[h.Visit], h.T)
	return nil
}

func announcing(t *testing.T, takes func() time.Duration) (*Node, *crier) {
	c := &crier{takes: takes, said: make(map[string][]int64)}
	n := New(Config{ID: "a", Live: c, Clock: SystemClock{}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- n.announcer.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return n, c
}

func TestHintsOfAVisitKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, c := announcing(t, func() time.Duration { return rand.N(10 * time.Millisecond) })
		want := make(map[string][]int64)
		for i := range int64(400) {
			visit := fmt.Sprint("v", i%20)
			n.announcer.say(hint{Kind: hintHidden, Visit: visit, T: i})
			want[visit] = append(want[visit], i)
		}
		time.Sleep(10 * time.Second)
		c.mu.Lock()
		defer c.mu.Unlock()
		if !maps.EqualFunc(c.said, want, slices.Equal) {
			t.Errorf("said %v", c.said)
		}
		if lost := n.Stats.HintsDropped.Load(); lost != 0 {
			t.Errorf("%d dropped", lost)
		}
	})
}

// What has waited for as long as it takes to read the live state is not sent any more; and no more waits than there is room for.
func TestALateHintIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, c := announcing(t, func() time.Duration { return 150 * time.Millisecond })
		for i := range int64(3) {
			n.announcer.say(hint{Kind: hintShown, Visit: "v", T: i})
		}
		time.Sleep(10 * time.Millisecond) // the first is on its way
		n.boot.Store(int64(hintLife + time.Millisecond))
		n.announcer.say(hint{Kind: hintHidden, Visit: "v", T: 3})
		time.Sleep(time.Second)
		c.mu.Lock()
		if !slices.Equal(c.said["v"], []int64{0, 3}) {
			t.Errorf("said %v", c.said)
		}
		c.mu.Unlock()
		before := n.Stats.HintsDropped.Load()
		if before != 2 {
			t.Errorf("%d counted as dropped", before)
		}
		for range laneMost + 5 {
			n.announcer.say(hint{Kind: hintShown, Visit: "w"})
		}
		if more := n.Stats.HintsDropped.Load() - before; more < 4 || more > 5 { // one may have left already
			t.Errorf("%d of 5 too many were dropped", more)
		}
	})
}
