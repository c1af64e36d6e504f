// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// envPrefix begins the names of all environment variables that are settings.
const envPrefix = "DOORSTEP"

// notSettings are variables of ours that no flag stands for: where tests find data and leave pictures,
// and what passes between demo and the process that scans.
var notSettings = []string{"DOORSTEP_DATA", "DOORSTEP_SHOTS", scanURLEnv, scanChildEnv}

// warnUnknown names each variable that looks like a setting and is none: a misspelt one would be
// overlooked in silence. Values are not shown, they may be secrets.
func warnUnknown(w io.Writer, environ []string, root *kong.Node) {
	known := settingVariables(root)
	for _, v := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, envPrefix+"_") || slices.Contains(known, name) || slices.Contains(notSettings, name) ||
			strings.HasPrefix(name, envPrefix+"_TEST_") || serviceLink(name, value) {
			continue
		}
		hint := "doorstep serve --help lists the settings"
		if n := nearest(strings.TrimPrefix(name, envPrefix), suffixes(known)); n != "" {
			hint = "did you mean " + envPrefix + n + "?"
		}
		fmt.Fprintf(w, "doorstep: warning: %s is set and is not a setting: %s\n", name, hint)
	}
}

// settingVariables are the variables of a command's flags and those of the commands below it.
func settingVariables(n *kong.Node) []string {
	var names []string
	for _, f := range n.Flags {
		names = append(names, f.Envs...)
	}
	for _, child := range n.Children {
		names = append(names, settingVariables(child)...)
	}
	return names
}

// suffixes are names without what all have in common, which would make them all alike.
func suffixes(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.TrimPrefix(n, envPrefix)
	}
	return out
}

// serviceLink tells the variables that Kubernetes sets by itself for a service called doorstep.
func serviceLink(name, value string) bool {
	rest := strings.TrimPrefix(name, envPrefix+"_")
	return strings.HasPrefix(rest, "SERVICE_") || strings.HasPrefix(rest, "PORT_") ||
		rest == "PORT" && strings.Contains(value, "://")
}
