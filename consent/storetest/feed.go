// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

var feedCases = map[string]func(*testing.T, *house){
	"under eight writers a poller sees each change once, in order": func(t *testing.T, h *house) {
		const writers, rounds = 8, 20
		for w := range writers {
			h.decide(h.phone("ana", fmt.Sprint("k", w), "shop"), "assist", consent.ForATerm)
		}
		h.ok(h.store.Join(h.ctx, "poller"))
		var all sync.WaitGroup
		done := make(chan struct{})
		for w := range writers {
			all.Go(func() { churn(t, h, h.phone("ana", fmt.Sprint("k", w), "shop"), rounds) })
		}
		go func() { all.Wait(); close(done) }()
		seen, since := int64(0), int64(0)
		for finished := false; ; {
			f := must(h.store.Poll(h.ctx, "poller", since))(h)
			for _, e := range f.Entries {
				seen++
				h.equal("change number", e.Change, seen)
			}
			since = f.Change
			if finished && !f.More {
				break
			}
			select {
			case <-done:
				finished = true
			default:
			}
		}
		h.equal("entries", seen, int64(writers*rounds*3)) // an alert, an end, the alert's end
	},
	"a page holds five hundred, and says that there is more": func(_ *testing.T, h *house) {
		for i := range 501 {
			until := time.Time{}
			if i%2 == 0 {
				until = h.clock.now().Add(time.Hour)
			}
			h.ok(h.ledger.SetDuty(h.ctx, "n1", "shop", everyPurpose, until))
		}
		h.ok(h.store.Join(h.ctx, "n1"))
		f := must(h.store.Poll(h.ctx, "n1", 0))(h)
		h.equal("first page", fmt.Sprint(len(f.Entries), f.Change, f.More), "500 500 true")
		f = must(h.store.Poll(h.ctx, "n1", f.Change))(h)
		h.equal("second page", fmt.Sprint(len(f.Entries), f.Change, f.More), "1 501 false")
	},
	"only who is listed may poll": func(_ *testing.T, h *house) {
		_, err := h.store.Poll(h.ctx, "n1", 0)
		h.wants(err, consent.ErrNotListed)
		h.ok(h.store.Join(h.ctx, "n1"))
		must(h.store.Poll(h.ctx, "n1", 0))(h)
		h.clock.pass(consent.NodeLife)
		h.ok(h.ledger.Prune(h.ctx))
		must(h.store.Poll(h.ctx, "n1", 0))(h)
		h.clock.pass(consent.NodeLife + time.Millisecond)
		h.ok(h.ledger.Prune(h.ctx))
		_, err = h.store.Poll(h.ctx, "n1", 0)
		h.wants(err, consent.ErrNotListed)
	},
	"who has missed something, or knows too much, is told": func(_ *testing.T, h *house) {
		h.ok(h.ledger.SetDuty(h.ctx, "n0", "shop", everyPurpose, h.clock.now().Add(100*time.Hour)))
		h.ok(h.ledger.SetDuty(h.ctx, "n0", "shop", everyPurpose, time.Time{}))
		h.clock.pass(consent.FeedLife + time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		h.ok(h.ledger.SetDuty(h.ctx, "n0", "shop", everyPurpose, h.clock.now().Add(time.Hour)))
		h.ok(h.store.Join(h.ctx, "n1"))
		_, err := h.store.Poll(h.ctx, "n1", 1)
		h.wants(err, consent.ErrBehind)
		_, err = h.store.Poll(h.ctx, "n1", 4)
		h.wants(err, consent.ErrBehind)
		for _, since := range []int64{0, 2} {
			f := must(h.store.Poll(h.ctx, "n1", since))(h)
			h.equal("entries", fmt.Sprint(len(f.Entries), f.Change), "1 3")
		}
	},
	"duty is the store's as a whole": func(_ *testing.T, h *house) {
		p, until := h.phone("ana", "k1", "shop"), h.clock.now().Add(time.Minute)
		h.decide(p, "assist", consent.ForATerm)
		h.decide(h.phone("ana", "k1", "other"), "assist", consent.ForATerm)
		h.ok(h.ledger.SetDuty(h.ctx, "n1", "shop", everyPurpose, until))
		h.ok(h.ledger.SetDuty(h.ctx, "n2", "shop", everyPurpose, until))
		h.equal("on duty", h.attended(p), "assist ")
		h.equal("elsewhere", h.attended(h.phone("ana", "k1", "other")), "")
		h.ok(h.ledger.SetDuty(h.ctx, "n1", "shop", everyPurpose, time.Time{}))
		h.equal("one is left", h.attended(p), "assist ")
		h.ok(h.store.Leave(h.ctx, "n2"))
		h.equal("nobody is left", h.attended(p), "")
		var told string
		for _, e := range h.feed(0) {
			if e.Kind == consent.EntryDuty {
				told += string(e.Kind) + string(e.Body)
			}
		}
		h.equal("told", told, `duty{"on":true}duty{"on":false}`)
		h.ok(h.ledger.SetDuty(h.ctx, "n1", "shop", everyPurpose, until))
		h.clock.pass(time.Minute)
		h.equal("run out", h.attended(p), "")
	},
	"duty is for a purpose": func(_ *testing.T, h *house) {
		p, until := h.phone("ana", "k1", "shop"), h.clock.now().Add(time.Minute)
		for _, purpose := range []string{"assist", "pickup", "pocket"} {
			h.decide(p, purpose, consent.ForATerm)
		}
		h.equal("nobody is there, and a pocket calls nobody", h.attended(p), "pocket ")
		h.ok(h.ledger.SetDuty(h.ctx, "n1", "shop", []string{"pickup"}, until))
		h.equal("at the counter", h.attended(p), "pickup pocket ")
		h.ok(h.ledger.SetDuty(h.ctx, "n2", "shop", everyPurpose, until))
		h.equal("for everything", h.attended(p), "assist pickup pocket ")
		h.ok(h.ledger.SetDuty(h.ctx, "n2", "shop", everyPurpose, time.Time{}))
		h.ok(h.ledger.SetDuty(h.ctx, "n2", "shop", []string{"assist", "pickup"}, until))
		h.ok(h.ledger.SetDuty(h.ctx, "n2", "shop", []string{"pickup"}, time.Time{}))
		h.ok(h.store.Leave(h.ctx, "n1"))
		h.equal("who is left is there for one", h.attended(p), "assist pocket ")
	},
}

// everyPurpose is the duty of somebody who is there for whatever there is.
var everyPurpose = []string{consent.EveryPurpose}

// attended are the purposes granted for which somebody is on duty.
func (h *house) attended(p phone) string {
	h.Helper()
	a := h.admit(p)
	a.Grants = slices.DeleteFunc(a.Grants, func(g consent.Grant) bool { return !g.Attended })
	return purposes(a)
}

// churn raises an alert and ends the visit, again and again.
func churn(t *testing.T, h *house, p phone, rounds int) {
	for i := range rounds {
		a, err := h.ledger.Admit(h.ctx, p.scope())
		if err != nil {
			t.Error(err)
			return
		}
		id := fmt.Sprint(p.installation, i)
		if _, _, err := h.store.RaiseAlert(h.ctx, tracking.Alert{ID: id, Store: p.store, Visit: a.Visit, Kind: tracking.Help}); err != nil {
			t.Error(err)
			return
		}
		r := consent.EndRequest{ID: newID(), Kind: consent.EndSession, Scope: p.scope(), Visit: a.Visit, Reason: consent.Bye}
		if _, err := h.ledger.End(h.ctx, r); err != nil {
			t.Error(err)
			return
		}
	}
}
