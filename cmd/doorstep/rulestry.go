// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"doorstep/geofence"
	"doorstep/tracking"
	"doorstep/tracking/rulebook"
)

type rulesTryCmd struct {
	rulesFile
	Walks   []string  `type:"path" help:"Recorded walks (NDJSON files or folders of them). Without any: somebody who stands in each zone that the rules look at."`
	At      time.Time `help:"When simulated visits begin, such as 2026-11-23T12:00:00Z; by default the coming Monday at noon, UTC."`
	Stay    int       `default:"30" help:"Minutes that simulated visits last."`
	Purpose []string  `help:"Purposes that the visitors have granted; by default all that the rules name."`
	Checkin bool      `help:"Have every visitor check in on coming inside, with nobody to take it."`
	JSON    bool      `name:"json" help:"One line of JSON for each alert."`
}

// raised is an alert that the rules would have raised.
type raised struct {
	Walk      string            `json:"walk"`
	T         int64             `json:"t"`
	Kind      string            `json:"kind"`
	Rule      string            `json:"rule,omitempty"`
	Name      string            `json:"name,omitempty"`
	Zone      string            `json:"zone,omitempty"`
	Priority  rulebook.Priority `json:"priority"`
	Tell      rulebook.Tell     `json:"tell"`
	EscalateT int64             `json:"escalate_t"`
}

// Run plays the walks by the same fence and the same rules as a server, with their own clock.
func (c *rulesTryCmd) Run(s streams) error {
	if c.Map == "" {
		return wrong("--map: needed: a walk is in no zone without a map")
	}
	if c.Stay < 1 || c.Stay > 12*60 {
		return wrong("--stay %d: choose 1 to %d minutes", c.Stay, 12*60)
	}
	book, x, err := c.read()
	if err != nil {
		return err
	}
	warnNarrow(s.err, book, x)
	walks, err := c.walks(book, x)
	if err != nil {
		return err
	}
	n := 0
	for _, w := range walks {
		found, err := c.play(book, x, w)
		if err != nil {
			return err
		}
		for _, a := range found {
			n++
			if err := c.print(s.out, a); err != nil {
				return err
			}
		}
	}
	if !c.JSON {
		fmt.Fprintf(s.out, "%s on %s\n", count(n, "alert"), count(len(walks), "walk"))
	}
	return nil
}

func (c *rulesTryCmd) print(w io.Writer, a raised) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(a)
	}
	at := time.UnixMilli(a.T).UTC()
	what := a.Kind
	if a.Rule != "" {
		what = fmt.Sprintf("%s %s (%s)", a.Kind, a.Rule, a.Name)
	}
	_, err := fmt.Fprintf(w, "%s  %s  %s in %s, priority %s, tells %s, escalates after %v\n", at.Format("2006-01-02 15:04:05"), a.Walk, what,
		orNowhere(a.Zone), a.Priority, told(a.Tell), time.UnixMilli(a.EscalateT).Sub(time.UnixMilli(a.T)))
	return err
}

func orNowhere(zone string) string {
	if zone == "" {
		return "no certain zone"
	}
	return zone
}

func told(t rulebook.Tell) string {
	all := append(append(append([]string{}, t.Teams...), t.Roles...), t.Languages...)
	if len(all) == 0 {
		return "everybody"
	}
	return strings.Join(all, ", ")
}

// tried is one walk to be played.
type tried struct {
	name  string
	fixes iter.Seq2[geofence.Fix, error]
}

// play runs one walk. Between two fixes time passes second by second, as on a server.
func (c *rulesTryCmd) play(b *rulebook.Book, x *geofence.Index, w tried) (found []raised, err error) {
	purposes := c.purposes(b)
	seen := map[rulebook.Raise]bool{}
	var last geofence.Event
	inside := int64(0) // since when
	step := func(p geofence.Presence, now int64) {
		zones, n, certain := p.Zones()
		v := rulebook.Visit{Purposes: purposes, Since: p.ZoneSince(), Now: now}
		if n > 0 && certain && !zones[0].Sensitive {
			v.Zone = zones[0].ID
		}
		due := b.Due(v)
		if after := b.Waiting.AfterCheckin.Duration; c.Checkin && after > 0 && inside > 0 && now-inside >= after.Milliseconds() {
			due = append(due, rulebook.Raise{Kind: rulebook.Waiting, Patience: b.Waiting.Escalate.Duration})
		}
		for _, r := range due {
			if r.Purpose = ""; !seen[r] { // waiting is waiting, for whatever purpose and by whichever clock
				seen[r] = true
				found = append(found, c.raise(b, w.name, v.Zone, r, now))
			}
		}
	}
	for e, err := range geofence.DefaultRules().Replay(x, w.fixes) {
		if err != nil {
			return found, err
		}
		for t := last.T + 1000; last.T > 0 && t < e.T; t += 1000 {
			step(last.Presence, t)
		}
		for _, t := range e.Outcome.Transitions() {
			switch t.Kind {
			case geofence.Enter:
				inside = t.T
			case geofence.End:
				inside = 0
				clear(seen) // the next fix begins another visit
			}
		}
		step(e.Presence, e.T)
		last = e
	}
	return found, nil
}

