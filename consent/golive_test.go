// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
)

func day(t *testing.T, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A check says of each store what would keep it closed on the day, in the words in which a server refuses it, and what is
// due (brief, 21 and 22). A server starts on such a registry all the same: the other stores are in order.
func TestAStoreIsHeldToTheDay(t *testing.T) {
	const (
		assessed = `"date": "2026-01-31"`
		kept     = `"kept_until": "2029-01-31"`
		review   = `"review_by": "2027-01-31", `
		unfenced = `"health_care": false`
	)
	for _, c := range []struct {
		name, place, old, new string
		on                    string
		says                  string // the one finding; nothing: none
		warns                 bool
		bars                  error
	}{
		{name: "in order", place: "eu", on: "2026-06-01"},
		{name: "made today", place: "eu", on: "2026-01-31"},
		{name: "made tomorrow", place: "eu", on: "2026-01-30", bars: consent.ErrNotAssessed,
			says: "stores shop assessment.date: 2026-01-31 is still to come"},
		{name: "ten years ahead", place: "eu", old: assessed + `, ` + kept, new: `"date": "2036-01-31", "kept_until": "2039-01-31"`, on: "2026-06-01",
			says: "assessment.date: 2036-01-31 is still to come, and an assessment is made before the store goes live (GDPR 35; PIPL 55–56). Correct the date", bars: consent.ErrNotAssessed},
		{name: "review due today", place: "eu", old: kept, new: review + kept, on: "2027-01-31"},
		{name: "review overdue", place: "eu", old: kept, new: review + kept, on: "2027-02-01", warns: true,
			says: "assessment.review_by: was 2027-01-31: the assessment was to be looked at again by then (GDPR 35(11)). See whether"},
		{name: "kept to its last day", place: "eu", old: kept, new: `"review_by": "2031-01-01", ` + kept, on: "2029-01-31"},
		{name: "kept no longer", place: "eu", old: kept, new: `"review_by": "2031-01-01", ` + kept, on: "2029-02-01",
			says: "assessment.kept_until: was 2029-01-31, and from then on the assessment need not be there any more", bars: consent.ErrNotAssessed},
		{name: "three years without a review", place: "eu", old: kept, new: `"kept_until": "2040-01-31"`, on: "2029-01-31"},
		{name: "older than that", place: "eu", old: kept, new: `"kept_until": "2040-01-31"`, on: "2029-02-01", warns: true,
			says: "assessment.review_by: is missing, and the assessment is older than 3 years"},
		{name: "no health care", place: "us-wa", on: "2026-06-01"},
		{name: "health care", place: "us-wa", old: unfenced, new: `"health_care": true`, on: "2026-06-01",
			says: "health_care: is true, and the law of us-wa forbids a fence around places of health care: this store does not go live (RCW 19.373.080). Take the store out", bars: consent.ErrHealthCare},
		{name: "a zone of health care", place: "us-wa", old: unfenced, new: unfenced + `, "health_zones": ["optician"]`, on: "2026-06-01",
			says: `health_zones: has zone "optician", and the law of us-wa`, bars: consent.ErrHealthCare},
		{name: "health care not said", place: "us-wa", old: unfenced + ", ", new: "", on: "2026-06-01",
			says: "health_care: is missing, and the law of us-wa", bars: consent.ErrHealthCare},
		{name: "health care where it may be", place: "eu", old: unfenced, new: `"health_care": true, "health_zones": ["optician"]`, on: "2026-06-01"},
		{name: "not said where it may be", place: "eu", old: unfenced + ", ", new: "", on: "2026-06-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := premises("shop", c.place, "")
			if !strings.Contains(store, c.old) {
				t.Fatalf("%q is not in %s", c.old, store)
			}
			files := owned(t, strings.Replace(store, c.old, c.new, 1))
			_, found := consent.CheckRegistry(files, day(t, c.on))
			switch {
			case c.says == "" && len(found) > 0:
				t.Errorf("found %v", found)
			case c.says != "" && (len(found) != 1 || !strings.Contains(found[0].String(), c.says) || found[0].Warning != c.warns || found[0].Line == 0):
				t.Fatalf("found %v, want %q", found, c.says)
			}
			r, err := consent.LoadRegistry(files)
			if err != nil {
				t.Fatalf("no server starts on it: %v", err)
			}
			if err := r.MayGoLive(consent.StoreFacts{Store: "shop"}, day(t, c.on)); !errors.Is(err, c.bars) || err != nil && c.bars == nil {
				t.Errorf("going live: %v, want %v", err, c.bars)
			} else if err != nil && !strings.Contains(err.Error(), found[0].Says) {
				t.Errorf("a server says %v, and the check %s", err, found[0].Says)
			}
		})
	}
}

// A day of review that is none, or lies before the assessment, is refused whatever the day.
func TestADayOfReviewIsADay(t *testing.T) {
	for _, by := range []string{"soon", "2026-01-30"} {
		store := strings.Replace(premises("shop", "eu", ""), `"kept_until"`, `"review_by": "`+by+`", "kept_until"`, 1)
		if found := refused(t, owned(t, store)); len(found) != 1 || !strings.HasSuffix(found[0].Field, "assessment.review_by") {
			t.Errorf("%s: %v", by, found)
		}
	}
}

// What tells of somebody's health is pointed out where the law has rules of its own for it, and nowhere else.
func TestHealthDataArePointedOut(t *testing.T) {
	for _, c := range []struct{ place, old, new, field, word string }{
		{"us-wa", "What you ask help with", "What you ask our pharmacist", "data_types request title", "pharmacist"},
		{"us-wa", "Help from staff in the store", "Help with a prescription", "purposes assist title", "prescription"},
		{"us-wa", "店内员工协助", "处方协助", "purposes assist title", "处方"},
		{"us-wa", "مساعدة من موظفي المتجر", "مساعدة في صيدلية", "purposes assist title", "صيدلية"},
		{"eu", "Help from staff in the store", "Help with a prescription", "", ""},
	} {
		files := owned(t, premises("shop", c.place, ""))
		files["registry.json"].Data = []byte(strings.Replace(string(files["registry.json"].Data), c.old, c.new, 1))
		_, found := consent.CheckRegistry(files, day(t, "2026-06-01"))
		i := slices.IndexFunc(found, func(f consent.Finding) bool {
			return f.Warning && f.Field == c.field && strings.Contains(f.Says, `"`+c.word+`"`) && strings.Contains(f.Law, "RCW 19.373")
		})
		if c.word == "" && len(found) > 0 || c.word != "" && i < 0 {
			t.Errorf("%s, %s: %v", c.place, c.new, found)
		}
	}
}
