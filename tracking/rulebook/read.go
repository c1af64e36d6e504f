// SPDX-License-Identifier: Apache-2.0

package rulebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"doorstep/geofence"
)

// Duration is written as "90s" or "6m".
type Duration struct{ time.Duration }

// MarshalText writes it as it is read.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// IsZero leaves one that is not set out of a book that is written.
func (d Duration) IsZero() bool { return d.Duration == 0 }

// UnmarshalText reads a length of time with its unit.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	if d.Duration, err = time.ParseDuration(string(text)); err != nil {
		return fmt.Errorf("%q is no length of time: write it as 90s, 6m or 1h", text)
	}
	return nil
}

// Finding is one mistake in a book: where it is, what is wrong, and what to write instead.
type Finding struct{ Place, Wrong, Remedy string }

func (f Finding) String() string { return f.Place + ": " + f.Wrong + ": " + f.Remedy }

// Findings are all mistakes of a book, as one error.
type Findings []Finding

func (f Findings) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Known is what a book is held against. A nil Zones or Purposes is not looked at.
type Known struct {
	Zones    map[string]bool // of the store's map; true for one that staff do not see into
	Purposes map[string]bool // that the registry declares; true for one whose notice says that staff learn the zone
}

// ZonesOf are the zones of a map.
func ZonesOf(site *geofence.Site) map[string]bool {
	zones := map[string]bool{}
	for _, l := range site.Levels {
		for _, z := range l.Zones {
			zones[z.ID] = z.Sensitive
		}
	}
	return zones
}

// Bounds of a book.
const (
	rulesMost    = 64
	dwellLeast   = 10 * time.Second
	dwellMost    = 4 * time.Hour
	patienceMost = time.Hour
)

var ids = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Read reads a book and checks it. An error is Findings, with every mistake, unless the text is no JSON of this form.
func Read(text []byte, k Known) (*Book, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var b Book
	if err := d.Decode(&b); err != nil {
		return nil, Findings{place(text, d, err)}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, Findings{{"the end", "something follows the rules", "keep one object in the file"}}
	}
	c := checker{known: k, book: &b}
	c.check()
	if len(c.found) > 0 {
		return nil, c.found
	}
	return &b, nil
}

// place says where a text stops being a book.
func place(text []byte, d *json.Decoder, err error) Finding {
	offset := d.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	}
	line := 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n"))
	f := Finding{fmt.Sprintf("line %d", line), err.Error(), "compare it with the example in the README"}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		f.Wrong = fmt.Sprintf("%s cannot be a %s", kind.Field, kind.Value)
	}
	f.Wrong = strings.TrimPrefix(f.Wrong, "json: ")
	return f
}

type checker struct {
	known Known
	book  *Book
	found Findings
}

func (c *checker) say(place, wrong, remedy string, args ...any) {
	c.found = append(c.found, Finding{place, wrong, fmt.Sprintf(remedy, args...)})
}

func (c *checker) check() {
	b := c.book
	if len(b.Rules) > rulesMost {
		c.say("rules", fmt.Sprintf("%d of them", len(b.Rules)), "write %d at most: nobody can follow more", rulesMost)
	}
	seen := map[string]int{}
	for i := range b.Rules {
		r, at := &b.Rules[i], fmt.Sprintf("rules[%d]", i)
		if r.ID != "" {
			at += fmt.Sprintf(" (%s)", r.ID)
		}
		if first, twice := seen[r.ID]; twice && r.ID != "" {
			c.say(at+".id", "the same as that of "+fmt.Sprintf("rules[%d]", first), "give each rule an id of its own")
		}
		seen[r.ID] = i
		c.rule(at, r)
	}
	c.waiting("waiting", b.Waiting)
	for i, r := range b.Routes {
		c.route(fmt.Sprintf("routes[%d]", i), r)
	}
}

