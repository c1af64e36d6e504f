// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// positionLife is how long a position lives; tracking.PositionLife is the same.
const positionLife = 30 * time.Second

// PositionKept is that, as registries declare it.
const PositionKept = "PT30S"

// life is how long this server keeps something, and the name under which the program says so. None of them is a setting.
type life struct {
	span time.Duration
	name string
}

var (
	positionKept = life{positionLife, "PositionLife"}
	requestKept  = life{AlertLife, "AlertLife"} // what comes with a request: until a day after it was settled
	countsKept   = life{CountsLife, "CountsLife"}
)

// kept tells for how long this server keeps each field of a frame that a registry can declare. A registry
// that promises something else is refused, so that what is published is what is done (brief, 17 and 44).
var kept = []struct {
	field string
	life  life
}{
	{"lat", positionKept}, {"lng", positionKept}, {"accuracy_m", positionKept}, {"accuracy_basis", positionKept}, {"level", positionKept},
	{"speed_mps", positionKept}, {"heading_deg", positionKept}, {"source", positionKept}, {"mocked", positionKept},
	{"app_state", positionKept}, {"precise", positionKept},
	{"topic", requestKept}, {"show_me", requestKept}, {"kind", requestKept}, {"ref", requestKept},
}

// made tells the same of the data types that no field carries, since this server makes them of positions.
var made = map[string]life{ZoneData: positionKept, ZoneCount: countsKept}

func keptFor(field string) (life, bool) {
	for _, k := range kept {
		if k.field == field {
			return k.life, true
		}
	}
	return life{}, false
}

func frameFields() []string {
	var out []string
	for _, k := range kept {
		out = append(out, k.field)
	}
	slices.Sort(out)
	return out
}

// KeptBeside is something that this server keeps of every shopper who decided, whatever the purpose: it belongs to no data type, and to
// what is promised all the same. Its title is in the words of the pages, under "kept_" and the id.
type KeptBeside struct {
	ID        string            `json:"id"` // visits, journal, disclosures, decisions, erasures
	Title     map[string]string `json:"title"`
	Retention string            `json:"retention"` // ISO 8601 duration
}

// KeptBeside lists all of it.
func (r *Registry) KeptBeside() (list []KeptBeside) {
	for _, x := range r.beside() {
		title := map[string]string{}
		for lang, words := range pageWords() {
			title[lang] = words["kept_"+x.what]
		}
		list = append(list, KeptBeside{x.what, title, isoSpan(x.span)})
	}
	return list
}

// beside are the lives by which it is pruned.
func (r *Registry) beside() []told {
	return []told{{"visits", EnteredLife}, {"journal", JournalLife}, {"disclosures", AuditLife}, {"decisions", days(r.ProofDays)}, {"erasures", ErasureLife}}
}

// isoSpan is a length of time as registries write it.
func isoSpan(d time.Duration) string {
	if d%days(1) == 0 {
		return fmt.Sprintf("P%dD", d/days(1))
	}
	return iso8601(d)
}

var (
	retentionForm = regexp.MustCompile(`^P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?$`)
	calendarForm  = regexp.MustCompile(`^P(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T.*)?$`)
)

// Why a retention is none.
var (
	errCalendar = errors.New("counts in years, months or weeks, which no server can count: they are not all of one length, or are written in days here")
	errNoSpan   = errors.New("is no length of time")
)

// parseRetention reads an ISO 8601 duration of days, hours, minutes and seconds, above zero.
func parseRetention(s string) (time.Duration, error) {
	m := retentionForm.FindStringSubmatch(s)
	var total time.Duration
	if m != nil {
		for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
			n, _ := strconv.Atoi(m[i+1]) // an empty part is none
			total += time.Duration(n) * unit
		}
	}
	switch {
	case total > 0:
		return total, nil
	case m == nil && calendarForm.MatchString(s):
		return 0, fmt.Errorf("%q %w", s, errCalendar)
	}
	return 0, fmt.Errorf("%q %w", s, errNoSpan)
}
