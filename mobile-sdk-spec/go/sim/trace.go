// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode"
)

// recorded is one line of a trace.
type recorded struct {
	T         *int64
	Lat, Lng  *float64
	Floor     *int
	AccuracyM *float64 `json:"accuracy_m"`
	Offline   bool     `json:"offline"` // there was no network
}

const (
	traceLines = 1_000_000
	traceGap   = 10 * time.Second // longer between two lines: nothing was recorded there
)

// ErrTrace means that a trace cannot be walked.
var ErrTrace = errors.New("sim: the trace cannot be walked")

// readTrace turns the lines of a trace into legs. Lines that repeat or go back in time are left out: phones deliver
// fixes twice.
func readTrace(r io.Reader, at plane) ([]leg, plane, error) {
	var legs []leg
	var last *recorded
	err := eachRecorded(r, func(line *recorded) error {
		if at == (plane{}) {
			at = planeAt(*line.Lat, *line.Lng)
		}
		if last != nil && *line.T <= *last.T {
			return nil
		}
		if last != nil {
			legs = append(legs, legBetween(at, last, line))
		}
		last = line
		return nil
	})
	if err == nil && len(legs) == 0 {
		err = fmt.Errorf("%w: it has fewer than two lines in order of time", ErrTrace)
	}
	return legs, at, err
}

// eachRecorded reads GPX or NDJSON, whichever it is by its first character.
func eachRecorded(r io.Reader, line func(*recorded) error) error {
	b := bufio.NewReader(r)
	for {
		c, _, err := b.ReadRune()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTrace, err)
		}
		if unicode.IsSpace(c) || c == byteOrderMark {
			continue
		}
		if err := b.UnreadRune(); err != nil {
			return err
		}
		if c == '<' {
			return readGPX(b, line)
		}
		return readNDJSON(b, line)
	}
}

const byteOrderMark = '\ufeff'

// readNDJSON gives each line {t, lat, lng, floor, accuracy_m, offline} to line.
func readNDJSON(r io.Reader, line func(*recorded) error) error {
	s := bufio.NewScanner(r)
	for n := 1; s.Scan(); n++ {
		if len(s.Bytes()) == 0 {
			continue
		}
		x := new(recorded)
		if err := json.Unmarshal(s.Bytes(), x); err != nil || !x.good() || n > traceLines {
			return fmt.Errorf("%w: line %d is not {t, lat, lng, floor, accuracy_m}, or one too many", ErrTrace, n)
		}
		if err := line(x); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrTrace, err)
	}
	return nil
}

func (r *recorded) good() bool {
	return r.T != nil && r.Lat != nil && r.Lng != nil && math.Abs(*r.Lat) <= 90 && math.Abs(*r.Lng) <= 180
}

func legBetween(at plane, a, b *recorded) leg {
	l := leg{from: at.xy([2]float64{*a.Lng, *a.Lat}), to: at.xy([2]float64{*b.Lng, *b.Lat}),
		takes: time.Duration(*b.T-*a.T) * time.Millisecond}
	l.gap, l.offline = l.takes > traceGap, a.Offline
	if a.Floor != nil {
		l.level = *a.Floor
	}
	if a.AccuracyM != nil {
		l.accuracyM = *a.AccuracyM
	}
	return l
}

// carryOut continues a trace that ends inside: straight to the nearest door of its level, or the
// nearest point of the boundary, and away. Where no straight way leads off there, other points of
// the boundary are tried.
func carryOut(m *Map, legs []leg, opt Options, p *planner) ([]leg, error) {
	end := legs[len(legs)-1]
	l := m.level(end.level)
	if l == nil {
		l = m.lowest()
	}
	if !l.area.contains(end.to) {
		return legs, nil
	}
	p.level, p.at = l, end.to
	for try := range 64 {
		exit := nearestExit(m, l, p.at)
		if try > 0 {
			inner, err := somewhere(l, p.rnd)
			if err != nil {
				return nil, err
			}
			exit, _, _ = l.area.nearest(inner)
		}
		if out, ok := wayOut(l.area, exit, opt.OutM); ok {
			p.walk(exit)
			p.goAway(out)
			return append(legs, p.legs...), nil
		}
	}
	return nil, fmt.Errorf("%w: no way leads out", ErrMap)
}

func nearestExit(m *Map, l *level, from xy) xy {
	best, _, _ := l.area.nearest(from)
	far := math.Inf(1)
	for _, d := range m.doors {
		if d.level == l.ordinal && distance(d.at, from) < far {
			far = distance(d.at, from)
			best, _, _ = l.area.nearest(d.at)
		}
	}
	return best
}
