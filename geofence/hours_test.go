// SPDX-License-Identifier: Apache-2.0

package geofence_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones are the test's own, whatever the machine has

	"doorstep/geofence"
)

func TestHours(t *testing.T) {
	const week = "Mo-Fr 09:00-21:00; Sa 10:00-14:00,16:00-02:00; Dec 25 off; 2027 Jan 01,2027 Jan 02 10:00-16:00"
	for _, c := range []struct {
		hours, at string
		open      bool
	}{
		{week, "2026-11-23 08:59", false}, // a Monday
		{week, "2026-11-23 09:00", true},
		{week, "2026-11-23 20:59", true},
		{week, "2026-11-23 21:00", false},
		{week, "2026-11-28 13:59", true}, // Saturday
		{week, "2026-11-28 14:00", false},
		{week, "2026-11-28 16:00", true},
		{week, "2026-11-29 01:59", true}, // still Saturday's
		{week, "2026-11-29 02:00", false},
		{week, "2026-11-29 12:00", false}, // Sunday is in no rule
		{week, "2026-12-25 12:00", false}, // a Friday
		{week, "2031-12-25 12:00", false},
		{week, "2026-11-25 12:00", true}, // the 25th of another month
		{week, "2027-01-01 10:00", true},
		{week, "2027-01-01 16:00", false}, // a Friday with a rule of its own
		{week, "2027-01-02 17:00", false}, // a Saturday with a rule of its own
		{week, "2028-01-01 17:00", true},  // another year's Saturday
		{"24/7", "2026-11-29 03:00", true},
		{"24/7; Dec 25 off", "2026-12-25 03:00", false},
		{"24/7; Dec 25 closed", "2026-12-25 03:00", false},
		{"Sa-Mo 10:00-12:00", "2026-11-29 11:00", true}, // a range over the week's end
		{"Sa-Mo 10:00-12:00", "2026-11-24 11:00", false},
		{"Mo-Su 00:00-24:00", "2026-11-24 23:59", true},
		{"Mo 09:01-09:00", "2026-11-24 08:59", true}, // the longest that is not a whole day
		{"Mo 09:01-09:00", "2026-11-24 09:00", false},
		{"Feb 29 10:00-12:00", "2028-02-29 11:00", true},
	} {
		h, err := geofence.ParseHours(c.hours, "Asia/Shanghai")
		if err != nil {
			t.Fatal(err)
		}
		zone, _ := time.LoadLocation("Asia/Shanghai")
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Open(at.UTC()); got != c.open {
			t.Errorf("%q at %s: open %v", c.hours, c.at, got)
		}
	}
	if !(geofence.Hours{}).Open(time.Now()) {
		t.Error("no hours mean always")
	}
}

// The clocks go forward at 02:00 on 28 March 2027 and back at 03:00 on 31 October in Berlin: hours are
// what the clock on the wall says.
func TestHoursFollowTheWallClock(t *testing.T) {
	h, err := geofence.ParseHours("Mo-Su 09:00-20:00", "Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for utc, open := range map[string]bool{
		"2027-03-27T08:00:00Z": true, "2027-03-27T07:59:00Z": false,
		"2027-03-28T07:00:00Z": true, "2027-03-28T06:59:00Z": false,
		"2027-10-31T19:00:00Z": false, "2027-10-31T18:59:00Z": true, "2027-10-30T18:00:00Z": false,
	} {
		at, err := time.Parse(time.RFC3339, utc)
		if err != nil {
			t.Fatal(err)
		}
		if h.Open(at) != open {
			t.Errorf("at %s: open %v", utc, !open)
		}
	}
}

// On those nights 02:00 to 03:00 never comes, and comes twice.
func TestHoursOfTheNightsWhenClocksChange(t *testing.T) {
	for _, c := range []struct {
		hours, utc string
		open       bool
	}{
		{"Mo-Su 02:00-03:00", "2027-03-28T00:59:00Z", false}, // 01:59
		{"Mo-Su 02:00-03:00", "2027-03-28T01:00:00Z", false}, // 03:00
		{"Mo-Su 01:00-02:30", "2027-03-28T00:59:00Z", true},
		{"Mo-Su 01:00-02:30", "2027-03-28T01:00:00Z", false},
		{"Mo-Su 02:30-04:00", "2027-03-28T01:00:00Z", true},
		{"Mo-Su 02:00-03:00", "2027-10-30T23:59:00Z", false}, // 01:59
		{"Mo-Su 02:00-03:00", "2027-10-31T00:00:00Z", true},  // 02:00
		{"Mo-Su 02:00-03:00", "2027-10-31T01:59:00Z", true},  // 02:59 the second time
		{"Mo-Su 02:00-03:00", "2027-10-31T02:00:00Z", false},
		{"Mo-Su 22:00-02:30", "2027-10-31T00:30:00Z", false}, // closes at 02:30,
		{"Mo-Su 22:00-02:30", "2027-10-31T01:00:00Z", true},  // opens again at the second 02:00
		{"Mo-Su 22:00-02:30", "2027-10-31T01:30:00Z", false},
		{"Su 22:00-02:00", "2027-03-28T22:30:00Z", true}, // Monday 00:30, of a Sunday of 23 hours
		{"Sa 22:00-02:00", "2027-03-28T22:30:00Z", false},
	} {
		h, err := geofence.ParseHours(c.hours, "Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.utc)
		if err != nil {
			t.Fatal(err)
		}
		if h.Open(at) != c.open {
			t.Errorf("%s at %s: open %v", c.hours, c.utc, !c.open)
		}
	}
}

func TestHoursThatAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"":                              "write days and times",
		"always":                        "write days and times",
		"Mo-Fr":                         "write days and times",
		"Mo-Fr 9:00-21:00":              "9:00-21:00",
		"Mo-Fr 09:00-24:01":             "span of time",
		"Mo-Fr 09:60-21:00":             "span of time",
		"Mo-Fr 24:00-25:00":             "span of time",
		"Mo-Fr 24:00-02:00":             "span of time",
		"Mo-Fr 09:00":                   "span of time",
		"Mo 09:00-09:00":                "write 00:00-24:00 for a whole day",
		"Mo-Fr 10:00-12:00,00:00-00:00": `"00:00-00:00" opens and closes at once`,
		"PH off":                        "write their dates",
		"Mo-Fr 09:00-21:00; Mond off":   `rule "Mond off"`,
		"Mo,Dec 25 off":                 "two rules",
		"Feb 30 off":                    "Feb 30",
		"Mo-Fr 09:00-21:00 \"on call\"": "write their dates",
		"Mo-Fr 09:00-21:00;":            "write days and times",
	} {
		_, err := geofence.ParseHours(text, "Europe/Berlin")
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want it to say %q", text, err, says)
		}
	}
	for _, zone := range []string{"", "Local", "Mars/Olympus"} {
		if _, err := geofence.ParseHours("24/7", zone); err == nil {
			t.Errorf("zone %q passed", zone)
		}
	}
}
