// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"fmt"
	"slices"
	"strings"
)

// verdict is what a test said of a mutant.
type verdict string

const (
	found  verdict = "finds"        // fails by its own judgement
	passed verdict = "passes"       //
	fell   verdict = "falls over"   // the program panics, or leaves something behind: no judgement
	hung   verdict = "hangs"        // until its time is over: the same
	broken verdict = "cannot begin" // is not built, or not there
	spared verdict = "is not asked" // found one before, as did another this one
	beyond verdict = "is beyond"    // has nothing of the mutated file in it
)

// matrix is what each test of a line said of each of its mutants.
type matrix struct {
	tests   []shown
	mutants []applicable
	said    [][]verdict // by mutant, then by test
}

// wrong tells which mutants nobody finds, and which tests find none.
func (x matrix) wrong() (out []string) {
	for i, m := range x.mutants {
		if count(x.said[i], found) == 0 {
			out = append(out, fmt.Sprintf("nothing misses mutant %d: %q of %s, replaced by %q", m.number, m.Old, m.File, m.New))
		}
	}
	for i, s := range x.tests {
		if count(x.of(i), found) == 0 {
			out = append(out, fmt.Sprintf("%s finds no mutant of its line, so it shows nothing of it: give the line the mutant that it finds, or name another test", s))
		}
	}
	return out
}

// unsettledFirst are the tests by their places, those first that have found none yet.
func (x matrix) unsettledFirst() (out []int) {
	for i := range x.tests {
		out = append(out, i)
	}
	slices.SortStableFunc(out, func(i, j int) int { return min(count(x.of(i), found), 1) - min(count(x.of(j), found), 1) })
	return out
}

// of is what one test said.
func (x matrix) of(test int) []verdict {
	out := make([]verdict, len(x.said))
	for i, row := range x.said {
		out[i] = row[test]
	}
	return out
}

func count(said []verdict, v verdict) (n int) {
	for _, s := range said {
		if s == v {
			n++
		}
	}
	return n
}

// String is a line for each test: which mutants it finds, by their numbers, and what it said of the others.
func (x matrix) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d tests, %d mutants", len(x.tests), len(x.mutants))
	for i, s := range x.tests {
		fmt.Fprintf(&b, "\n  %s:", s)
		for _, v := range []verdict{found, passed, fell, hung, broken, spared, beyond} {
			if count(x.of(i), v) == 0 {
				continue
			}
			fmt.Fprintf(&b, " %s", v)
			for j, said := range x.of(i) {
				if said == v {
					fmt.Fprintf(&b, " %d", x.mutants[j].number)
				}
			}
			b.WriteString(";")
		}
	}
	return b.String()
}
