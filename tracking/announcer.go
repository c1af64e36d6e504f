// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

// announcer sends hints for which nobody waits, apart from what has to be committed: a live state that hangs must not hold an
// end up. The hints of one visit keep their order, since one that is hidden after it was shown must not be shown. What could
// not be sent for a second is dropped: what it would have said has been read by then from the live state itself.
type announcer struct {
	node  *Node
	seed  maphash.Seed
	lanes [announcerLanes]chan announcement
}

type announcement struct {
	hint
	at time.Duration // boot time, as of the last flush
}

const (
	announcerLanes = 8
	laneMost       = 1 << 12 // hints that may wait in a lane
	hintLife       = liveEvery
)

func newAnnouncer(n *Node) *announcer {
	a := &announcer{node: n, seed: maphash.MakeSeed()}
	for i := range a.lanes {
		a.lanes[i] = make(chan announcement, laneMost)
	}
	return a
}

// say sends a hint soon, or never. It does not block.
func (a *announcer) say(h hint) {
	lane := a.lanes[maphash.String(a.seed, h.Visit)%announcerLanes]
	select {
	case lane <- announcement{h, time.Duration(a.node.boot.Load())}:
	default:
		a.node.Stats.HintsDropped.Add(1)
	}
}

func (a *announcer) run(ctx context.Context) error {
	var lanes sync.WaitGroup
	for _, lane := range a.lanes {
		lanes.Go(func() { a.send(ctx, lane) })
	}
	lanes.Wait()
	return ctx.Err()
}

func (a *announcer) send(ctx context.Context, lane <-chan announcement) {
	for {
		select {
		case <-ctx.Done():
			return
		case said := <-lane:
			if time.Duration(a.node.boot.Load())-said.at > hintLife {
				a.node.Stats.HintsDropped.Add(1)
				continue
			}
			a.node.hint(ctx, said.hint)
		}
	}
}
