// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
)

// Beside a running server, the command tells of the session that is open and of the look at it; it names nobody.
func TestIncident(t *testing.T) {
	r := serveStores(t)
	w := r.console(t, demostore.ID)
	began := time.Now()
	a, s := r.visit(t, insideOf(t, r.indexes[0]))
	look(t, s, w, callForHelp(t, s, w, true))
	ask := func(args ...string) string {
		t.Helper()
		var out, complaints bytes.Buffer
		args = append([]string{"incident", "--data", r.dir, "--to", time.Now().Add(time.Minute).Format(time.RFC3339)}, args...)
		if status := run(t.Context(), args, streams{nil, &out, &complaints}); status != 0 {
			t.Fatalf("status %d: %s", status, complaints.String())
		}
		return out.String()
	}
	since := began.Add(-time.Minute).Format(time.RFC3339)
	text := ask("--from", since)
	for _, want := range []string{"1 shopper, 1 session (1 still open, or never seen to end), 1 entry in the journal",
		demostore.ID + ": 1 session; 1 entry in the journal", "purposes: assist; fields read: accuracy, level, position"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	raw := ask("--from", since, "--json", "--store", demostore.ID)
	var x consent.Exposure
	if err := json.Unmarshal([]byte(raw), &x); err != nil || len(x.Visits) != 1 || len(x.Views) != 1 || x.Visits[0].Shopper != x.Views[0].Shopper {
		t.Fatalf("as JSON: %v\n%s", err, raw)
	}
	for _, id := range []string{a.sub, a.key.Thumbprint(), s.Welcome().Session, string(r.ledger.Keys().Subject(a.sub))} {
		if strings.Contains(text+raw, id) {
			t.Errorf("it names what is known outside: %s", id)
		}
	}
	if text := ask("--from", since, "--store", "annex"); !strings.Contains(text, "0 shoppers, 0 sessions") {
		t.Errorf("of another store it says %s", text)
	}
}
