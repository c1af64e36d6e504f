// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The table of what the pages are held to names tests that there are, and each row names one.
func TestEachCheckHasItsTest(t *testing.T) {
	design, err := os.ReadFile("DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(design), "## Checked by")
	there := map[string]bool{}
	for prefix, dir := range map[string]string{"": ".", "cmd/doorstep.": "../../../cmd/doorstep"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
				there[prefix+m[1]] = true
			}
		}
	}
	rows := 0
	for _, row := range regexp.MustCompile(`(?m)^\| (.+) \| (.+) \|$`).FindAllStringSubmatch(table, -1) {
		if row[1] == "what must hold" || strings.HasPrefix(row[1], "---") {
			continue
		}
		rows++
		named := regexp.MustCompile("`([\\w/.]*Test\\w+)`").FindAllStringSubmatch(row[2], -1)
		if len(named) == 0 {
			t.Errorf("nothing shows that %s", row[1])
		}
		for _, n := range named {
			if !there[n[1]] {
				t.Errorf("%s is said to be shown by %s, which there is not", row[1], n[1])
			}
		}
	}
	if rows < 15 {
		t.Errorf("only %d rows were read", rows)
	}
}
