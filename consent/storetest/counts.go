// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"testing"
	"time"

	"doorstep/consent"
)

// Marks are so many different people by zone, as a node hands them in: the people of one name and number are the same.
func Marks(name string, zones map[string]int) map[string][]string {
	marks := map[string][]string{}
	for zone, n := range zones {
		for i := range n {
			marks[zone] = append(marks[zone], fmt.Sprint(name, " ", i))
		}
	}
	return marks
}

// counted is whom a node hands in of the shop, in the window of now.
func (h *house) counted(name, version string, zones map[string]int) consent.Counted {
	return consent.Counted{Store: "shop", Map: version, Window: consent.WindowOf(h.clock.now()), Zones: Marks(name, zones)}
}

// close passes to the end of the window and closes it.
func (h *house) close(window time.Time) {
	h.Helper()
	h.clock.pass(window.Add(consent.CountWindow).Sub(h.clock.now()))
	h.ok(h.ledger.CloseCounts(h.ctx, "shop", "m1", window))
}

func (h *house) counts() []consent.CountedWindow {
	h.Helper()
	return must(h.ledger.Counts(h.ctx, "shop", time.Unix(0, 0)))(h)
}

var countCases = map[string]func(*testing.T, *house){
	"what nodes count adds up to bands, at their edges": func(_ *testing.T, h *house) {
		window := consent.WindowOf(h.clock.now())
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("a", "m1", map[string]int{"a": 0, "b": 9, "c": 5, "d": 12, "e": 25, "f": 30})))
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("b", "m1", map[string]int{"c": 5, "d": 12, "g": 24})))
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("b", "m1", map[string]int{"c": 5, "d": 13, "g": 24}))) // again: it adds who is new
		h.equal("before it closes", len(h.counts()), 0)
		h.wants(h.ledger.CloseCounts(h.ctx, "shop", "m1", window), consent.ErrRequest)
		h.close(window)
		h.same([]consent.CountedWindow{{Store: "shop", Window: window, Map: "m1", Zones: map[string]consent.Band{
			"c": consent.Some, "d": consent.Many, "e": consent.Many, "f": consent.Many, "g": consent.Some}}}, h.counts())
	},
	"nobody adds up with themselves, whichever nodes hand them in": func(_ *testing.T, h *house) {
		window := consent.WindowOf(h.clock.now())
		for range 3 {
			h.ok(h.ledger.KeepCounts(h.ctx, h.counted("same", "m1", map[string]int{"a": 9, "b": 10, "c": 24})))
		}
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("one more", "m1", map[string]int{"c": 1})))
		h.close(window)
		h.same([]consent.CountedWindow{{Store: "shop", Window: window, Map: "m1", Zones: map[string]consent.Band{
			"b": consent.Some, "c": consent.Many}}}, h.counts())
	},
	"somebody counted by two maps has the window withheld": func(_ *testing.T, h *house) {
		window := consent.WindowOf(h.clock.now())
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("same", "m2", map[string]int{"a": 25})))
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("same", "m1", map[string]int{"a": 25})))
		h.close(window)
		h.same([]consent.CountedWindow{{Store: "shop", Window: window, Zones: map[string]consent.Band{}}}, h.counts())
	},
	"a mark is good for one person, zone and window": func(_ *testing.T, h *house) {
		p, window := h.phone("ana", "k1", "shop"), consent.WindowOf(h.clock.now())
		m := h.ledger.CountMark("shop", "a", window, p.subject)
		h.equal("again", h.ledger.CountMark("shop", "a", window, p.subject), m)
		for what, other := range map[string]string{
			"store": h.ledger.CountMark("other", "a", window, p.subject), "zone": h.ledger.CountMark("shop", "b", window, p.subject),
			"window": h.ledger.CountMark("shop", "a", window.Add(consent.CountWindow), p.subject),
			"person": h.ledger.CountMark("shop", "a", window, h.phone("ben", "k1", "shop").subject),
		} {
			h.equal("another "+what, other != m, true)
		}
	},
	"a window is closed once, and takes nothing more": func(_ *testing.T, h *house) {
		window := consent.WindowOf(h.clock.now())
		h.close(window)
		h.ok(h.store.KeepCounts(h.ctx, consent.Counted{Store: "shop", Map: "m1", Window: window, Zones: Marks("z", map[string]int{"a": 25})}))
		h.ok(h.ledger.CloseCounts(h.ctx, "shop", "m1", window))
		h.same([]consent.CountedWindow{{Store: "shop", Window: window, Map: "m1", Zones: map[string]consent.Band{}}}, h.counts())
	},
	"zones of two maps are withheld": func(_ *testing.T, h *house) {
		window := consent.WindowOf(h.clock.now())
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("a", "m1", map[string]int{"a": 25})))
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("b", "m2", map[string]int{"a": 1})))
		h.close(window)
		h.same([]consent.CountedWindow{{Store: "shop", Window: window, Zones: map[string]consent.Band{}}}, h.counts())
	},
	"closed windows are kept for four weeks": func(_ *testing.T, h *house) {
		window := consent.WindowOf(h.clock.now())
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("a", "m1", map[string]int{"a": 25})))
		h.close(window)
		h.clock.pass(window.Add(consent.CountsLife).Sub(h.clock.now()))
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("on the last day", len(h.counts()), 1)
		h.clock.pass(time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("after it", len(h.counts()), 0)
	},
}
