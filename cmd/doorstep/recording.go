// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// recordedFix is a line of a recording, as in the data of traces. T, Lat and Lng are never nil in one
// that was read.
type recordedFix struct {
	T         *int64   `json:"t"`
	Lat       *float64 `json:"lat"`
	Lng       *float64 `json:"lng"`
	AccuracyM *float64 `json:"accuracy_m"`
	Floor     *int     `json:"floor"`
	Seq       int64    `json:"seq"`
	Mocked    bool     `json:"mocked"`
}

// writtenFix is that line as programs write it: many know no whole numbers, and a column with gaps in
// it is one of 0.0 and 1.7e12. Every t that is taken is exact as a float64.
type writtenFix struct {
	T         *float64 `json:"t"`
	Lat       *float64 `json:"lat"`
	Lng       *float64 `json:"lng"`
	AccuracyM *float64 `json:"accuracy_m"`
	Floor     *float64 `json:"floor"`
	Seq       int64    `json:"seq"`
	Mocked    bool     `json:"mocked"`
}

// lastMS is the last moment that a date can hold, ECMA-262's time value: Unix milliseconds.
const lastMS = 8.64e15

// read makes the whole numbers whole.
func (w writtenFix) read() (recordedFix, error) {
	f := recordedFix{Lat: w.Lat, Lng: w.Lng, AccuracyM: w.AccuracyM, Seq: w.Seq, Mocked: w.Mocked}
	if w.T != nil {
		if math.Abs(*w.T) > lastMS {
			return f, fmt.Errorf("t %v is no date, which ends at %d: write Unix milliseconds", *w.T, int64(lastMS))
		}
		t := int64(math.Round(*w.T))
		f.T = &t
	}
	if w.Floor != nil {
		floor := int(*w.Floor)
		if math.Abs(*w.Floor) > 1<<53 || float64(floor) != *w.Floor {
			return f, fmt.Errorf("floor must be %s, not the number %v", recordedTypes["floor"], *w.Floor)
		}
		f.Floor = &floor
	}
	return f, nil
}

// recordedTypes are what the fields must be, for people.
var recordedTypes = map[string]string{
	"t": "a number of Unix milliseconds", "lat": "a number of degrees", "lng": "a number of degrees",
	"accuracy_m": "a number of metres or null", "floor": "a whole number or null", "seq": "a whole number", "mocked": "true or false",
}

// longestLine is more than a fix has, in bytes.
const longestLine = 64 << 10

// fixReader reads fixes from NDJSON, one at a time. Its errors begin with the place.
type fixReader struct {
	name  string // what errors call it
	lines *bufio.Scanner
	line  int // the number of the last one read, from 1
}

func readFixes(name string, in io.Reader) *fixReader {
	r := &fixReader{name: name, lines: bufio.NewScanner(in)}
	r.lines.Buffer(make([]byte, 0, 4096), longestLine)
	return r
}

// next is the next fix, or io.EOF. Empty lines are passed over, and a byte order mark at the start.
func (r *fixReader) next() (recordedFix, error) {
	for r.lines.Scan() {
		text := r.lines.Bytes()
		if r.line++; r.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		f, err := parseFix(text)
		if err != nil {
			return recordedFix{}, fmt.Errorf("%s, line %d: %w", r.name, r.line, err)
		}
		return f, nil
	}
	switch err := r.lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return recordedFix{}, fmt.Errorf("%s, line %d: longer than %d bytes: write one fix a line", r.name, r.line+1, longestLine)
	case err != nil:
		return recordedFix{}, fmt.Errorf("%s: %w", r.name, cause(err))
	}
	return recordedFix{}, io.EOF
}

func parseFix(text []byte) (recordedFix, error) {
	var w writtenFix
	err := json.Unmarshal(text, &w)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return recordedFix{}, fmt.Errorf(`column %d: not JSON: %v: write each fix as {"t":…,"lat":…,"lng":…} on a line of its own`, syntax.Offset, err)
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && recordedTypes[kind.Field] != "" {
		return recordedFix{}, fmt.Errorf("%s must be %s, not %s", kind.Field, recordedTypes[kind.Field], article(kind.Value))
	}
	if err != nil {
		return recordedFix{}, errors.New(`not a JSON object: write each fix as {"t":…,"lat":…,"lng":…}`)
	}
	f, err := w.read()
	if err != nil {
		return recordedFix{}, err
	}
	return f, f.complete(text)
}

// article turns "string" and "number 1.5" into "a string" and "the number 1.5".
func article(kind string) string {
	switch {
	case strings.Contains(kind, " "):
		return "the " + kind
	case strings.HasPrefix(kind, "o") || strings.HasPrefix(kind, "a"):
		return "an " + kind
	}
	return "a " + kind
}

// complete names what is missing, and the field that probably holds it.
func (f recordedFix) complete(text []byte) error {
	for _, field := range []struct {
		name   string
		there  bool
		others []string
	}{
		{"t", f.T != nil, []string{"time", "timestamp", "ts", "time_ms"}},
		{"lat", f.Lat != nil, []string{"latitude"}},
		{"lng", f.Lng != nil, []string{"lon", "long", "longitude"}},
	} {
		if field.there {
			continue
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(text, &all); err != nil {
			return err
		}
		for _, other := range field.others {
			if _, found := all[other]; found {
				return fmt.Errorf("%s is missing: rename %s to %s", field.name, other, field.name)
			}
		}
		return fmt.Errorf("%s is missing: every fix needs t, lat and lng", field.name)
	}
	return nil
}
