// SPDX-License-Identifier: Apache-2.0

package endmodel

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// TestCanonical walks at random under any guards at all. What can follow a state has to be what can
// follow its canonical form, but for steps that change nothing of importance.
func TestCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)) // rapid itself prefers small choices
		for range 10 {
			g := someGuards(r)
			s := start(2)
			for range 100 {
				if !maps.Equal(futures(g, s), futures(g, s.canonical(g))) {
					t.Fatalf("under %+v the canonical form has another future: %+v", g, s)
				}
				s = wander(r, g, s)
			}
		}
	})
}

func someGuards(r *rand.Rand) Guards {
	g := AllGuards()
	for i := range reflect.TypeFor[Guards]().NumField() {
		reflect.ValueOf(&g).Elem().Field(i).SetBool(r.IntN(6) > 0)
	}
	return g
}

// wander takes a step that breaks nothing, or sets out again.
func wander(r *rand.Rand, g Guards, s state) state {
	var after []state
	next(g, s, func(_ string, to state) {
		if to.broken == 0 {
			after = append(after, to)
		}
	})
	if len(after) == 0 {
		return start(2)
	}
	return after[r.IntN(len(after))]
}

func futures(g Guards, s state) map[state]bool {
	set := map[state]bool{s.canonical(g): true}
	next(g, s, func(_ string, to state) { set[to.canonical(g)] = true })
	return set
}

// TestSearch compares distances in random graphs with those found by relaxing every edge until nothing changes.
func TestSearch(t *testing.T) {
	const size = 9
	rapid.Check(t, func(t *rapid.T) {
		edges := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, size-1), 0, 3), size, size).Draw(t, "edges")
		s := newSearch(0, func(from int, emit func(string, int)) {
			for _, to := range edges[from] {
				emit(string(rune('a'+to)), to)
			}
		})
		s.run(func(int) bool { return false })
		want := distances(edges)
		if len(s.order) != len(want) {
			t.Fatalf("found %v, reachable are %v", s.order, want)
		}
		for i, at := range s.order {
			if d, ok := want[at]; !ok || len(s.path(i)) != d {
				t.Fatalf("%d is %d steps away, found in %d", at, d, len(s.path(i)))
			}
			if i > 0 && s.label(i) != string(rune('a'+at)) {
				t.Fatalf("the step to %d is called %q", at, s.label(i))
			}
		}
	})
}

func distances(edges [][]int) map[int]int {
	far := map[int]int{0: 0}
	for range edges {
		for from, tos := range edges {
			d, reached := far[from]
			for _, to := range tos {
				if old, ok := far[to]; reached && (!ok || d+1 < old) {
					far[to] = d + 1
				}
			}
		}
	}
	return far
}