func (c *rulesTryCmd) raise(b *rulebook.Book, walk, zone string, r rulebook.Raise, now int64) raised {
	route := b.Route(r.Kind, r.Rule, zone)
	a := tracking.Alert{Patience: r.Patience}
	return raised{Walk: walk, T: now, Kind: r.Kind, Rule: r.Rule, Name: route.Name, Zone: zone, Priority: route.Priority, Tell: route.Tell,
		EscalateT: now + a.Waits().Milliseconds()}
}

func (c *rulesTryCmd) purposes(b *rulebook.Book) []string {
	if len(c.Purpose) > 0 {
		return c.Purpose
	}
	all := []string{"assist"}
	for _, r := range b.Rules {
		all = append(all, r.Purpose)
	}
	return all
}

// walks are the recorded ones, or simulated ones.
func (c *rulesTryCmd) walks(b *rulebook.Book, x *geofence.Index) (list []tried, err error) {
	if len(c.Walks) == 0 {
		return c.simulate(b, x)
	}
	for _, path := range c.Walks {
		err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return fmt.Errorf("--walks %s: %w: name NDJSON files or folders of them", path, cause(err))
			}
			if ext := filepath.Ext(path); !d.IsDir() && (ext == ".ndjson" || ext == ".jsonl") {
				list = append(list, tried{filepath.Base(path), recorded(path)})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("--walks: no walk found: name files that end in .ndjson or .jsonl, or folders of them")
	}
	return list, nil
}

// recorded reads a recording as it is played.
func recorded(path string) iter.Seq2[geofence.Fix, error] {
	return func(yield func(geofence.Fix, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(geofence.Fix{}, fmt.Errorf("--walks %s: %w", path, cause(err)))
			return
		}
		defer f.Close()
		in, replay := readFixes(path, f), storeReplayCmd{Accuracy: 8}
		for fix, err := range replay.fixes(in) {
			if !yield(fix, err) {
				return
			}
		}
	}
}

// simulate has somebody stand in each zone that the rules look at.
func (c *rulesTryCmd) simulate(b *rulebook.Book, x *geofence.Index) (list []tried, err error) {
	zones := zonesOf(b)
	if len(zones) == 0 {
		return nil, errors.New("these rules look at no zone: name recorded walks with --walks")
	}
	for _, zone := range zones {
		at, level, ok := standing(x, zone)
		if !ok {
			return nil, fmt.Errorf("zone %s is too small to stand in for certain: a rule about it would raise nothing", zone)
		}
		list = append(list, tried{"standing in " + zone, c.stand(at, level)})
	}
	return list, nil
}

// stand is a phone that sends a fix every five seconds from one place, and then falls silent.
func (c *rulesTryCmd) stand(at geofence.LatLng, level int) iter.Seq2[geofence.Fix, error] {
	from := c.At
	if from.IsZero() {
		now := time.Now().UTC().Truncate(24 * time.Hour)
		from = now.AddDate(0, 0, (int(time.Monday)-int(now.Weekday())+7)%7+7).Add(12 * time.Hour)
	}
	return func(yield func(geofence.Fix, error) bool) {
		for s := 0; s <= c.Stay*60; s += 5 {
			f := geofence.Fix{T: from.Add(time.Duration(s) * time.Second).UnixMilli(), At: at, AccuracyM: 3, Level: level, HasLevel: true, Precise: true}
			if !yield(f, nil) {
				return
			}
		}
	}
}

// standing finds the place in a zone that is farthest from its neighbours, by a grid over it.
func standing(x *geofence.Index, zone string) (best geofence.LatLng, level int, ok bool) {
	site := x.Site()
	f := site.Frame()
	for _, l := range site.Levels {
		for _, z := range l.Zones {
			if z.ID != zone {
				continue
			}
			most := -1
			for _, at := range gridOver(f, z.Shape) {
				if n := roomAround(x, f, at, z); n > most {
					best, level, most = at, z.Level, n
				}
			}
			return best, level, most > 0
		}
	}
	return best, 0, false
}

const gridSteps = 24

// gridOver are places over a shape's bounds.
func gridOver(f geofence.Frame, shape geofence.MultiPolygon) (list []geofence.LatLng) {
	minX, minY, maxX, maxY, first := 0.0, 0.0, 0.0, 0.0, true
	for _, part := range shape {
		for _, p := range part[0] {
			x, y := f.XY(p)
			if first {
				minX, minY, maxX, maxY, first = x, y, x, y, false
			}
			minX, minY, maxX, maxY = min(minX, x), min(minY, y), max(maxX, x), max(maxY, y)
		}
	}
	for i := range gridSteps {
		for j := range gridSteps {
			list = append(list, f.LatLng(minX+(maxX-minX)*(float64(i)+.5)/gridSteps, minY+(maxY-minY)*(float64(j)+.5)/gridSteps))
		}
	}
	return list
}

// roomAround is how many steps of half a metre a place is from anything but the zone.
func roomAround(x *geofence.Index, f geofence.Frame, at geofence.LatLng, z geofence.Zone) int {
	cx, cy := f.XY(at)
	for r := range 16 {
		d := float64(r) / 2
		for _, step := range [][2]float64{{d, 0}, {-d, 0}, {0, d}, {0, -d}} {
			p := x.Locate(f.LatLng(cx+step[0], cy+step[1]), z.Level, true)
			if p.N == 0 || p.Zones[0].ID != z.ID {
				return r
			}
		}
	}
	return 16
}
