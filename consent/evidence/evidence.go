// SPDX-License-Identifier: Apache-2.0

// Package evidence holds a list of promises against what shows them: each line names the tests that do, and mutants,
// which are the real code with one guard taken out, that those tests must find. A list is a JSON file beside the test
// that runs All over it, and a page for people that is made of it.
//
//	go test PACKAGE                        the list, the page, a few mutants
//	go test PACKAGE -run Mutants -all      every mutant, and which test finds which
//	go test PACKAGE -run Page -update      writes the page anew
//	go test PACKAGE -run Passed -report F  holds the list against the output of go test -json
package evidence

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var (
	all    = flag.Bool("all", false, "apply every mutant instead of a few")
	settle = flag.Bool("settle", false, "with -all: ask no more of what is settled")
	update = flag.Bool("update", false, "write the page instead of comparing it")
	report = flag.String("report", "", "the output of go test -json in which every test named must have passed")
)

// List is a list of promises, lines.json in the folder of the test.
type List struct {
	Lines int    // how many it has
	Page  string // the page for people
	Intro string // its first lines
	Few   int    // how many mutants an ordinary run applies
}

// root is the module's folder, seen from a test two folders below it.
const root = "../.."

// line is one promise.
type line struct {
	Line    int      `json:"line"`
	Group   string   `json:"group"`
	Says    string   `json:"says"`
	Law     string   `json:"law"`  // where it comes from; may be empty
	Does    []string `json:"does"` // endpoints and functions
	Tests   []shown  `json:"tests"`
	Mutants []mutant `json:"mutants"`
}

// shown names tests: a package, and the pattern that picks them.
type shown struct {
	Pkg string `json:"pkg"`
	Run string `json:"run"`
}

// mutant is the real code with one guard taken out; or with two, where each alone is enough.
type mutant struct {
	File string `json:"file"`
	Old  string `json:"old"` // once in the file
	New  string `json:"new"`
	Too  string `json:"too,omitempty"`  // the other guard, in the same file; empty for none
	With string `json:"with,omitempty"` // what takes its place
}

// all are the patterns of the tests that a pattern picks, one for each alternative: every one of them is promised.
func (s shown) all() []string {
	before, rest, found := strings.Cut(s.Run, "(")
	inner, after, closed := strings.Cut(rest, ")")
	if !found || !closed {
		return strings.Split(s.Run, "|")
	}
	var out []string
	for name := range strings.SplitSeq(inner, "|") {
		out = append(out, shown{s.Pkg, before + name + after}.all()...)
	}
	return out
}

// top is the name of the test function that a pattern picks.
func top(pattern string) string {
	name, _, _ := strings.Cut(pattern, "/")
	return strings.Trim(name, "^$")
}

// Whole wants the list complete: so many lines in order, each with what does it, a test and a mutant.
func (l List) Whole(t *testing.T) {
	list := read(t)
	if len(list) != l.Lines {
		t.Fatalf("%d lines, want %d", len(list), l.Lines)
	}
	for i, r := range list {
		if r.Line != i+1 {
			t.Errorf("line %d stands in place %d", r.Line, i+1)
		}
		if r.Group == "" || r.Says == "" || len(r.Does) == 0 || len(r.Tests) == 0 || len(r.Mutants) == 0 {
			t.Errorf("line %d lacks its group, what it says, what does it, a test or a mutant", r.Line)
		}
		seen := map[mutant]bool{}
		for _, m := range r.Mutants {
			if seen[m] {
				t.Errorf("line %d has a mutant of %s twice", r.Line, m.File)
			}
			seen[m] = true
		}
	}
}

func read(t testing.TB) []line {
	t.Helper()
	data, err := os.ReadFile("lines.json")
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var list []line
	if err := dec.Decode(&list); err != nil {
		t.Fatalf("lines.json: %v", err)
	}
	return list
}

// PageIs wants the page for people to say what the list says.
func (l List) PageIs(t *testing.T) {
	want := l.render(read(t))
	if *update {
		if err := os.WriteFile(l.Page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(l.Page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what lines.json makes: run this test with -update", l.Page)
	}
}

func (l List) render(list []line) []byte {
	var b bytes.Buffer
	b.WriteString(l.Intro)
	group := ""
	for _, r := range list {
		if r.Group != group {
			group = r.Group
			fmt.Fprintf(&b, "\n## %s\n\n| | what | by | shown by | mutants |\n| --- | --- | --- | --- | --- |\n", group)
		}
		says := r.Says
		if r.Law != "" {
			says += " (" + r.Law + ")"
		}
		var tests []string
		for _, s := range r.Tests {
			tests = append(tests, code(strings.TrimPrefix(s.Pkg, "./")+" "+strings.NewReplacer("^", "", "$", "", "|", " or ").Replace(s.Run)))
		}
		var does []string
		for _, d := range r.Does {
			does = append(does, code(d))
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %d |\n", r.Line, says, strings.Join(does, ", "), strings.Join(tests, ", "), len(r.Mutants))
	}
	return b.Bytes()
}

func code(s string) string { return "`" + s + "`" }
