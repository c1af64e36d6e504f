// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"doorstep/consent"
	"doorstep/consent/storetest"
)

// A withdrawal is one instant between its call and its answer, wherever one looks from: before it a visit may be
// seen there, from it on never again.

// place is where a visit is seen: by its own session, by the ledger, in the live state, on somebody's screen.
type place struct{ visit, where string }

// look is an operation at a place: the withdrawal itself, or a look at whether the visit is seen.
type look struct {
	place
	withdraws bool
}

// history is what was done to visits and seen of them, in time of the house's boot clock.
type history struct {
	mu  sync.Mutex
	ops []porcupine.Operation
}

// saw notes a look that began at a time and has just ended.
func (h *house) saw(visit, where string, began time.Duration, seen bool) {
	h.history.add(look{place: place{visit, where}}, began, h.clock.Boot(), seen)
}

func (h *house) withdrew(visit string, began time.Duration) {
	h.history.add(look{place{visit, ""}, true}, began, h.clock.Boot(), false)
}

func (y *history) add(l look, call, ret time.Duration, seen bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.ops = append(y.ops, porcupine.Operation{Input: l, Output: seen, Call: int64(call), Return: int64(ret)})
}

// oneInstant is a place: its state is whether the visit has been withdrawn.
var oneInstant = porcupine.Model{
	Init: func() any { return false },
	Step: func(over, input, seen any) (bool, any) {
		if input.(look).withdraws {
			return true, true
		}
		return seen.(bool) != over.(bool), over
	},
}

// linearizable takes what the screens were sent into account, and has each place, beside the withdrawals, judged.
func (h *house) linearizable() {
	h.Helper()
	visits := map[string]string{} // by alert
	for _, e := range h.log.all() {
		if e.who == "answered" {
			visits[e.frame["alert"].(string)] = e.what
		}
	}
	for _, e := range h.log.all() {
		if e.frame == nil || e.what == "snapshot" || e.who == "answered" {
			continue
		}
		if visit, ok := visits[alertOf(e.frame)]; ok {
			h.history.add(look{place: place{visit, e.who}}, e.at, e.at, e.what != "gone")
		}
	}
	at, ends := map[place][]porcupine.Operation{}, map[string]porcupine.Operation{}
	for _, o := range h.history.ops {
		if l := o.Input.(look); l.withdraws {
			ends[l.visit] = o
		} else {
			at[l.place] = append(at[l.place], o)
		}
	}
	kinds := map[string]int{}
	for p, ops := range at {
		end, ended := ends[p.visit]
		if !ended {
			h.Fatal("a visit was never withdrawn")
		}
		kinds[p.where] += len(ops)
		if !porcupine.CheckOperations(oneInstant, append(ops, end)) {
			h.Errorf("what %s saw of a visit is not linearizable with its withdrawal", p.where)
		}
	}
	places := []string{"session", "mei", "kim"}
	if h.memory == nil {
		places = append(places, "ledger", "live")
	}
	for _, where := range places {
		if kinds[where] == 0 {
			h.Errorf("%s was never looked at: %v", where, kinds)
		}
	}
}

// lookAround looks at a visit in the ledger and in the live state until it is over.
func (v *visitor) lookAround(s *shopper, over <-chan struct{}) {
	h := v.h
	for {
		began := h.clock.Boot()
		a, err := h.ledger.Admit(h.Context(), s.scope)
		if err != nil {
			h.Errorf("admit: %v", err)
			return
		}
		h.saw(v.hid, "ledger", began, a.Visit == v.hid && len(a.Grants) > 0)
		began = h.clock.Boot()
		if found, err := h.live.Read(h.Context(), s.scope.Store, []string{v.hid}); err != nil {
			h.Errorf("read: %v", err)
		} else if found[v.hid] != nil { // that nothing is there yet, or is hidden, says nothing
			h.saw(v.hid, "live", began, true)
		}
		select {
		case <-over:
			return
		case <-time.After(40 * time.Millisecond):
		}
	}
}

// Fixes, calls for help, looks and reads from everywhere while shoppers withdraw, on both databases, on one Redis and
// on a cluster. No key of either outlives its time.
func TestWithdrawalsUnderLoad(t *testing.T) {
	t.Run("sqlite, one redis", func(t *testing.T) {
		t.Parallel()
		s := startRedis(t)
		newHouse(t, openRedis(t, s.URL())).loaded(s)
	})
	t.Run("postgres, a cluster", func(t *testing.T) {
		t.Parallel()
		c := startCluster(t)
		h := newHouseOn(t, openRedis(t, c.URL()), consent.NewKeys(), storetest.Postgres)
		h.loaded(append(c.Primaries, c.Replicas...)...)
	})
}
