// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"errors"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

const gate = "./consent/evidence/testdata/gate"

// gateLine is a line with one test that shows it, one that shows nothing and one that shows a part.
var gateLine = line{
	Line:  1,
	Tests: []shown{{gate, "^(TestYoung|TestVain)$"}, {gate, "^TestTicket$/^(none|empty)$"}, {"./geofence", "^TestStep$"}},
	Mutants: []mutant{
		{File: gate + "/gate.go", Old: "age >= 14", New: "age >= 12"},
		{File: gate + "/gate.go", Old: "ticket == nil || *ticket == \"\"", New: "*ticket == \"\""}, // falls over where there is none
		{File: gate + "/gate.go", Old: "*ticket == \"\"", New: "len(*ticket) > 9"},
		{File: gate + "/gate.go", Old: "return age >= 14", New: "return !(age < 14)"}, // the same
	},
}

func TestEveryTestMeetsEveryMutant(t *testing.T) {
	var mutants []applicable
	for i, m := range gateLine.Mutants {
		mutated, err := m.apply()
		if err != nil {
			t.Fatal(err)
		}
		mutants = append(mutants, applicable{m, i + 1, mutated})
	}
	x := gateLine.meet(t, mutants)
	want := [][]verdict{ // young, vain, no ticket, an empty one, elsewhere
		{found, passed, passed, passed, beyond},
		{passed, passed, fell, passed, beyond},
		{passed, passed, passed, found, beyond},
		{passed, passed, passed, passed, beyond},
	}
	if !reflect.DeepEqual(x.said, want) {
		t.Fatalf("said %v, want %v", x.said, want)
	}
	var wrong []string
	for _, w := range x.wrong() {
		wrong = append(wrong, strings.SplitN(w, ":", 2)[0])
	}
	for i, want := range []string{"nothing misses mutant 2", "nothing misses mutant 4", "TestVain$ finds no mutant", "TestTicket$/^none$ finds no mutant", "geofence ^TestStep$ finds no mutant"} {
		if len(wrong) != 5 || !strings.Contains(wrong[i], want) {
			t.Errorf("%d: %q, want %q", i, wrong, want)
		}
	}
	if told := x.String(); !strings.Contains(told, "^TestYoung$: finds 1; passes 2 3 4;") {
		t.Error(told)
	}
}

// Where two guards cover each other, a mutant is without both; each has to be there, once.
func TestAMutantWithoutTwoGuards(t *testing.T) {
	m := mutant{File: gate + "/gate.go", Old: "age >= 14", New: "true", Too: "*ticket == \"\"", With: "false"}
	mutated, err := m.apply()
	if err != nil || strings.Contains(string(mutated), m.Old) || strings.Contains(string(mutated), m.Too) {
		t.Fatalf("%v\n%s", err, mutated)
	}
	m.Too = "nowhere"
	if _, err := m.apply(); err == nil {
		t.Error("a second guard that is not there is no matter")
	}
}

// What is settled is not asked again, and nothing else is left out.
func TestWhatIsSettledIsSpared(t *testing.T) {
	*settle = true
	t.Cleanup(func() { *settle = false })
	var mutants []applicable
	for i, n := range []int{0, 0, 2, 3} {
		m := gateLine.Mutants[n]
		mutated, err := m.apply()
		if err != nil {
			t.Fatal(err)
		}
		mutants = append(mutants, applicable{m, i + 1, mutated})
	}
	want := [][]verdict{
		{found, passed, passed, passed, beyond},
		{found, passed, passed, passed, beyond}, // asked, since nobody else found it
		{spared, passed, passed, found, beyond},
		{passed, passed, passed, passed, beyond},
	}
	if x := gateLine.meet(t, mutants); !reflect.DeepEqual(x.said, want) {
		t.Fatalf("said %v, want %v", x.said, want)
	}
}

func TestWhatDoesNotBuildIsNotFound(t *testing.T) {
	m := gateLine.Mutants[0]
	b := &builds{dir: t.TempDir(), overlay: applicable{m, 1, []byte("package gate\n\nnonsense\n")}.overlay(t)}
	for range 2 {
		if v, out := b.run(t, shown{gate, "^TestYoung$"}); v != broken || out == "" {
			t.Errorf("it %s, saying %q", v, out)
		}
	}
}

func TestOnlyAFailedTestHasFound(t *testing.T) {
	ended := error(new(exec.ExitError))
	for _, c := range []struct {
		out  string
		err  error
		want verdict
	}{
		{"PASS\n", nil, passed},
		{"testing: warning: no tests to run\nPASS\n", nil, broken},
		{"", errors.New("no such program"), broken},
		{"--- FAIL: TestA (0.00s)\n    a_test.go:3: let in\nFAIL\n", ended, found},
		{"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\n        http: panic: said a server\nFAIL\n", ended, found},
		{"--- FAIL: TestA (0.00s)\npanic: nil map [recovered]\n", ended, fell},
		{"panic: in a goroutine\n", ended, fell},
		{"fatal error: all goroutines are asleep - deadlock!\n", ended, fell},
		{"PASS\ngoleak: Errors on successful test run\n", ended, fell},
		{"panic: test timed out after 3m0s\n", ended, hung},
	} {
		if got := judge(c.out, c.err); got != c.want {
			t.Errorf("%q: %s, want %s", c.out, got, c.want)
		}
	}
}
