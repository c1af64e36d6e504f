// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	spec "doorstep/mobile-sdk-spec"
)

// Account is what a whole run has shown of the specification.
type Account struct {
	Seen  int      // names, of all
	Of    int      // documented names
	Never []string // documented, never seen, and not excused
	Idle  []string // excused, and seen or not documented: the excuse can go
}

// Take compares a run's folder with what is documented: every status of every operation, every frame to an app or a
// console with every member, every close code.
func Take(dir string) (a Account, err error) {
	files, err := filepath.Glob(filepath.Join(dir, shapes, "*.txt"))
	if err != nil || len(files) == 0 {
		return a, errors.Join(errors.New("witness: nothing was collected"), err)
	}
	seen := map[string]bool{}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return a, err
		}
		for line := range strings.Lines(string(raw)) {
			note(seen, strings.TrimSpace(line))
		}
	}
	due, err := spec.Documented()
	if err != nil {
		return a, fmt.Errorf("witness: %w", err)
	}
	for _, name := range due {
		if seen[name] {
			a.Seen++
		} else if excused[name] == "" {
			a.Never = append(a.Never, name)
		}
	}
	a.Of = len(due)
	for _, name := range slices.Sorted(maps.Keys(excused)) {
		if seen[name] || !slices.Contains(due, name) {
			a.Idle = append(a.Idle, name)
		}
	}
	return a, nil
}

// note takes a line of a test's: a frame shows its type and each of its members.
func note(seen map[string]bool, line string) {
	frame, members, _ := strings.Cut(line, " ")
	seen[line] = true
	if !strings.HasPrefix(frame, spec.Out+"-") && !strings.HasPrefix(frame, spec.StaffOut+"-") {
		return
	}
	seen[frame] = true
	for name := range strings.FieldsSeq(members) {
		seen[frame+"."+name] = true
	}
}
