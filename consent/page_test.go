// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"encoding/json"
	"strings"
	"testing"

	"doorstep/consent"
)

// The record of processing holds what GDPR 30(1) wants, all of it from the registry, in each form (brief, 43).
func TestTheRecordOfProcessingIsTheRegistry(t *testing.T) {
	r := consent.DevelopmentRegistry()
	for _, lang := range r.PageLangs() {
		want := []string{r.Controller.Name, r.Controller.Contact, r.Storage[0], "1096"}
		for _, p := range r.Purposes {
			want = append(want, p.Title[lang])
		}
		for _, d := range r.DataTypes {
			want = append(want, d.Title[lang])
		}
		for _, x := range r.Recipients {
			want = append(want, x.Title[lang])
		}
		for _, s := range r.Stores {
			want = append(want, s.Assessment.Reference, s.Assessment.KeptUntil)
		}
		record := r.ProcessingRecord(lang)
		if len(record.Parts) != 8 {
			t.Fatalf("%d parts", len(record.Parts))
		}
		for i, item := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			if p := record.Parts[i]; p.Item != item || p.Head == "" || len(p.Lines) == 0 {
				t.Errorf("%s: item %s: %+v", lang, item, p)
			}
		}
		page, err := record.HTML()
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		for form, text := range map[string]string{"Markdown": record.Markdown(), "HTML": strings.ReplaceAll(string(page), "&#39;", "'"), "JSON": string(data)} {
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("%s in %s: %q is missing", form, lang, w)
				}
			}
		}
	}
	for what, line := range map[string]string{"a position": "- Position inside the store: 30 seconds\n", "who of the staff looked": ", by pseudonym: 90 days\n", "which administrator did it": ", by pseudonym: 1098 days\n"} {
		if !strings.Contains(r.ProcessingRecord("en").Markdown(), line) {
			t.Errorf("the time limit of %s is missing", what)
		}
	}
}

// Every word of the pages is there in every language.
func TestThePagesHaveAllTheirWords(t *testing.T) {
	words := consent.PageWords()
	for lang, w := range words {
		for key := range words["en"] {
			if w[key] == "" {
				t.Errorf("%s: %s is missing", lang, key)
			}
		}
		if len(w) != len(words["en"]) {
			t.Errorf("%s has %d words, en %d", lang, len(w), len(words["en"]))
		}
	}
	if len(words) != 3 {
		t.Errorf("%d languages", len(words))
	}
}
