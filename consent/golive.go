// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"time"
)

// bar is a reason why a store does not go live, for whoever wants it open (MayGoLive) and for whoever writes the
// registry (CheckRegistry): both hear the same.
type bar struct {
	family error  // ErrNotAssessed or ErrHealthCare
	member string // of Premises
	says   string
	law    string
	remedy string
}

const (
	assessmentLaw = "GDPR 35; PIPL 55–56"
	reviewLaw     = "GDPR 35(11)"
	healthLaw     = "RCW 19.373.080"
	healthDataLaw = "RCW 19.373.020–030"
)

// usualReview is after how many years an assessment is to be looked at again for which no day was set. The law
// names none; three is as long as the document must be kept at least.
const usualReview = 3

// missing is what an assessment lacks, whatever the day.
func (a Assessment) missing() (out []bar) {
	if !filled(a.Reference) {
		out = append(out, a.bar("reference", "is missing", "Write where the impact assessment is found: without one the store does not go live"))
	}
	if _, err := day(a.Date); err != nil {
		out = append(out, a.bar("date", fmt.Sprintf("%q is no day", a.Date), "Write when the assessment was made, as 2026-05-31"))
	}
	return out
}

// untimely is what keeps an assessment from counting on a day: it is yet to be made, or need not be there any more.
func (a Assessment) untimely(now time.Time) (out []bar) {
	if made, err := day(a.Date); err == nil && made.After(now) {
		out = append(out, a.bar("date", fmt.Sprintf("%s is still to come, and an assessment is made before the store goes live", a.Date),
			"Correct the date, or leave the store out until the assessment has been made"))
	}
	if until, err := day(a.KeptUntil); err == nil && !now.Before(until.AddDate(0, 0, 1)) {
		out = append(out, a.bar("kept_until", fmt.Sprintf("was %s, and from then on the assessment need not be there any more", a.KeptUntil),
			"Write until when the document is kept now, or have a new assessment made"))
	}
	return out
}

func (a Assessment) bar(member, says, remedy string) bar {
	return bar{ErrNotAssessed, "assessment." + member, says, assessmentLaw, remedy}
}

// review is the day up to which the assessment was to be looked at again. Dates that are none have none.
func (a Assessment) review() (by time.Time, ok bool) {
	if a.ReviewBy != "" {
		by, err := day(a.ReviewBy)
		return by, err == nil
	}
	made, err := day(a.Date)
	return made.AddDate(usualReview, 0, 0), err == nil
}

// unlawful is what keeps a store closed by the law of its place.
func (p Premises) unlawful(j Jurisdiction) (out []bar) {
	if !j.BansHealthGeofence {
		return nil
	}
	add := func(member, says, remedy string) {
		out = append(out, bar{ErrHealthCare, member, says, healthLaw, remedy})
	}
	switch {
	case p.HealthCare == nil:
		add("health_care", "is missing, and the law of "+j.ID+" forbids a fence around places of health care",
			"Write true if health care is given in this store, as by a pharmacist or an optician, and false if it is not")
	case *p.HealthCare:
		add("health_care", "is true, and the law of "+j.ID+" forbids a fence around places of health care: this store does not go live",
			"Take the store out; if no health care is given in it, write false")
	}
	for _, z := range p.HealthZones {
		add("health_zones", fmt.Sprintf("has zone %q, and the law of %s forbids a fence around places of health care: this store does not go live", z, j.ID),
			"Take the store out; if no health care is given in the zone, take the zone out here and give it another kind in the map")
	}
	return out
}
