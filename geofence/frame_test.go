// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestFrameGoesThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := NewFrame(LatLng{rapid.Float64Range(-85, 85).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lng")}, rapid.Float64Range(0, 360).Draw(t, "bearing"))
		x, y := rapid.Float64Range(-2000, 2000).Draw(t, "x"), rapid.Float64Range(-2000, 2000).Draw(t, "y")
		p := f.LatLng(x, y)
		if math.Abs(p.Lng) > 180 {
			t.Fatalf("longitude %v", p.Lng)
		}
		if bx, by := f.XY(p); math.Hypot(bx-x, by-y) > 1e-5 {
			t.Fatalf("%v,%v came back as %v,%v", x, y, bx, by)
		}
	})
}

// x runs along the bearing, y to its left; lengths are the ellipsoid's.
func TestFrameAxes(t *testing.T) {
	o := LatLng{54, 3}
	for _, c := range []struct {
		bearing float64
		p       LatLng
		x, y    float64
		what    string
	}{
		{90, LatLng{54.001, 3}, 0, 111.3068, "north is up when the long side points east"},
		{90, LatLng{54, 3.001}, 65.5753, 0, "east is along it"},
		{0, LatLng{54.001, 3}, 111.3068, 0, "north is along a long side that points north"},
		{0, LatLng{54, 3.001}, 0, -65.5753, "and east is down"},
	} {
		x, y := NewFrame(o, c.bearing).XY(c.p)
		if math.Hypot(x-c.x, y-c.y) > 0.01 {
			t.Errorf("%s: got %.4f, %.4f", c.what, x, y)
		}
	}
}
