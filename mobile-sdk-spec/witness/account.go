// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	spec "doorstep/mobile-sdk-spec"
)

// Account is what a whole run has shown of the specification.
type Account struct {
	Seen  int      // names, of all
	Of    int      // documented names
	Never []string // documented, and never seen
}

// Take compares a run's folder with what is documented: every status of every operation, every frame to an app or a console, every close
// code; and of every frame and body each member, each that may be left out left out, each value of those that there are.
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
			seen[strings.TrimSuffix(line, "\n")] = true
		}
	}
	due, err := spec.Documented()
	if err != nil {
		return a, fmt.Errorf("witness: %w", err)
	}
	for _, name := range due {
		if seen[name] {
			a.Seen++
		} else {
			a.Never = append(a.Never, name)
		}
	}
	a.Of = len(due)
	return a, nil
}
