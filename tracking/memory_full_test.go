// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"testing"

	"doorstep/consent"
)

// Redis has no memory left: positions are dropped and counted, nobody new is let in, who is hidden stays so, and a
// withdrawal is answered like any other. With memory again, what was to be hidden is, by itself, and positions are kept.
func TestRedisHasNoMemory(t *testing.T) {
	server := startRedis(t)
	h := newHouse(t, openRedis(t, server.URL()))
	memory := func(most int) { h.ok(server.Do(h.Context(), "CONFIG", "SET", "maxmemory", most)) }
	n := h.start("a")
	_, v, mei, alert := h.watched(n, n)
	ben, cem := h.shopper("ben", "assist"), h.shopper("cem", "assist")
	w := ben.open(n)
	h.until("ben is inside, and written", func() bool { w.at(desk()); return w.payload() != nil })

	memory(1)
	before := n.Stats.Unstored.Load()
	h.until("a position is dropped, and counted", func() bool { v.at(desk()); return n.Stats.Unstored.Load() > before })
	if _, err := n.Open(h.Context(), cem.opening(), &phone{log: h.log}); err == nil {
		t.Error("somebody was let in whom Redis knows nothing of")
	}
	v.stepOut()
	h.until("hidden on screen", func() bool { return lastPresence(mei, alert) == "hidden" })
	from, before := len(h.log.all()), n.Stats.Unstored.Load()
	a := must(n.End(h.Context(), ben.stop(consent.EndStore)))(h)
	equal(h, "ends", len(a.Ending.Ends), 1)
	equal(h, "erased at the answer", w.tombstone(), true)
	h.until("the blanking was tried again", func() bool { return n.Stats.Unstored.Load() > before+1 })
	if v.payload() == nil {
		t.Fatal("nothing was there to hide: this shows nothing")
	}
	memory(0)
	h.until("blank in Redis", func() bool { return v.payload() == nil })
	equal(h, "shown while hidden", shownSince(h, from, mei, alert), 0)
	h.until("seen again", func() bool { v.at(desk()); return v.payload() != nil && lastPresence(mei, alert) == "visible" })
	equal(h, "sessions", n.Sessions(), 1)
}