func (c *checker) rule(at string, r *Rule) {
	if !ids.MatchString(r.ID) {
		c.say(at+".id", fmt.Sprintf("%q", r.ID), "write small letters, digits and hyphens, 63 at most, such as fitting-rooms")
	}
	if r.Name = strings.TrimSpace(r.Name); r.Name == "" || len(r.Name) > 80 {
		c.say(at+".name", "missing, or longer than 80 bytes", "write what staff should read, such as \"Long at the fitting rooms\"")
	}
	c.zone(at+".zone", r.Zone)
	c.dwell(at+".dwell", r.Dwell)
	c.purpose(at+".purpose", r.Purpose)
	if r.Hours != "" {
		var err error
		if r.hours, err = geofence.ParseHours(r.Hours, c.book.TimeZone); err != nil {
			c.say(at+".hours", strings.TrimPrefix(err.Error(), "hours "), "write them as Mo-Fr 09:00-18:00, with time_zone at the top of the file")
		}
	}
	c.handling(at, r.Priority, r.Tell, r.Escalate)
}

func (c *checker) waiting(at string, w Wait) {
	if w.AfterCheckin.Duration != 0 {
		c.dwell(at+".after_checkin", w.AfterCheckin)
	}
	for _, zone := range slices.Sorted(maps.Keys(w.Zones)) {
		c.zone(at+".zones", zone)
		c.dwell(at+".zones."+zone, w.Zones[zone])
	}
	c.handling(at, w.Priority, w.Tell, w.Escalate)
}

func (c *checker) route(at string, r Route) {
	if !slices.Contains([]string{Help, Arrived, Called}, r.Kind) {
		c.say(at+".kind", fmt.Sprintf("%q", r.Kind), "write help, arrived or called; rules and waiting say for themselves who is told")
	}
	if r.Zone != "" {
		c.zone(at+".zone", r.Zone)
	}
	c.handling(at, r.Priority, r.Tell, r.Escalate)
}

func (c *checker) zone(at, zone string) {
	sensitive, there := c.known.Zones[zone]
	switch {
	case zone == "":
		c.say(at, "missing", "name a zone of the store's map by its id")
	case c.known.Zones != nil && !there:
		c.say(at, fmt.Sprintf("the map has no zone %q", zone), "it has %s; ids, not names", few(c.known.Zones))
	case sensitive:
		c.say(at, fmt.Sprintf("%q is a zone that staff do not see into", zone), "choose another: how long somebody is in there is nobody's business")
	}
}

// few names some of what there is.
func few(all map[string]bool) string {
	names := slices.Sorted(maps.Keys(all))
	if len(names) > 8 {
		return strings.Join(names[:8], ", ") + fmt.Sprintf(" and %d more", len(names)-8)
	}
	return strings.Join(names, ", ")
}

func (c *checker) dwell(at string, d Duration) {
	if d.Duration < dwellLeast || d.Duration > dwellMost {
		c.say(at, d.String(), "write between %v and %v, such as \"6m\"", dwellLeast, dwellMost)
	}
}

func (c *checker) purpose(at, purpose string) {
	tells, there := c.known.Purposes[purpose]
	switch {
	case purpose == "":
		c.say(at, "missing", "name the purpose that the shopper has agreed to; without one nobody is looked after")
	case c.known.Purposes != nil && !there:
		c.say(at, fmt.Sprintf("the registry has no purpose %q", purpose), "it has %s", few(c.known.Purposes))
	case c.known.Purposes != nil && !tells:
		c.say(at, fmt.Sprintf("the notice of %q does not say that staff learn the zone", purpose), "choose a purpose with the data type zone, or publish a notice that has it")
	}
}

func (c *checker) handling(at string, p Priority, t Tell, escalate Duration) {
	if !slices.Contains([]Priority{"", Low, Normal, High}, p) {
		c.say(at+".priority", fmt.Sprintf("%q", p), "write low, normal or high")
	}
	for _, role := range t.Roles {
		if !slices.Contains([]string{"floor", "lead", "admin"}, role) {
			c.say(at+".tell.roles", fmt.Sprintf("%q", role), "write floor, lead or admin")
		}
	}
	if slices.Contains(t.Teams, "") || slices.Contains(t.Languages, "") {
		c.say(at+".tell", "an empty name", "write teams as staff tokens have them, and languages as en, zh or ar")
	}
	if escalate.Duration != 0 && (escalate.Duration < dwellLeast || escalate.Duration > patienceMost) {
		c.say(at+".escalate_after", escalate.String(), "write between %v and %v, such as \"90s\"", dwellLeast, patienceMost)
	}
}
