// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"testing"
	"time"

	"doorstep/consent"
)

// counted is what a node hands in of the shop, in the window of now.
func (h *house) counted(node, version string, zones map[string]int) consent.Counted {
	return consent.Counted{Node: node, Store: "shop", Map: version, Window: consent.WindowOf(h.clock.now()), Zones: zones}
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
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("a", "m1", map[string]int{"a": 0, "b": 9, "c": 5, "d": 12, "e": 25, "f": 1000})))
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("b", "m1", map[string]int{"c": 5, "d": 12, "g": 24})))
		h.ok(h.ledger.KeepCounts(h.ctx, h.counted("b", "m1", map[string]int{"c": 5, "d": 13, "g": 24}))) // again: it replaces
		h.equal("before it closes", len(h.counts()), 0)
		h.wants(h.ledger.CloseCounts(h.ctx, "shop", "m1", window), consent.ErrRequest)
		h.close(window)
		h.same([]consent.CountedWindow{{Store: "shop", Window: window, Map: "m1", Zones: map[string]consent.Band{
			"c": consent.Some, "d": consent.Many, "e": consent.Many, "f": consent.Many, "g": consent.Some}}}, h.counts())
	},
	"a window is closed once, and takes nothing more": func(_ *testing.T, h *house) {
		window := consent.WindowOf(h.clock.now())
		h.close(window)
		h.ok(h.store.KeepCounts(h.ctx, consent.Counted{Node: "z", Store: "shop", Map: "m1", Window: window, Zones: map[string]int{"a": 25}}))
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
