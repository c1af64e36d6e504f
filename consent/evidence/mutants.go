// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Mutated applies mutants, and wants at least one of their line's tests to miss the guard. The files are exchanged
// for the compiler alone (-overlay): the source stays as it is. An ordinary run applies a few; the code that is
// tested chooses which, so that in time all have their turn.
func (l List) Mutated(t *testing.T) {
	type job struct {
		line
		mutant
	}
	var jobs []job
	for _, r := range read(t) {
		for _, m := range r.Mutants {
			jobs = append(jobs, job{r, m})
		}
	}
	applied := 0
	for i, j := range jobs {
		mutated, err := j.apply()
		if err != nil {
			t.Errorf("line %d: %v", j.Line, err)
			continue
		}
		if !*all && !hasTurn(mutated, i, len(jobs), l.Few) {
			continue
		}
		applied++
		t.Run(fmt.Sprintf("line %d, %s", j.Line, j.File), func(t *testing.T) {
			t.Parallel()
			j.mustBeFound(t, mutated, j.Tests)
		})
	}
	t.Logf("%d of %d mutants applied", applied, len(jobs))
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
	if n := strings.Count(string(source), m.Old); n != 1 {
		return nil, fmt.Errorf("%s holds %q %d times, want once: the guard has moved, so write its mutant anew", m.File, m.Old, n)
	}
	return []byte(strings.Replace(string(source), m.Old, m.New, 1)), nil
}

func (m mutant) mustBeFound(t *testing.T, mutated []byte, tests []shown) {
	overlay := m.overlay(t, mutated)
	for _, s := range tests {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-overlay", overlay, "-run", s.Run, s.Pkg)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		switch said := string(out); {
		case err == nil:
		case strings.Contains(said, "--- FAIL") || strings.Contains(said, "panic:"):
			return
		default:
			t.Fatalf("the mutant could not be tried: %v\n%s", err, said)
		}
	}
	t.Errorf("nothing misses %q, replaced by %q", m.Old, m.New)
}

// overlay writes the file that tells the compiler what to read instead.
func (m mutant) overlay(t *testing.T, mutated []byte) string {
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
	for file, content := range map[string][]byte{other: mutated, name: data} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return name
}
