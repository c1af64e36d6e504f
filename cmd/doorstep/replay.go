// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"doorstep/geofence"
)

type storeReplayCmd struct {
	mapFlags
	Accuracy float64 `default:"8" help:"Metres, for fixes whose accuracy_m is null."`
}

// Run writes one line per transition. It has no server and no clock but the fixes' own.
func (c *storeReplayCmd) Run(s streams) error {
	x, err := c.open()
	if err != nil {
		return err
	}
	return buffered(s.out, func(w *bufio.Writer) error {
		enc := json.NewEncoder(w)
		for e, err := range geofence.DefaultRules().Replay(x, c.fixes(s.in)) {
			if err != nil {
				return err
			}
			for _, t := range e.Outcome.Transitions() {
				if err := enc.Encode(lineOf(t)); err != nil {
					return err
				}
			}
		}
		return nil
	})
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

// recordedFix is a line of a recording, as in the data of traces.
type recordedFix struct {
	T         *int64   `json:"t"`
	Lat       *float64 `json:"lat"`
	Lng       *float64 `json:"lng"`
	AccuracyM *float64 `json:"accuracy_m"`
	Floor     *int     `json:"floor"`
	Seq       int64    `json:"seq"`
	Mocked    bool     `json:"mocked"`
}

func (c *storeReplayCmd) fixes(in io.Reader) iter.Seq2[geofence.Fix, error] {
	return func(yield func(geofence.Fix, error) bool) {
		lines := bufio.NewScanner(in)
		lines.Buffer(make([]byte, 0, 4096), 64<<10)
		for n := 1; lines.Scan(); n++ {
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			f, err := c.fix(lines.Bytes())
			if err != nil {
				err = fmt.Errorf("standard input, line %d: %w", n, err)
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(geofence.Fix{}, fmt.Errorf("standard input: %w", err))
		}
	}
}

func (c *storeReplayCmd) fix(line []byte) (geofence.Fix, error) {
	var r recordedFix
	if err := json.Unmarshal(line, &r); err != nil {
		return geofence.Fix{}, fmt.Errorf("not a JSON object of a fix: %w", err)
	}
	if r.T == nil || r.Lat == nil || r.Lng == nil {
		return geofence.Fix{}, fmt.Errorf("t, lat and lng are needed in every fix")
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
	return f, nil
}
