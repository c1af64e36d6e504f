// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// A feed that tells everything from the beginning at every poll, twice and in any order, says nothing new: the ended
// visit is gone once, the one after it goes on, and an alert does not go back to what it was.
func TestAFeedThatRepeatsItself(t *testing.T) {
	for range 3 {
		seed := rand.Uint64()
		inBubble(t, func(h *house) {
			h.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			b := h.make("b", h.clock)
			b.ledger.mangle = func(f *consent.Feed) {
				all, err := h.ledger.Poll(h.Context(), "b", 0)
				h.ok(err)
				f.Entries = slices.Concat(all.Entries, all.Entries)
				r.Shuffle(len(f.Entries), func(i, j int) { f.Entries[i], f.Entries[j] = f.Entries[j], f.Entries[i] })
			}
			h.run(b)
			<-b.Started()
			kim := h.join(b, shop, "kim")
			ana := h.shopper("ana", "assist")
			first := ana.enter(b)
			old := first.help()
			h.pass(time.Second)
			must(b.End(h.Context(), ana.stop(consent.EndStore)))(h)
			ana.grant("assist", consent.ForATerm)
			second := ana.enter(b)
			alert := second.help()
			kim.claim(b, alert)
			must(b.Act(h.Context(), shop, alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "kim"}}))(h)
			h.pass(3 * tracking.PollEvery)
			equal(h, "the first phone's reason", first.phone.end(), consent.Withdrawn)
			equal(h, "the second phone's reason", second.phone.end(), consent.Reason(""))
			equal(h, "accepted", second.at(desk()).Accepted, true)
			gone := 0
			for _, f := range kim.about(old) {
				if f["type"] == "gone" {
					gone++
				} else if gone > 0 {
					t.Fatalf("after it was gone, kim was sent %v", f)
				}
			}
			equal(h, "gone frames", gone, 1)
			last := 0.0
			for _, f := range kim.about(alert) {
				if a, ok := f["alert"].(map[string]any); ok {
					if v := a["version"].(float64); v < last {
						t.Fatalf("version %v after %v", v, last)
					} else {
						last = v
					}
				}
			}
			equal(h, "the last version", last, 3)
		})
	}
}
