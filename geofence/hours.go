// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Hours are when a store is open. The zero value is: always. Immutable; safe for any number of
// goroutines.
type Hours struct {
	text  string
	zone  *time.Location
	rules []hoursRule
}

// hoursRule says what holds on some days: the last rule that names a day decides it.
type hoursRule struct {
	week  [7]bool // by time.Weekday
	dates []date  // instead of week, if there are any
	spans []span  // none: closed
}

type date struct {
	year  int // 0: every year
	month time.Month
	day   int
}

// span is in minutes of the local day; an end beyond 1,440 is on the day after.
type span struct{ from, to int }

const dayMinutes = 24 * 60

// ParseHours reads opening hours as OpenStreetMap and IMDF write them, as far as a store needs:
//
//	24/7
//	Mo-Fr 09:00-21:00; Sa,Su 10:00-20:00      days left out are closed
//	Mo-Su 10:00-14:00,16:00-02:00             past midnight belongs to the day it began on
//	Mo-Su 09:00-21:00; Dec 25 off; 2027 Jan 01,2027 Jan 02 10:00-16:00
//
// A later rule replaces the earlier ones on the days that it names. A span that ends when it begins is refused:
// some readers of such hours take it for a whole day, some for none, and it may be a slip. zone is an IANA time zone, such
// as Asia/Shanghai. What is written any other way is refused with the rule it stands in, because
// hours that are misread keep people tracked in a closed store.
func ParseHours(text, zone string) (Hours, error) {
	if zone == "" || zone == "Local" {
		return Hours{}, fmt.Errorf("hours %q: no time zone: name one such as Europe/Berlin", text)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return Hours{}, fmt.Errorf("hours: %q is not a time zone: name one such as Europe/Berlin", zone)
	}
	h := Hours{text: strings.TrimSpace(text), zone: loc}
	for _, part := range strings.Split(h.text, ";") {
		rule, err := parseRule(strings.TrimSpace(part))
		if err != nil {
			return Hours{}, fmt.Errorf("hours: rule %q: %w", strings.TrimSpace(part), err)
		}
		h.rules = append(h.rules, rule)
	}
	return h, nil
}

// String is the text that the hours were read from; empty if always open.
func (h Hours) String() string { return h.text }

// Zone is the name of the time zone; empty if always open.
func (h Hours) Zone() string {
	if h.zone == nil {
		return ""
	}
	return h.zone.String()
}

// Open reports whether the store is open at a moment. A span has its first minute and not its last.
// Hours are what the clock on the wall says, on the nights when it is changed too: an hour that comes
// twice is open both times or neither, and a span within an hour that never comes is not open.
func (h Hours) Open(at time.Time) bool {
	if h.rules == nil {
		return true
	}
	at = at.In(h.zone)
	minute := at.Hour()*60 + at.Minute()
	today, yesterday := h.day(at), h.day(at.AddDate(0, 0, -1))
	return within(today, minute) || within(yesterday, minute+dayMinutes)
}

// day are the spans of the local day that t lies in.
func (h Hours) day(t time.Time) []span {
	for i := len(h.rules) - 1; i >= 0; i-- {
		if h.rules[i].names(t) {
			return h.rules[i].spans
		}
	}
	return nil
}

func (r hoursRule) names(t time.Time) bool {
	if len(r.dates) == 0 {
		return r.week[t.Weekday()]
	}
	for _, d := range r.dates {
		if d.month == t.Month() && d.day == t.Day() && (d.year == 0 || d.year == t.Year()) {
			return true
		}
	}
	return false
}

func within(spans []span, minute int) bool {
	for _, s := range spans {
		if s.from <= minute && minute < s.to {
			return true
		}
	}
	return false
}

var weekdays = []string{"Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"}

func parseRule(text string) (hoursRule, error) {
	var r hoursRule
	if text == "24/7" {
		return hoursRule{[7]bool{true, true, true, true, true, true, true}, nil, []span{{0, dayMinutes}}}, nil
	}
	cut := strings.LastIndexByte(text, ' ')
	if cut < 0 {
		return r, fmt.Errorf("write days and times, such as Mo-Fr 09:00-21:00, or days and off")
	}
	days, times := strings.TrimSpace(text[:cut]), text[cut+1:]
	if err := r.readDays(days); err != nil {
		return r, err
	}
	if times == "off" || times == "closed" {
		return r, nil
	}
	for _, part := range strings.Split(times, ",") {
		s, err := parseSpan(part)
		if err != nil {
			return r, err
		}
		r.spans = append(r.spans, s)
	}
	return r, nil
}

func (r *hoursRule) readDays(text string) error {
	for _, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		if d, ok := parseDate(part); ok {
			r.dates = append(r.dates, d)
			continue
		}
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, last := weekday(from), weekday(to)
		if first < 0 || last < 0 {
			return fmt.Errorf("%q is neither a weekday (Mo, Tu, …), a range of them (Mo-Fr) nor a date (Dec 25, 2027 Jan 01); public holidays are not known here, write their dates", part)
		}
		for d := first; ; d = (d + 1) % 7 {
			r.week[d] = true
			if d == last {
				break
			}
		}
	}
	if len(r.dates) > 0 && r.week != [7]bool{} {
		return fmt.Errorf("weekdays and dates in one rule: write two rules, with a semicolon between")
	}
	return nil
}

func weekday(name string) int {
	for i, w := range weekdays {
		if w == name {
			return i
		}
	}
	return -1
}

func parseDate(text string) (date, bool) {
	if t, err := time.Parse("2006 Jan 02", text); err == nil {
		return date{t.Year(), t.Month(), t.Day()}, true
	}
	if t, err := time.Parse("2006 Jan 02", "2000 "+text); err == nil { // a leap year: Feb 29 is a date
		return date{0, t.Month(), t.Day()}, true
	}
	return date{}, false
}

func parseSpan(text string) (span, error) {
	from, to, ok := strings.Cut(text, "-")
	a, okA := parseMinute(from)
	b, okB := parseMinute(to)
	if !ok || !okA || !okB || a >= dayMinutes {
		return span{}, fmt.Errorf("%q is not a span of time such as 09:00-21:00", text)
	}
	if a == b {
		return span{}, fmt.Errorf("%q opens and closes at once: write 00:00-24:00 for a whole day, or off for none", text)
	}
	if b < a {
		b += dayMinutes
	}
	return span{a, b}, nil
}

// parseMinute reads hh:mm, up to 24:00.
func parseMinute(text string) (int, bool) {
	if len(text) != 5 || text[2] != ':' {
		return 0, false
	}
	h, errH := strconv.ParseUint(text[:2], 10, 8)
	m, errM := strconv.ParseUint(text[3:], 10, 8)
	minute := int(h)*60 + int(m)
	return minute, errH == nil && errM == nil && m < 60 && minute <= dayMinutes
}
