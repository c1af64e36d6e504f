// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"sync"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
)

// storm cuts most sockets off and has all of them come back at once, as after a network's hiccup.
func (r *run) storm(ctx context.Context, rep *Report) error {
	var cut []*phone
	for _, p := range r.phones {
		if len(cut) < min(stormMost, r.Sessions*2/3) && p.isOpen() {
			cut = append(cut, p)
		}
	}
	for _, p := range cut {
		p.drop()
	}
	r.say("%d sockets are cut off; all of them come back", len(cut))
	begin := time.Now()
	var all sync.WaitGroup
	for _, p := range cut {
		all.Go(func() { r.comeBack(ctx, p) })
	}
	all.Wait()
	rep.Storm, rep.StormSeconds = len(cut), time.Since(begin).Seconds()
	r.settleDown(ctx)
	return ctx.Err()
}

// comeBack has one phone come back: it waits as the specification says, tries, and tries again. A resume token works once; if an
// attempt used it up, a ticket follows.
func (r *run) comeBack(ctx context.Context, p *phone) {
	var err error
	for n, end := 0, time.Now().Add(stormGivesUp); time.Now().Before(end) && ctx.Err() == nil; n++ {
		time.Sleep(client.Backoff(n, 0))
		asked := time.Now()
		if n == 0 {
			err = p.resumed(ctx)
		} else {
			err = p.open(ctx)
		}
		if err == nil {
			r.toWelcome.took(time.Since(asked))
			return
		}
	}
	r.lose("a session did not come back: " + err.Error())
}

// stormGivesUp is when a phone that was cut off is counted as lost: the lease of its visit.
const stormGivesUp = 30 * time.Second
