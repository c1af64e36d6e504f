// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"doorstep/geofence"
)

type storeReplayCmd struct {
	mapFlags
	Accuracy float64 `default:"8" help:"Metres, for fixes whose accuracy_m is null."`
}

// Run writes one line per transition. It has no server and no clock but the fixes' own. A fix that the
// rules refuse is no error here either, as it is none from a phone; refusals are summed up on
// standard error. What is not a fix at all is an error.
func (c *storeReplayCmd) Run(s streams) error {
	if !(c.Accuracy > 0 && c.Accuracy <= 1000) { // NaN too
		return wrong("--accuracy %v: choose metres above 0, 1000 at most", c.Accuracy)
	}
	x, err := c.open()
	if err != nil {
		return err
	}
	in := readFixes("standard input", s.in)
	refused := refusals{}
	err = buffered(s.out, func(w *bufio.Writer) error {
		enc := json.NewEncoder(w)
		for e, err := range geofence.DefaultRules().Replay(x, c.fixes(in)) {
			if err != nil {
				return err
			}
			if e.Fix != nil {
				refused.add(e.Outcome.Refused, in.line)
			}
			for _, t := range e.Outcome.Transitions() {
				if err := enc.Encode(lineOf(t)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	refused.report(s.err)
	return err
}

type replayLine struct {
	T       int64  `json:"t"`
	Event   string `json:"event"`
	Reason  string `json:"reason,omitempty"`
	Zone    string `json:"zone,omitempty"`
	Name    string `json:"name,omitempty"`
	Certain *bool  `json:"certain,omitempty"`
}

func lineOf(t geofence.Transition) replayLine {
	l := replayLine{T: t.T, Event: string(t.Kind), Reason: string(t.Reason)}
	if t.Zone != nil {
		l.Zone, l.Name, l.Certain = t.Zone.ID, t.Zone.Name, &t.Certain
	}
	return l
}

func (c *storeReplayCmd) fixes(in *fixReader) iter.Seq2[geofence.Fix, error] {
	return func(yield func(geofence.Fix, error) bool) {
		for {
			r, err := in.next()
			if errors.Is(err, io.EOF) || !yield(c.fix(r), err) || err != nil {
				return
			}
		}
	}
}

func (c *storeReplayCmd) fix(r recordedFix) geofence.Fix {
	if r.T == nil {
		return geofence.Fix{}
	}
	f := geofence.Fix{Seq: r.Seq, T: *r.T, At: geofence.LatLng{Lat: *r.Lat, Lng: *r.Lng}, AccuracyM: c.Accuracy, Mocked: r.Mocked, Precise: true}
	if r.AccuracyM != nil {
		f.AccuracyM = *r.AccuracyM
	}
	switch {
	case c.Level != nil:
		f.Level, f.HasLevel = *c.Level, true
	case r.Floor != nil:
		f.Level, f.HasLevel = *r.Floor, true
	}
	return f
}

// refusals count what the rules refused, by code, and remember where each code was first.
type refusals map[geofence.Refusal]*refusal

type refusal struct{ n, line int }

func (r refusals) add(why geofence.Refusal, line int) {
	if why == "" {
		return
	}
	if r[why] == nil {
		r[why] = &refusal{line: line}
	}
	r[why].n++
}

// report says what was refused, unless it is only what a recording of somebody who leaves must hold.
func (r refusals) report(w io.Writer) {
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(r)) {
		hint := ""
		if why == geofence.RefusedRange {
			hint = ": lat or lng is no place on earth"
		}
		parts = append(parts, fmt.Sprintf("%s %d (line %d first%s)", why, r[why].n, r[why].line, hint))
	}
	if _, outside := r[geofence.RefusedOutside]; len(parts) == 0 || outside && len(parts) == 1 {
		return
	}
	fmt.Fprintf(w, "doorstep: fixes refused, by reason: %s\n", strings.Join(parts, ", "))
}
