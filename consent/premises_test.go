// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"doorstep/consent"
)

// owned is the example as a retailer's own registry, with stores of theirs.
func owned(t *testing.T, stores string) fstest.MapFS {
	t.Helper()
	files := devFiles(t)
	text := regexp.MustCompile(` "for_trying_only": "[^"]*",\n`).ReplaceAllString(string(files["registry.json"].Data), "")
	text = regexp.MustCompile(`(?s)"stores": \[.*\]`).ReplaceAllLiteralString(text, `"stores": [`+stores+`]`)
	files["registry.json"] = &fstest.MapFile{Data: []byte(text)}
	return files
}

func premises(store, jurisdiction, more string) string {
	return `{"store": "` + store + `", "jurisdiction": "` + jurisdiction + `", "health_care": false` + more +
		`, "assessment": {"reference": "DPIA", "date": "2026-01-31", "kept_until": "2029-01-31"}}`
}

func TestMayGoLive(t *testing.T) {
	r, err := consent.LoadRegistry(owned(t, premises("wa", "us-wa", "")+","+premises("eu", "eu", "")+","+premises("corner", "us-wa", `, "health_zones": ["z"]`)+","+
		strings.Replace(premises("clinic", "us-wa", ""), `"health_care": false`, `"health_care": true`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	made := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		store, zone string
		at          time.Time
		want        error
	}{
		{"wa", "", made, nil},
		{"wa", "", made.Add(-1), consent.ErrNotAssessed},
		{"wa", "z", made, consent.ErrHealthCare},
		{"eu", "z", made, nil},
		{"corner", "", made, consent.ErrHealthCare},
		{"clinic", "", made, consent.ErrHealthCare},
		{"other", "", made, consent.ErrNotAssessed},
		{"*", "", made, consent.ErrNotAssessed},
		{"", "", made, consent.ErrNotAssessed},
	} {
		f := consent.StoreFacts{Store: c.store}
		if c.zone != "" {
			f.HealthZones = []string{c.zone}
		}
		if err := r.MayGoLive(f, c.at); !errors.Is(err, c.want) || err != nil && !errors.Is(err, consent.ErrConflict) {
			t.Errorf("%+v: %v, want %v", c, err, c.want)
		}
	}
	if err := consent.DevelopmentRegistry().MayGoLive(consent.StoreFacts{Store: "anything"}, made); err != nil {
		t.Errorf("for trying: %v", err)
	}
	refused(t, owned(t, premises("*", "eu", "")))
	refused(t, owned(t, premises("a", "", "")))
	refused(t, owned(t, premises("a", "eu", "")+","+premises("a", "eu", "")))
	refused(t, owned(t, ""))
}

// The law of a store's place holds there, whatever the request names: it cannot choose a laxer one.
func TestTheStoreDecidesWhoseLawHolds(t *testing.T) {
	d := newDesk(t)
	ids := []string{"eu", "gb", "us", "us-ca", "us-wa", "cn", "ae"}
	var stores []string
	for _, id := range ids {
		stores = append(stores, premises("in-"+id, id, ""))
	}
	l := d.under(t, owned(t, strings.Join(stores, ",")))
	for _, is := range ids {
		for _, asked := range append(ids, "", "mars") {
			r := d.request()
			r.Store, r.Jurisdiction, r.AgeBand = "in-"+is, asked, "adult"
			p, err := l.Prompt(t.Context(), r)
			if asked == is || asked == "" {
				if err != nil || p.Notice.Jurisdiction != is {
					t.Errorf("in %s, asked for %q: %q, %v", is, asked, p.Notice.Jurisdiction, err)
				}
			} else if !errors.Is(err, consent.ErrJurisdiction) {
				t.Errorf("in %s, asked for %q: %q, %v", is, asked, p.Notice.Jurisdiction, err)
			}
		}
	}
	r := d.request()
	r.Jurisdiction = ""
	if _, err := l.Prompt(t.Context(), r); !errors.Is(err, consent.ErrJurisdiction) {
		t.Errorf("a store that is nowhere: %v", err)
	}
	for _, c := range []struct {
		store, band string
		want        error
	}{{"in-cn", "14+", nil}, {"in-cn", "13+", consent.ErrAgeBelow}, {"in-eu", "14+", consent.ErrAgeBelow}, {"in-eu", "", consent.ErrAgeUnknown}, {"in-ae", "18+", nil}} {
		if err := l.OldEnough(c.store, c.band); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// This visit only is offered first, and the four answers are always the same, in the same order (brief, 33).
func TestThisVisitIsOfferedFirst(t *testing.T) {
	d := newDesk(t)
	for _, lang := range []string{"en", "zh", "ar"} {
		p := d.prompt(t, func(r *consent.PromptRequest) { r.Lang = lang; r.AgeBand = "adult" })
		var got []string
		for _, c := range p.Choices {
			got = append(got, string(c.ID))
		}
		if strings.Join(got, " ") != "visit term no not_now" {
			t.Errorf("%s: %v", lang, got)
		}
	}
}
