// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"doorstep/tracking/live"
)

// The compose file names settings that there are, and sets Redis as a server wants it; it starts nothing here.
func TestComposeNamesSettings(t *testing.T) {
	text, err := os.ReadFile("deploy/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parser, err := kong.New(&serveCmd{}, kong.DefaultEnvars(envPrefix), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, f := range parser.Model.Flags {
		flags = append(flags, f.Name)
	}
	known, found := settingVariables(parser.Model.Node), 0
	for _, m := range regexp.MustCompile(`(?m)^\s+(DOORSTEP_\w+):`).FindAllStringSubmatch(string(text), -1) {
		if found++; !slices.Contains(known, m[1]) {
			t.Errorf("%s is not a setting", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\s+- --([a-z-]+)=`).FindAllStringSubmatch(string(text), -1) {
		if found++; !slices.Contains(flags, m[1]) {
			t.Errorf("--%s is not a flag of serve", m[1])
		}
	}
	if found < 8 {
		t.Errorf("%d settings found: the file is written in another way than this test reads", found)
	}
	for _, fix := range live.Fixes() {
		if !strings.Contains(string(text), "--"+fix) {
			t.Errorf("Redis is not told %s", fix)
		}
	}
}
