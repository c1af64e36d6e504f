// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long one test may take against one mutant.
const patience = 3 * time.Minute

// builds are the tests of packages as they are with one mutant in them, or with none: each is built when it is first needed.
type builds struct {
	dir     string // absolute
	overlay string // for the compiler; empty: none
	made    map[string]string
}

// run runs one test and says what came of it, with what it printed.
func (b *builds) run(t testing.TB, s shown) (verdict, string) {
	t.Helper()
	program, out, err := b.program(t.Context(), s.Pkg)
	if err != nil {
		return broken, out
	}
	// The program gives up a little before it is given up.
	ctx, cancel := context.WithTimeout(t.Context(), patience+30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-test.paniconexit0", "-test.timeout", patience.String(), "-test.run", s.Run)
	cmd.Dir, cmd.Env = filepath.Join(root, s.Pkg), quiet(os.Environ())
	said, err := cmd.CombinedOutput()
	return judge(string(said), err), string(said)
}

// program is the package's tests as a program.
func (b *builds) program(ctx context.Context, pkg string) (path, out string, err error) {
	if path, ok := b.made[pkg]; ok {
		if path == "" {
			return "", "it did not build", errors.New("not built")
		}
		return path, "", nil
	}
	if b.made == nil {
		b.made = map[string]string{}
	}
	b.made[pkg] = ""
	path = filepath.Join(b.dir, strings.ReplaceAll(strings.TrimPrefix(pkg, "./"), "/", "-")+".test")
	args := []string{"test", "-c", "-ldflags=-s -w", "-o", path}
	if b.overlay != "" {
		args = append(args, "-overlay", b.overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
	cmd.Dir = root
	said, err := cmd.CombinedOutput()
	if err == nil {
		b.made[pkg] = path
	}
	return path, string(said), err
}

// drop removes the programs: each has many megabytes.
func (b *builds) drop() {
	for _, path := range b.made {
		os.Remove(path)
	}
	b.made = nil
}

// quiet is an environment in which a test does not add to what is searched at the end of a whole run: what a mutant
// says is not what a server says.
func quiet(env []string) []string {
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "DOORSTEP_TEST_LOGS=") })
}

var (
	crashed = regexp.MustCompile(`(?m)^(panic: |fatal error: )`)
	failed  = regexp.MustCompile(`(?m)^\s*--- FAIL: `)
)

// judge tells a test that failed by its own judgement from one that only did not end well.
func judge(out string, err error) verdict {
	_, ran := errors.AsType[*exec.ExitError](err)
	switch {
	case strings.Contains(out, "testing: warning: no tests to run"), err != nil && !ran:
		return broken
	case err == nil:
		return passed
	case strings.Contains(out, "panic: test timed out after"):
		return hung
	case failed.MatchString(out) && !crashed.MatchString(out):
		return found
	}
	return fell
}

// unmutated runs each test once with no mutant: one that fails anyway would find all of them.
type unmutated struct {
	mu     sync.Mutex
	builds builds
	said   map[shown]outcome
}

type outcome struct {
	verdict
	out string
}

func (u *unmutated) run(t *testing.T, s shown) (verdict, string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if o, ok := u.said[s]; ok {
		return o.verdict, o.out
	}
	if u.said == nil {
		u.said = map[shown]outcome{}
	}
	v, out := u.builds.run(t, s)
	u.said[s] = outcome{v, out}
	return v, out
}

// each are the tests of a line one by one.
func (r line) each() (out []shown) {
	for _, s := range r.Tests {
		for _, one := range s.all() {
			out = append(out, shown{s.Pkg, one})
		}
	}
	return out
}

// String is a test for people.
func (s shown) String() string { return strings.TrimPrefix(s.Pkg, "./") + " " + s.Run }

var needs sync.Map // by package: the folders of all that is in its tests

// reaches reports whether a file is in the tests of a package: as source, or embedded.
func (s shown) reaches(t testing.TB, file string) bool {
	t.Helper()
	dirs, ok := needs.Load(s.Pkg)
	if !ok {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-test", "-f", "{{if not .Standard}}{{.Dir}}{{end}}", s.Pkg)
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("what %s needs: %v", s.Pkg, err)
		}
		dirs = strings.Fields(string(out))
		needs.Store(s.Pkg, dirs)
	}
	dir, err := filepath.Abs(filepath.Join(root, filepath.Dir(file)))
	if err != nil {
		t.Fatal(err)
	}
	for {
		if sources, _ := filepath.Glob(filepath.Join(dir, "*.go")); len(sources) > 0 || dir == filepath.Dir(dir) {
			return slices.Contains(dirs.([]string), dir)
		}
		dir = filepath.Dir(dir) // an embedded file is its package's
	}
}
