// SPDX-License-Identifier: Apache-2.0

package requirements

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	update = flag.Bool("update", false, "write REQUIREMENTS.md instead of comparing it")
	report = flag.String("report", "", "the output of go test -json in which every test named must have passed")
)

// lines is how many the law's list has.
const lines = 47

// root is the module's folder, and page the list for people.
const (
	root = "../.."
	page = "../REQUIREMENTS.md"
)

// requirement is one line of the list.
type requirement struct {
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

// mutant is the real code with one guard taken out.
type mutant struct {
	File string `json:"file"`
	Old  string `json:"old"` // once in the file
	New  string `json:"new"`
}

// top is the name of the test function that a pattern picks.
func (s shown) top() string {
	name, _, _ := strings.Cut(s.Run, "/")
	return strings.Trim(name, "^$")
}

func read(t testing.TB) []requirement {
	t.Helper()
	data, err := os.ReadFile("lines.json")
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var list []requirement
	if err := dec.Decode(&list); err != nil {
		t.Fatalf("lines.json: %v", err)
	}
	return list
}

// The list is whole: 47 lines in order, each with what does it, a test and a mutant.
func TestListIsWhole(t *testing.T) {
	list := read(t)
	if len(list) != lines {
		t.Fatalf("%d lines, want %d", len(list), lines)
	}
	for i, r := range list {
		if r.Line != i+1 {
			t.Errorf("line %d stands in place %d", r.Line, i+1)
		}
		if r.Group == "" || r.Says == "" || len(r.Does) == 0 || len(r.Tests) == 0 || len(r.Mutants) == 0 {
			t.Errorf("line %d lacks its group, what it says, what does it, a test or a mutant", r.Line)
		}
	}
}

// Every test that is named is in the source of its package.
func TestNamedTestsAreThere(t *testing.T) {
	known := map[string][]string{}
	for _, r := range read(t) {
		for _, s := range r.Tests {
			if known[s.Pkg] == nil {
				known[s.Pkg] = testsIn(t, filepath.Join(root, s.Pkg))
			}
			pattern, err := regexp.Compile("^(" + s.top() + ")$")
			if err != nil {
				t.Fatalf("line %d: %s: %v", r.Line, s.Run, err)
			}
			if !slices.ContainsFunc(known[s.Pkg], pattern.MatchString) {
				t.Errorf("line %d: %s has no test %s", r.Line, s.Pkg, s.Run)
			}
		}
	}
}

func testsIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

// In the report of a run of all tests, every test that is named has passed.
func TestNamedTestsPassed(t *testing.T) {
	if *report == "" {
		return // nothing to hold the list against: .ci/run gives one
	}
	passed := readReport(t, *report)
	for _, r := range read(t) {
		for _, s := range r.Tests {
			pkg := "doorstep/" + strings.TrimPrefix(s.Pkg, "./")
			if !slices.ContainsFunc(passed[pkg], func(name string) bool { return matches(s.Run, name) }) {
				t.Errorf("line %d: no test of %s that matches %s has passed", r.Line, pkg, s.Run)
			}
		}
	}
}

// matches applies a pattern as go test does: part by part.
func matches(run, name string) bool {
	parts := strings.Split(name, "/")
	patterns := strings.Split(run, "/")
	if len(parts) < len(patterns) {
		return false
	}
	for i, p := range patterns {
		if ok, err := regexp.MatchString(p, parts[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

func readReport(t *testing.T, name string) map[string][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	passed := map[string][]string{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e struct{ Action, Package, Test string }
		if json.Unmarshal(in.Bytes(), &e) == nil && e.Action == "pass" && e.Test != "" {
			passed[e.Package] = append(passed[e.Package], e.Test)
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return passed
}

// The page for people says what the list says.
func TestPageIsTheList(t *testing.T) {
	want := render(read(t))
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("consent/REQUIREMENTS.md is not what lines.json makes: go test ./consent/requirements -run Page -update")
	}
}

func render(list []requirement) []byte {
	var b bytes.Buffer
	b.WriteString(`# What the law asks, and what does it

Generated from requirements/lines.json; a test compares the two. Each line is a behaviour with a test. The test fails
when the guard is taken out: the last column counts the mutants of the real code that are applied to see it
(` + "`go test ./consent/requirements -run Mutants -all`" + `). It is engineering, not legal advice.
`)
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
