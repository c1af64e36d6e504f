// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"bufio"
	"encoding/json"
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

// TestsAreThere wants every test that is named in the source of its package.
func (l List) TestsAreThere(t *testing.T) {
	known := map[string][]string{}
	for _, r := range read(t) {
		for _, s := range r.Tests {
			if known[s.Pkg] == nil {
				known[s.Pkg] = testsIn(t, filepath.Join(root, s.Pkg))
			}
			for _, one := range s.all() {
				pattern, err := regexp.Compile("^(" + top(one) + ")$")
				if err != nil {
					t.Fatalf("line %d: %s: %v", r.Line, s.Run, err)
				}
				if !slices.ContainsFunc(known[s.Pkg], pattern.MatchString) {
					t.Errorf("line %d: %s has no test %s", r.Line, s.Pkg, one)
				}
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

// TestsPassed wants every test that is named to have passed, in the report of a run of all tests.
func (l List) TestsPassed(t *testing.T) {
	if *report == "" {
		return // nothing to hold the list against: .ci/run gives one
	}
	passed := readReport(t, *report)
	for _, r := range read(t) {
		for _, s := range r.Tests {
			pkg := "doorstep/" + strings.TrimPrefix(s.Pkg, "./")
			for _, one := range s.all() {
				if !slices.ContainsFunc(passed[pkg], func(name string) bool { return matches(one, name) }) {
					t.Errorf("line %d: no test of %s that matches %s has passed", r.Line, pkg, one)
				}
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
