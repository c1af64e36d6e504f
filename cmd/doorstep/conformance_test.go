// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	if out, errs, status := command(t, "", "conformance", "--scenario", "dance"); status != 2 || !strings.Contains(errs, "--list") {
		t.Errorf("exit status %d:\n%s%s", status, out, errs)
	}
}
