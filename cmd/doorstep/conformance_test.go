// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorstep/mobile-sdk-spec/conformance"
)

// A run that is interrupted before an SDK has come says so, in every form. What it judges is tested where the SDKs are.
func TestConformanceWithoutAnSDK(t *testing.T) {
	dir := t.TempDir()
	asJSON, asXML := filepath.Join(dir, "verdicts.json"), filepath.Join(dir, "verdicts.xml")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	status := run(ctx, []string{"conformance", "--listen", "127.0.0.1:0", "--scenario", "refusal", "--json", asJSON, "--junit", asXML}, streams{strings.NewReader(""), &out, &errs})
	if status != 1 || !strings.Contains(out.String(), "not played to its end: refusal") || !strings.Contains(errs.String(), "does not conform") {
		t.Errorf("exit status %d:\n%s%s", status, out.String(), errs.String())
	}
	for _, name := range []string{asJSON, asXML} {
		if raw, err := os.ReadFile(name); err != nil || !bytes.Contains(raw, []byte("refusal")) {
			t.Errorf("%v:\n%s", err, raw)
		}
	}
	for says, args := range map[string][]string{"--list": {"--scenario", "dance"}, "choose from pocket": {"--without", "dance"},
		"no story is left": {"--without", "pocket", "--scenario", "pocket-over"}} {
		if out, errs, status := command(t, "", append([]string{"conformance"}, args...)...); status != 2 || !strings.Contains(errs, says) {
			t.Errorf("%v: exit status %d:\n%s%s", args, status, out, errs)
		}
	}
}

// What would be found out at the end of a run is said before it begins.
func TestConformanceThatCannotBeWrittenDown(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "nowhere", "verdicts")
	for says, args := range map[string][]string{"name a file in a folder that is there": {"--listen", "127.0.0.1:0", "--json", nowhere},
		"--junit": {"--listen", "127.0.0.1:0", "--junit", nowhere}, "not host:port": {"--listen", "nonsense"}} {
		out, errs, status := command(t, "", append([]string{"conformance", "--scenario", "visit"}, args...)...)
		if status == 0 || !strings.Contains(errs, says) || strings.Contains(out, "Point the SDK") {
			t.Errorf("%v: exit status %d:\n%s%s", args, status, out, errs)
		}
	}
}

// Who can do without something is told all the other stories.
func TestConformanceWithoutAFeature(t *testing.T) {
	all, err := conformance.Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	names, err := (&conformanceCmd{Without: []string{"pocket"}}).stories()
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, sc := range all {
		if slices.Contains(names, sc.Name) == (sc.Needs == "pocket") {
			t.Errorf("%s needs %q", sc.Name, sc.Needs)
		}
	}
}
