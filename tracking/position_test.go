// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"doorstep/tracking"
)

// What is written of a position is read again, to a centimetre; cut short or lengthened by another version, it is none.
func TestAPositionIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := tracking.Position{
			T:   rapid.Int64Range(0, 1<<48-1).Draw(t, "t"),
			Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lng: rapid.Float64Range(-180, 180).Draw(t, "lng"),
			AccuracyM: rapid.Float64Range(0, 1e5).Draw(t, "accuracy"), Level: rapid.IntRange(-99, 99).Draw(t, "level"),
			HasLevel: rapid.Bool().Draw(t, "has level"), Likely: rapid.Bool().Draw(t, "likely"),
			Zone: rapid.String().Draw(t, "zone"),
		}
		b := tracking.AppendPosition(nil, p)
		got, ok := tracking.DecodePosition(b)
		if !ok || math.Abs(got.Lat-p.Lat) > 0.51e-7 || math.Abs(got.Lng-p.Lng) > 0.51e-7 || math.Abs(got.AccuracyM-p.AccuracyM) > 0.051 {
			t.Fatalf("%+v was read as %+v, %v", p, got, ok)
		}
		got.Lat, got.Lng, got.AccuracyM = p.Lat, p.Lng, p.AccuracyM
		if got != p {
			t.Fatalf("%+v was read as %+v", p, got)
		}
		head := len(b) - len(p.Zone)
		if _, ok := tracking.DecodePosition(b[:rapid.IntRange(0, head-1).Draw(t, "cut")]); ok {
			t.Fatal("one that is cut short was read")
		}
		b[0]++
		if _, ok := tracking.DecodePosition(b); ok {
			t.Fatal("another version was read")
		}
	})
}

func FuzzDecodePosition(f *testing.F) {
	f.Add(tracking.AppendPosition(nil, tracking.Position{T: 1, Lat: 54, Lng: 3, AccuracyM: 5, Zone: "z"}))
	f.Add([]byte(`{"t":1,"lat":54,"lng":3,"accuracy_m":5,"level":0}`)) // as earlier versions wrote it
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := tracking.DecodePosition(b); ok && (b[0] == '{' || len(p.Zone) > len(b)) {
			t.Errorf("%q was read as %+v", b, p)
		}
	})
}
