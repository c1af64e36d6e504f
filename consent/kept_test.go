// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// What is kept whatever the purpose is declared wherever the rest is, with the life by which it is pruned: in the rules, on
// their page, in the record of processing, and in each receipt (brief, 44).
func TestWhatIsKeptBesideIsDeclared(t *testing.T) {
	const day = 24 * time.Hour
	d := newDesk(t)
	reg := d.Registry()
	receipt, err := consent.VerifyReceiptAt(d.receipt(t, consent.ForATerm, nil), d.keys.JWKS(), d.now)
	ok(t, err)
	raw, err := reg.Published()
	ok(t, err)
	var rules struct {
		Kept []struct {
			ID, Retention string
			Title         map[string]string
		}
	}
	ok(t, json.Unmarshal(raw, &rules))
	page, err := reg.RulesPage("en")
	ok(t, err)
	record := reg.ProcessingRecord("en").Markdown()
	lives := map[string]time.Duration{"visits": consent.EnteredLife, "journal": consent.JournalLife, "disclosures": consent.AuditLife,
		"decisions": time.Duration(reg.ProofDays) * day, "erasures": consent.ErasureLife}
	if len(rules.Kept) != len(lives) {
		t.Errorf("%d are declared, not %d", len(rules.Kept), len(lives))
	}
	for _, k := range rules.Kept {
		days := int(lives[k.ID] / day)
		if k.Retention != fmt.Sprintf("P%dD", days) || days == 0 {
			t.Errorf("%s: %s, and it is kept for %d days", k.ID, k.Retention, days)
		}
		for _, lang := range reg.PageLangs() {
			if k.Title[lang] == "" {
				t.Errorf("%s has no title in %s", k.ID, lang)
			}
		}
		if line := fmt.Sprintf("- %s: %d days\n", k.Title["en"], days); !strings.Contains(record, line) {
			t.Errorf("the record of processing lacks %q", line)
		}
		if !strings.Contains(record, "- "+k.Title["en"]+"\n") {
			t.Errorf("the record of processing has no such data: %s", k.ID)
		}
		if line := fmt.Sprintf("<dt>%s</dt><dd>%d days</dd>", k.Title["en"], days); !strings.Contains(string(page), line) {
			t.Errorf("the page lacks %q", line)
		}
		if line := k.ID + " " + k.Retention; !slices.Contains(receipt.Record.Processing.Retention, line) {
			t.Errorf("the receipt lacks %q", line)
		}
	}
}

// One number for positions: what registries may declare is what tracking does.
func TestPositionsAreKeptAsDeclared(t *testing.T) {
	if want := fmt.Sprintf("PT%dS", tracking.PositionLife/time.Second); consent.PositionKept != want {
		t.Errorf("declared as %s, kept for %s", consent.PositionKept, want)
	}
}
