// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"math"
)

// Rules are a store's settings for what counts as in, out and in doubt. Metres and milliseconds.
// The defaults and their reasons are in DESIGN.md.
type Rules struct {
	MaxAccuracyM float64 // a fix needs 0 < accuracy ≤ this; 50

	EnterAccuracyM float64 // a fix counts toward entering at accuracy ≤ this; 35
	EnterFixes     int     // that many counted fixes in a row enter; 2
	EnterMS        int64   // or a counted fix this long after the first one; 5,000
	AgainMS        int64   // within a minute of an end by the fence: only that long after the first one; 10,000

	ZoneMS      int64 // in one zone for this long, accuracy ≤ its half-width: certain; 8,000
	ZoneLeaveMS int64 // not in the certain zone for this long: it is left; 4,000
	LikelyMS    int64 // a likely zone is forgotten when not seen for this long; 8,000

	OutCapM     float64 // outside farther than min(accuracy, this) suspends at once; 15
	SlackM      float64 // change detector: metres outside that count as nothing; 4
	ScaleMinM   float64 // change detector: S grows by (d-SlackM)/max(this, accuracy/2); 3
	HideAbove   float64 // change detector: suspended when S is above; 1
	EndMinM     float64 // toward the end counts a fix farther out than this and min(accuracy, OutCapM); 12
	PaceMPS     float64 // and no fix counts as farther out than this pace since the last one inside; 1.5
	EndFixes    int     // that many in a row end a suspended visit; 2
	FarM        float64 // one fix farther outside than this ends; 100
	SuspendMS   int64   // suspended this long without a fix against it ends; 10,000
	ResumeFixes int     // that many inside fixes resume; 2

	LeaseMS     int64   // no accepted fix for this long ends; 30,000
	MaxAgeMS    int64   // older fixes are stale; 15,000
	MaxAheadMS  int64   // fixes farther ahead of the clock are refused; 5,000
	MaxSpeedMPS float64 // after subtracting both accuracies; 12
}

// DefaultRules are the defaults.
func DefaultRules() Rules {
	return Rules{
		MaxAccuracyM:   50,
		EnterAccuracyM: 35, EnterFixes: 2, EnterMS: 5_000, AgainMS: 10_000,
		ZoneMS: 8_000, ZoneLeaveMS: 4_000, LikelyMS: 8_000,
		OutCapM: 15, SlackM: 4, ScaleMinM: 3, HideAbove: 1,
		EndMinM: 12, PaceMPS: 1.5, EndFixes: 2, FarM: 100, SuspendMS: 10_000, ResumeFixes: 2,
		LeaseMS: 30_000, MaxAgeMS: 15_000, MaxAheadMS: 5_000, MaxSpeedMPS: 12,
	}
}

// Validate refuses settings under which the promises could not be kept. The error names the
// setting, its limits and its value.
func (r Rules) Validate() error {
	for _, c := range []struct {
		name   string
		v      float64
		lo, hi float64
	}{
		{"MaxAccuracyM", r.MaxAccuracyM, 1, 100},
		{"EnterAccuracyM", r.EnterAccuracyM, 1, r.MaxAccuracyM},
		{"EnterFixes", float64(r.EnterFixes), 1, 10},
		{"EnterMS", float64(r.EnterMS), 1_000, 60_000},
		{"AgainMS", float64(r.AgainMS), 0, waryMS},
		{"ZoneMS", float64(r.ZoneMS), 1_000, 60_000},
		{"ZoneLeaveMS", float64(r.ZoneLeaveMS), 0, 60_000},
		{"LikelyMS", float64(r.LikelyMS), 0, 60_000},
		{"OutCapM", r.OutCapM, 0, 30},
		{"SlackM", r.SlackM, 0, 30},
		{"ScaleMinM", r.ScaleMinM, 0.5, 30},
		{"HideAbove", r.HideAbove, 0, 5},
		{"EndMinM", r.EndMinM, 0, 30},
		{"PaceMPS", r.PaceMPS, 0.5, r.MaxSpeedMPS},
		{"EndFixes", float64(r.EndFixes), 1, 10},
		{"FarM", r.FarM, 20, farExactM},
		{"SuspendMS", float64(r.SuspendMS), 1_000, 30_000},
		{"ResumeFixes", float64(r.ResumeFixes), 1, 10},
		{"LeaseMS", float64(r.LeaseMS), float64(r.SuspendMS), 60_000},
		{"MaxAgeMS", float64(r.MaxAgeMS), 1_000, 30_000},
		{"MaxAheadMS", float64(r.MaxAheadMS), 0, 30_000},
		{"MaxSpeedMPS", r.MaxSpeedMPS, 1, 50},
	} {
		if math.IsNaN(c.v) || c.v < c.lo || c.v > c.hi {
			return fmt.Errorf("geofence: rule %s is %v: set it between %v and %v", c.name, c.v, c.lo, c.hi)
		}
	}
	return nil
}

// Distances outside the boundary are exact up to this many metres (see Place.DistM).
const farExactM = 200
