// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"doorstep/consent"
)

var raceCases = map[string]func(*testing.T, *house){
	"what was served before an end cannot be decided after it": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		for name, r := range map[string]consent.EndRequest{
			"all":   {Kind: consent.EndAll, Subject: p.subject},
			"store": {Kind: consent.EndStore, Scope: p.scope()},
			"grant": {Kind: consent.EndGrant, Scope: p.scope(), Purpose: "assist"},
		} {
			q := h.ask(p, "assist")
			h.end(r)
			_, err := h.ledger.Decide(h.ctx, answer(p, q, consent.ForATerm))
			if !errors.Is(err, consent.ErrServed) {
				h.Fatalf("after an end of kind %s: %v", name, err)
			}
			h.equal("grants", len(h.admit(p).Grants), 0)
		}
	},
	"an end elsewhere leaves a served notice alone": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		q := h.ask(p, "assist")
		h.end(consent.EndRequest{Kind: consent.EndStore, Scope: h.phone("ana", "k1", "other").scope()})
		h.end(consent.EndRequest{Kind: consent.EndGrant, Scope: p.scope(), Purpose: "pickup"})
		h.end(consent.EndRequest{Kind: consent.EndAll, Subject: h.keys.Subject("ben")})
		must(h.ledger.Decide(h.ctx, answer(p, q, consent.ForATerm)))(h)
	},
	"a grant that races a withdrawal resolves to withdrawn": func(t *testing.T, h *house) {
		const rounds = 40
		for i := range rounds {
			p := h.phone("ana", fmt.Sprint("k", i), "shop")
			r := answer(p, h.ask(p, "assist"), consent.ForATerm)
			var both sync.WaitGroup
			both.Go(func() {
				if _, err := h.ledger.Decide(h.ctx, r); err != nil && !errors.Is(err, consent.ErrServed) {
					t.Error(err)
				}
			})
			both.Go(func() {
				if _, err := h.ledger.End(h.ctx, consent.EndRequest{ID: newID(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn}); err != nil {
					t.Error(err)
				}
			})
			both.Wait()
			h.equal("grants", len(h.admit(p).Grants), 0)
		}
	},
	"one served id, eight deciders, one grant": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		q := h.ask(p, "assist")
		receipts, lost, failed := make([]string, 8), counter{}, counter{}
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() { // four of each, and one kind wins
				d, err := h.ledger.Decide(h.ctx, answer(p, q, []consent.Choice{consent.ForATerm, consent.ThisVisit}[n%2]))
				switch receipts[n] = d.Receipt; {
				case errors.Is(err, consent.ErrServed):
					lost.add()
				case err != nil:
					failed.add()
				}
			})
		}
		all.Wait()
		slices.Sort(receipts)
		h.equal("receipts, lost, failed", [3]int{len(slices.Compact(receipts)) - 1, lost.n, failed.n}, [3]int{1, 4, 0})
		h.equal("leaves", must(h.ledger.TreeHead(h.ctx))(h).Size, int64(1))
	},
	"one end id, eight askers, one end": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		r := consent.EndRequest{ID: newID(), Kind: consent.EndStore, Scope: p.scope(), Reason: consent.Withdrawn}
		var first, failed counter
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				e, err := h.ledger.End(h.ctx, r)
				if err != nil || len(e.Ends) != 1 {
					failed.add()
				} else if !e.Repeated {
					first.add()
				}
			})
		}
		all.Wait()
		h.equal("first, failed", [2]int{first.n, failed.n}, [2]int{1, 0})
		h.equal("epoch", h.admit(p).Epoch, int64(2))
	},
}

// counter counts from several goroutines.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}
