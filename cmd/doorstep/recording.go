// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// recordedTypes are what the fields must be, for people.
var recordedTypes = map[string]string{
	"t": "a whole number of Unix milliseconds", "lat": "a number of degrees", "lng": "a number of degrees",
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

// next is the next fix, or io.EOF. Empty lines are passed over.
func (r *fixReader) next() (recordedFix, error) {
	for r.lines.Scan() {
		r.line++
		text := bytes.TrimSpace(r.lines.Bytes())
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
	var f recordedFix
	err := json.Unmarshal(text, &f)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return f, fmt.Errorf(`column %d: not JSON: %v: write each fix as {"t":…,"lat":…,"lng":…} on a line of its own`, syntax.Offset, err)
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && recordedTypes[kind.Field] != "" {
		return f, fmt.Errorf("%s must be %s, not %s", kind.Field, recordedTypes[kind.Field], article(kind.Value))
	}
	if err != nil {
		return f, errors.New(`not a JSON object: write each fix as {"t":…,"lat":…,"lng":…}`)
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
