// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Fence is what a phone decides by: where a store's levels end. The edge counts as inside. It is
// immutable and safe for concurrent use.
type Fence struct {
	Store   string
	Name    string
	Version string
	levels  []fenceLevel
	cells   *cover // nil if it came without
}

// fenceLevel is one level's boundary. Rings are closed, points are {lng, lat} in degrees.
type fenceLevel struct {
	Ordinal  int         `json:"ordinal"`
	Name     string      `json:"name"`
	Boundary [][][]point `json:"boundary"`
}

type point [2]float64

// ErrFence means that a fence cannot be used: without one a phone stays silent.
var ErrFence = errors.New("client: the fence cannot be used; fetch the list of stores and the fence again")

// ParseFence reads the answer of GET /v1/stores/{id}/fences/{version}. What it does not know it ignores.
func ParseFence(raw []byte) (*Fence, error) {
	var in struct {
		Store, Name, Version string
		Levels               []fenceLevel
		PerDegree            float64 `json:"per_degree"`
		Cells                *struct {
			Res          int
			Inside, Edge []string
		}
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrFence, "not the JSON of a fence")
	}
	if in.Version == "" || len(in.Levels) == 0 {
		return nil, fmt.Errorf("%w: no version or no level", ErrFence)
	}
	for i, l := range in.Levels {
		addUp(l.Boundary, in.PerDegree)
		if err := checkRings(l.Boundary); err != nil {
			return nil, fmt.Errorf("%w: level %d: %w", ErrFence, i, err)
		}
	}
	f := &Fence{Store: in.Store, Name: in.Name, Version: in.Version, levels: in.Levels}
	if c := in.Cells; c != nil {
		cells, err := newCover(c.Res, c.Inside, c.Edge)
		if err != nil {
			return nil, fmt.Errorf("%w: cells: %w", ErrFence, err)
		}
		f.cells = cells
	}
	f.joinAtAntimeridian()
	return f, nil
}

// addUp turns rings that came as differences, in whole numbers of a part of a degree, into degrees; without
// such a part they are degrees already. Sums of whole numbers this small are exact.
func addUp(parts [][][]point, perDegree float64) {
	if perDegree == 0 {
		return
	}
	for _, part := range parts {
		for _, ring := range part {
			var at point
			for i, d := range ring {
				at[0], at[1] = at[0]+d[0], at[1]+d[1]
				ring[i] = point{at[0] / perDegree, at[1] / perDegree}
			}
		}
	}
}

// joinAtAntimeridian counts longitudes on past 180, so that a store that lies across it is in one piece.
func (f *Fence) joinAtAntimeridian() {
	for _, l := range f.levels {
		for _, part := range l.Boundary {
			for _, ring := range part {
				for i := range ring {
					ring[i][0] = f.near(ring[i][0])
				}
			}
		}
	}
}

// near is the same longitude, within half a turn of the fence's first point.
func (f *Fence) near(lng float64) float64 {
	switch d := lng - f.levels[0].Boundary[0][0][0][0]; {
	case d > 180:
		return lng - 360
	case d < -180:
		return lng + 360
	}
	return lng
}

func checkRings(parts [][][]point) error {
	if len(parts) == 0 {
		return errors.New("no boundary")
	}
	for p, part := range parts {
		if len(part) == 0 {
			return fmt.Errorf("part %d has no ring", p)
		}
		for r, ring := range part {
			if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
				return fmt.Errorf("part %d, ring %d is not closed", p, r)
			}
			for i, v := range ring {
				if !(math.Abs(v[0]) <= 180 && math.Abs(v[1]) <= 90) {
					return fmt.Errorf("part %d, ring %d, position %d is out of range", p, r, i)
				}
			}
		}
	}
	return nil
}

// Around are those of several stores' fences that a point lies in. If they are more than one, the
// boundaries overlap, and the shopper chooses (SPEC.md, P-6).
func Around(fences []*Fence, lat, lng float64, level *int) []*Fence {
	var around []*Fence
	for _, f := range fences {
		if f.Inside(lat, lng, level) {
			around = append(around, f)
		}
	}
	return around
}

// Inside reports whether a point lies in the store: on the given level, or on any if level is nil
// or none of the fence's. It is exact for straight edges in longitude and latitude (RFC 7946).
func (f *Fence) Inside(lat, lng float64, level *int) bool {
	if !(math.Abs(lat) <= 90 && math.Abs(lng) <= 180) {
		return false
	}
	for _, l := range f.pick(level) {
		if insideParts(l.Boundary, point{f.near(lng), lat}) {
			return true
		}
	}
	return false
}

// DistM is the distance to the boundary in metres, negative inside: of several levels, that of the
// one the point is deepest in or nearest to. It is good to centimetres within a kilometre. NaN for a point
// that is none.
func (f *Fence) DistM(lat, lng float64, level *int) float64 {
	if !(math.Abs(lat) <= 90 && math.Abs(lng) <= 180) {
		return math.NaN()
	}
	best, p := math.Inf(1), point{f.near(lng), lat}
	for _, l := range f.pick(level) {
		d := distanceToRings(l.Boundary, p)
		if insideParts(l.Boundary, p) {
			d = -d
		}
		best = min(best, d)
	}
	return best
}

// usableM is the accuracy in metres that a fix needs to say anything, as the server has it.
const usableM = 50

// Where is the phone's answer for an outside frame: inside, edge (outside by no more than the
// doubt, itself at most 15 m), out, or far (more than 100 m). A fix that is none, or is less accurate
// than 50 m, is unknown.
func (f *Fence) Where(lat, lng, accuracyM float64, level *int) string {
	d := f.DistM(lat, lng, level)
	switch {
	case math.IsNaN(d) || math.IsInf(d, 0) || !(accuracyM > 0 && accuracyM <= usableM):
		return "unknown"
	case f.Inside(lat, lng, level):
		return "inside"
	case d <= min(accuracyM, 15):
		return "edge"
	case d > 100:
		return "far"
	}
	return "out"
}

func (f *Fence) pick(level *int) []fenceLevel {
	if level != nil {
		for i, l := range f.levels {
			if l.Ordinal == *level {
				return f.levels[i : i+1]
			}
		}
	}
	return f.levels
}
