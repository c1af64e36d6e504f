// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/mobile-sdk-spec/go/client"
)

// The commands of the log on a server that runs: checkpoints, the whole audit, a shopper's receipt against the
// server and against files; across a rotation of all keys.
func TestLogOfARunningServer(t *testing.T) {
	r := serveStores(t)
	dir := t.TempDir()
	save := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	does := func(args ...string) string {
		t.Helper()
		out, errs, status := command(t, "", args...)
		if status != 0 {
			t.Fatalf("doorstep %s: %s%s", strings.Join(args, " "), out, errs)
		}
		return out
	}
	early := save("early", does("ledger", "checkpoint", "--data", r.dir))
	receipt := save("receipt", r.decided(t))
	keys := save("keys", string(r.ledger.Keys().JWKS()))
	if out := does("receipt", "verify", receipt, "--keys", keys, "--server", r.address()); !strings.Contains(out, "in the log of harbour-street.example/privacy") {
		t.Error(out)
	}
	does("keys", "rotate", "--data", r.dir, "--at-once")
	does("keys", "rotate", "--data", r.dir, "--log")
	rotated, err := consent.LoadKeys(keysPath(r.dir))
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); string(r.ledger.Keys().JWKS()) != string(rotated.JWKS()); <-time.After(20 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("the keys were not taken up")
		}
	}
	later := save("receipt2", r.decided(t))
	keys = save("keys", string(r.ledger.Keys().JWKS()))
	for _, f := range []string{receipt, later} {
		does("receipt", "verify", f, "--keys", keys, "--server", r.address())
	}
	late := save("late", does("ledger", "checkpoint", "--data", r.dir))
	out := does("ledger", "verify", "--data", r.dir, "--checkpoint", early, "--checkpoint", late)
	if !strings.Contains(out, "saved checkpoints that it continues: 2 of 2") || !strings.Contains(out, "ok: everything is as it was written") {
		t.Error(out)
	}
	var report consent.AuditReport
	if err := json.Unmarshal([]byte(does("ledger", "verify", "--data", r.dir, "--json")), &report); err != nil || report.Receipts != 2 || len(report.Findings) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	r.stop()
	does("ledger", "verify", "--data", r.dir, "--checkpoint", early, "--checkpoint", late)
}

// decided lets a shopper decide, and answers the receipt.
func (r *running) decided(t *testing.T) string {
	t.Helper()
	a := r.app(t)
	p, err := a.Prompt(t.Context(), client.PromptRequest{Store: demostore.ID, Purpose: askPurpose, Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Decide(t.Context(), demostore.ID, p, client.Answer{Choice: "no", Control: "button"})
	if err != nil || d.Receipt == "" {
		t.Fatalf("%+v, %v", d, err)
	}
	return d.Receipt
}
