// SPDX-License-Identifier: Apache-2.0

// Package sim walks through stores so that nobody has to: a [Walker] yields what a phone would
// report, second by second, beside where it truly was. The same seed walks the same way.
//
// A walk is a list of legs, straight and at a steady pace, that is planned on a [Map] or read from a
// recorded trace (NDJSON or GPX). A planned walk starts outside a door, wanders between zones without crossing the
// boundary, and leaves by a door. A recorded one that never leaves is continued, straight to the
// nearest door (or point of the boundary) and on outside: that part is synthetic, and Truth says so.
// Walkers stay on one level, and walls between zones do not stop them.
//
// On top of the true place comes a phone's error: correlated noise, spikes, gaps, a wrong clock, a network that is gone.
//
// The package knows neither the server nor a socket; mobile-sdk-spec/go/client does the talking.
package sim

import "time"

// Fix is what the phone reports. T is by its own clock, Unix milliseconds.
type Fix struct {
	T          int64
	Lat, Lng   float64 // degrees, WGS 84 (or the trace's datum)
	AccuracyM  float64 // what the phone claims
	Level      int
	HasLevel   bool
	SpeedMPS   float64
	HeadingDeg float64 // clockwise from north, 0 ≤ h < 360
	Offline    bool    // the phone has no network at that moment
}

// Truth is where the phone really was at the time of a fix. T is true time, Unix milliseconds.
type Truth struct {
	T         int64
	Lat, Lng  float64
	Level     int
	Inside    bool    // of the level's boundary; false without a map
	BoundaryM float64 // metres to the boundary, negative inside; 0 without a map
	Synthetic bool    // made up, not recorded
}

// Ending says how a visit ends.
type Ending string

// The endings.
const (
	Exit Ending = "exit" // by the nearest door, and on until OutM away
	None Ending = "none" // the fixes just stop: a battery, a tunnel
)

// VisitPlan is how long to stay, and how to end. Inside counts from the first step over the
// threshold to the last one; the shortest visit is some steps in and out, about 4 s.
type VisitPlan struct {
	Inside time.Duration
	EndBy  Ending // Exit if empty
}

// Noise is a phone's error. The zero Noise is a perfect phone.
type Noise struct {
	SigmaM        float64       // standard deviation on each axis
	Correlation   time.Duration // after which the error is mostly another one; 0: every fix anew
	AccuracyM     float64       // claimed; 0: 1.5 × SigmaM, at least 5
	SpikesPerHour float64       // sudden drifts, of 1 to 3 fixes
	SpikeM        float64       // how far they go
	GapsPerHour   float64       // times without a fix
	Gap           time.Duration // how long the longest of them is
	Skew          time.Duration // the phone's clock is ahead by this
	DropsPerHour  float64       // times without a network: a lift, a cellar
	Drop          time.Duration // how long the longest of them is
}

// RealPhone is an error of the size that real phones have indoors: medians of 4–10 m, claims that
// are too good, a drift now and then.
func RealPhone() Noise {
	return Noise{SigmaM: 4.5, Correlation: 20 * time.Second, AccuracyM: 6, SpikesPerHour: 4, SpikeM: 25, GapsPerHour: 4, Gap: 12 * time.Second}
}

// Options say how a walker walks. The zero Options are a perfect phone on a 10-minute visit from now.
type Options struct {
	Seed      uint64
	Start     time.Time     // of the first fix, in true time; now if zero
	Every     time.Duration // between fixes; 1 s if zero
	SpeedMPS  float64       // 1.2 if zero
	Plan      VisitPlan     // 10 minutes, then Exit, if zero
	Noise     Noise
	ApproachM float64 // starts this far outside the door; 10 if zero
	OutM      float64 // goes on until this far outside; 70 if zero
	Level     *int    // of a planned walk; nil: the door's, or the one nearest to the ground
}

func (o Options) filled() Options {
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	if o.Every <= 0 {
		o.Every = time.Second
	}
	if o.SpeedMPS <= 0 {
		o.SpeedMPS = 1.2
	}
	if o.Plan.Inside <= 0 {
		o.Plan.Inside = 10 * time.Minute
	}
	if o.Plan.EndBy == "" {
		o.Plan.EndBy = Exit
	}
	if o.ApproachM <= 0 {
		o.ApproachM = 10
	}
	if o.OutM <= 0 {
		o.OutM = 70
	}
	if o.Noise.AccuracyM <= 0 {
		o.Noise.AccuracyM = max(5, 1.5*o.Noise.SigmaM)
	}
	return o
}
