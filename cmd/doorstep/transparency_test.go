// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/mobile-sdk-spec/go/client"
)

// What the public report tells is what was really done: refused attempts by app and reason, looks by purpose,
// withdrawals by their time. It tells whole months that are over, outlives the server, and knows nobody.
func TestTheTransparencyReportTellsWhatWasDone(t *testing.T) {
	const looks, stops, attempts = 2, 12, 5
	dir, x := t.TempDir(), demoIndex(t)
	r := serveIn(t, dir, x)
	w := r.console(t, demostore.ID)
	var ids []string
	for range looks {
		a, s := r.visit(t, insideOf(t, x))
		look(t, s, w, callForHelp(t, s, w, true))
		ids = append(ids, a.sub, a.key.Thumbprint(), s.Welcome().Session)
		s.Kill()
	}
	for range stops {
		a := r.app(t)
		a.decide(t, demostore.ID, "term")
		if _, err := a.Withdraw(t.Context(), client.Withdrawal{Scope: "all"}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.sub, a.key.Thumbprint())
	}
	for range attempts {
		a := r.app(t)
		if _, err := a.Connect(t.Context(), demostore.ID, []string{askPurpose}); err == nil {
			t.Fatal("it connected without a grant")
		}
		ids = append(ids, a.sub)
	}
	if err := r.ledger.WriteCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report := r.report(t); len(report.Months) != 0 {
		t.Fatalf("the month is not over: %+v", report)
	}
	r.ahead.Store(int64(32 * 24 * time.Hour))
	first := r.report(t)
	checkReport(t, first, looks, stops, attempts, r)
	for _, path := range []string{"/v1/transparency", "/transparency", "/rules"} {
		text := fetch(t, r.address()+path)
		for _, id := range ids {
			if id == "" || strings.Contains(text, id) {
				t.Errorf("%s knows somebody", path)
			}
		}
	}
	r.stop()
	again := serveIn(t, dir, x)
	again.ahead.Store(int64(32 * 24 * time.Hour))
	checkReport(t, again.report(t), looks, stops, attempts, again)
}

// checkReport adds up the months: a test may run while one ends.
func checkReport(t *testing.T, report consent.Report, looks, stops, attempts int64, r *running) {
	t.Helper()
	var refused, withdrawn int64
	few := false
	for _, m := range report.Months {
		for _, f := range m.Refused {
			if f.App == "doorstep-test" && f.What == "not_granted" {
				refused += *f.N
			}
		}
		few = few || slices.ContainsFunc(m.Reads, func(f consent.Figure) bool { return f.What == askPurpose && f.Below == 10 && f.N == nil })
	}
	counted, err := r.db.Tallies(t.Context(), "9999")
	if err != nil {
		t.Fatal(err)
	}
	var looked int64
	for _, c := range counted {
		switch c.Kind {
		case consent.TallyWithdrawal:
			withdrawn += c.N
		case consent.TallyRead:
			looked += c.N
		}
	}
	if refused != attempts || withdrawn != stops || looked != looks || !few {
		t.Errorf("told %d refused attempts, counted %d withdrawals and %d looks, these told as few: %v; done were %d, %d and %d",
			refused, withdrawn, looked, few, attempts, stops, looks)
	}
}

func (r *running) report(t *testing.T) consent.Report {
	t.Helper()
	var report consent.Report
	if err := json.Unmarshal([]byte(fetch(t, r.address()+"/v1/transparency")), &report); err != nil {
		t.Fatal(err)
	}
	return report
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", url, resp.StatusCode, err)
	}
	return string(b)
}
