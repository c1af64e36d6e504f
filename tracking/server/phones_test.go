// SPDX-License-Identifier: Apache-2.0

package server

import (
	"testing"

	"pgregory.net/rapid"
)

// TestPhones: the sweep goes to each that is open, once, whoever came and went in whatever order.
func TestPhones(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := make([]*phone, 8)
		for i := range all {
			all[i] = new(phone)
		}
		ps, open := newPhones(), map[*phone]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			p := rapid.SampledFrom(all).Draw(t, "phone")
			if rapid.Bool().Draw(t, "comes") && !open[p] {
				ps.add(p)
				open[p] = true
			} else {
				ps.remove(p) // it may be gone already
				delete(open, p)
			}
			list := ps.list()
			if len(list) != len(open) {
				t.Fatalf("%d are gone to, %d are open", len(list), len(open))
			}
			seen := map[*phone]bool{}
			for _, p := range list {
				if !open[p] || seen[p] {
					t.Fatal("one is gone to that is not open, or twice")
				}
				seen[p] = true
			}
		}
	})
}
