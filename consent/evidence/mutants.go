// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Mutated applies mutants. The files are exchanged for the compiler alone (-overlay): the source stays as it is.
//
// An ordinary run applies a few, and wants one of their line's tests to miss the guard; the code that is tested chooses
// which, so that in time all have their turn. With -all every test of a line meets every mutant of it, and it is told
// which finds which: each mutant has to be found, and each test has to find one. A test that finds none shows
// nothing of its line, however often it passes. One line alone: -all -run 'Mutants/line_33$'. With -settle as well a test
// that has found one is not asked about a mutant that was found: it takes half the time, and says less.
func (l List) Mutated(t *testing.T) {
	list := read(t)
	mutants := 0
	for _, r := range list {
		mutants += len(r.Mutants)
	}
	calm := &unmutated{builds: builds{dir: t.TempDir()}}
	i, applied := 0, 0
	for _, r := range list {
		var picked []applicable
		for n, m := range r.Mutants {
			mutated, err := m.apply()
			if err != nil {
				t.Errorf("line %d: %v", r.Line, err)
			} else if *all || hasTurn(mutated, i, mutants, l.Few) {
				picked = append(picked, applicable{m, n + 1, mutated})
			}
			i++
		}
		applied += len(picked)
		if len(picked) == 0 {
			continue
		}
		t.Run(fmt.Sprintf("line %d", r.Line), func(t *testing.T) {
			t.Parallel()
			if *all {
				r.eachFindsOne(t, picked, calm)
			} else {
				r.areFound(t, picked)
			}
		})
	}
	t.Logf("%d of %d mutants applied", applied, mutants)
}

// applicable is a mutant, and the file as it leaves it.
type applicable struct {
	mutant
	number  int // in its line, from 1
	mutated []byte
}

// hasTurn picks few of n by what the code says now.
func hasTurn(mutated []byte, i, n, few int) bool {
	h := fnv.New32a()
	fmt.Fprintf(h, "%d|", i)
	h.Write(mutated)
	return int(h.Sum32()%uint32(n)) < few
}

// apply is the file with the guard taken out.
func (m mutant) apply() ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		return nil, err
	}
	text := string(source)
	for _, guard := range [][2]string{{m.Old, m.New}, {m.Too, m.With}} {
		if guard[0] == "" {
			continue
		}
		if n := strings.Count(text, guard[0]); n != 1 {
			return nil, fmt.Errorf("%s holds %q %d times, want once: the guard has moved, so write its mutant anew", m.File, guard[0], n)
		}
		text = strings.Replace(text, guard[0], guard[1], 1)
	}
	return []byte(text), nil
}

// areFound wants each mutant found by one of the line's tests, and asks no more of them once one is.
func (r line) areFound(t *testing.T, mutants []applicable) {
	for _, m := range mutants {
		b := &builds{dir: t.TempDir(), overlay: m.overlay(t)}
		var said []verdict
		for _, s := range r.Tests {
			if !s.reaches(t, m.File) {
				continue
			}
			v, out := b.run(t, s)
			if said = append(said, v); v == found {
				break
			} else if v == broken {
				t.Fatalf("%s could not be tried against mutant %d of %s:\n%s", s, m.number, m.File, out)
			}
		}
		if !slices.Contains(said, found) {
			t.Errorf("nothing misses %q of %s, replaced by %q: its tests %v", m.Old, m.File, m.New, said)
		}
	}
}

// eachFindsOne wants of every test of the line that it finds a mutant, and of every mutant that it is found.
func (r line) eachFindsOne(t *testing.T, mutants []applicable, calm *unmutated) {
	for _, s := range r.each() {
		if v, out := calm.run(t, s); v != passed {
			t.Fatalf("%s %s without any mutant, so it tells nothing:\n%s", s, v, out)
		}
	}
	x := r.meet(t, mutants)
	t.Log(x)
	for _, wrong := range x.wrong() {
		t.Error(wrong)
	}
}

// meet has every test of the line meet every mutant.
func (r line) meet(t *testing.T, mutants []applicable) matrix {
	x := matrix{tests: r.each(), mutants: mutants}
	for _, m := range mutants {
		b := &builds{dir: t.TempDir(), overlay: m.overlay(t)}
		row := make([]verdict, len(x.tests))
		for _, i := range x.unsettledFirst() {
			s := x.tests[i]
			row[i] = beyond
			if !s.reaches(t, m.File) {
				continue
			}
			if row[i] = spared; *settle && slices.Contains(row, found) && slices.Contains(x.of(i), found) {
				continue
			}
			var out string
			if row[i], out = b.run(t, s); row[i] == broken {
				t.Errorf("%s could not be tried against mutant %d of %s:\n%s", s, m.number, m.File, out)
			}
		}
		b.drop()
		x.said = append(x.said, row)
	}
	return x
}

// overlay writes the file that tells the compiler what to read instead.
func (m applicable) overlay(t *testing.T) string {
	dir := t.TempDir()
	other := filepath.Join(dir, filepath.Base(m.File))
	real, err := filepath.Abs(filepath.Join(root, m.File))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": {real: other}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "overlay.json")
	for file, content := range map[string][]byte{other: m.mutated, name: data} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return name
}
