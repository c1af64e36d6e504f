// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The rules of consent know neither SQL nor HTTP, also not through what they import: whoever imports
// them, the session's life among others, would get a client and a driver along.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "doorstep/consent").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 20 {
		t.Fatalf("only %d packages listed", len(deps))
	}
	for _, p := range deps {
		switch {
		case p == "net/http", p == "database/sql", strings.HasPrefix(p, "modernc.org/"), strings.HasPrefix(p, "doorstep/") && p != "doorstep/consent":
			t.Errorf("consent depends on %s", p)
		}
	}
}
