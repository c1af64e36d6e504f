// SPDX-License-Identifier: Apache-2.0

package endmodel

import (
	"fmt"
	"math/bits"
	"slices"
)

// Report is what an exploration found.
type Report struct {
	States    int      // different states seen: all that can be reached, if no promise was broken
	Depth     int      // steps from the start to the last of them
	Violation string   // the promise that was broken, by its number; empty if none can be
	Trace     []string // a shortest way there, one readable step each, with the time since L
}

// Explore tries every order of events under the guards g, with at most that many failovers, and stops
// at the first broken promise. Nothing else is bounded: it goes on until nothing new can happen. It
// keeps about a hundred bytes for each state.
func Explore(g Guards, failovers uint8) Report {
	return explore(g, failovers, allPromises, func(state) {})
}

// explore watches some of the promises only, and shows each state to visit.
func explore(g Guards, failovers uint8, watched promise, visit func(state)) Report {
	s := newSearch(start(failovers), func(from state, emit func(string, state)) {
		next(g, from, func(text string, to state) {
			to.broken &= watched
			emit(text, to.canonical(g))
		})
	})
	found := s.run(func(st state) bool {
		visit(st)
		return st.broken != 0
	})
	r := Report{States: len(s.order), Depth: len(s.path(len(s.order) - 1))}
	if found >= 0 {
		first := promise(1) << bits.TrailingZeros8(uint8(s.order[found].broken))
		r.Violation, r.Trace = broken[first], story(s, s.path(found))
	}
	return r
}

// next emits every state that can follow, with the promises it breaks.
func next(g Guards, from state, emit func(string, state)) {
	var to state
	for i := range steps {
		to = from
		if steps[i].do(&to, g) {
			to.broken |= to.brokenByHolding(g)
			emit(steps[i].text, to)
		}
	}
}

func story(s *search[state], path []int) []string {
	var lines []string
	for _, i := range path {
		when := "     "
		if to := s.order[i]; to.ledger != granted {
			when = fmt.Sprintf("L+%-3d", to.sinceL)
		}
		lines = append(lines, when+s.label(i))
	}
	return lines
}

// search is a breadth-first search of any graph whose states can be compared. It keeps no labels: a
// trace finds them by walking its own way once more.
type search[S comparable] struct {
	next   func(S, func(string, S))
	seen   map[S]struct{}
	order  []S     // by discovery, and so by distance
	parent []int32 // index in order; the start is its own
}

func newSearch[S comparable](start S, next func(S, func(string, S))) *search[S] {
	return &search[S]{next: next, seen: map[S]struct{}{start: {}}, order: []S{start}, parent: []int32{0}}
}

// run goes through the states by distance until stop accepts one, and returns its index, or -1 when
// there are no more.
func (s *search[S]) run(stop func(S) bool) int {
	for i := 0; i < len(s.order); i++ {
		if stop(s.order[i]) {
			return i
		}
		from := s.order[i]
		s.next(from, func(_ string, to S) {
			if to != from {
				s.add(to, int32(i))
			}
		})
	}
	return -1
}

func (s *search[S]) add(to S, parent int32) {
	if _, known := s.seen[to]; known {
		return
	}
	s.seen[to] = struct{}{}
	s.order = append(s.order, to)
	s.parent = append(s.parent, parent)
}

// path lists the indices on the way from the start, itself left out, to i.
func (s *search[S]) path(i int) []int {
	var way []int
	for ; i != 0; i = int(s.parent[i]) {
		way = append(way, i)
	}
	slices.Reverse(way)
	return way
}

// label is the step by which the state at i was discovered.
func (s *search[S]) label(i int) string {
	var label string
	s.next(s.order[s.parent[i]], func(text string, to S) {
		if label == "" && to == s.order[i] {
			label = text
		}
	})
	return label
}
