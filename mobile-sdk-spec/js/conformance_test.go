// SPDX-License-Identifier: Apache-2.0

package sdkjs_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"doorstep/mobile-sdk-spec/conformance"
)

// needs fails in CI and skips elsewhere when a part is missing on the machine.
func needs(t *testing.T, err error, part string) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing; in CI nothing may be", part)
	default:
		t.Skipf("%s is missing on this machine: this test was not run", part)
	}
}

// TestConformance has the JavaScript client told every story, in Node.
func TestConformance(t *testing.T) {
	node, err := exec.LookPath("node")
	needs(t, err, "node")
	_, err = os.Stat("node_modules/ws")
	needs(t, err, "node_modules (npm ci)")
	suite, err := conformance.New()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(suite)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, node, "test/conform.js", server.URL, "16").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var text bytes.Buffer
	r := suite.Report()
	if err := r.Text(&text); err != nil || !r.OK {
		t.Errorf("%v\n%s", err, text.String())
	}
	if rules, err := conformance.Rules(); err != nil || len(r.Rules) != len(rules) {
		t.Errorf("%d of %d rules were judged; %v", len(r.Rules), len(rules), err)
	}
}
