// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// vincenty is the distance along the ellipsoid by another way than the code's, to half a millimetre (Vincenty 1975,
// inverse formula). ok is false for points nearly opposite each other, where it does not converge.
func vincenty(p, q LatLng) (metres float64, ok bool) {
	const b = semiMajorM * (1 - flattening)
	l := wrapLng(q.Lng-p.Lng) * degToRad
	su, cu := math.Sincos(math.Atan((1 - flattening) * math.Tan(p.Lat*degToRad)))
	sv, cv := math.Sincos(math.Atan((1 - flattening) * math.Tan(q.Lat*degToRad)))
	lambda := l
	for range 200 {
		sl, cl := math.Sincos(lambda)
		sinS := math.Hypot(cv*sl, cu*sv-su*cv*cl)
		if sinS == 0 {
			return 0, true
		}
		cosS := su*sv + cu*cv*cl
		sigma := math.Atan2(sinS, cosS)
		sinA := cu * cv * sl / sinS
		cos2A := 1 - sinA*sinA
		cos2M := 0.0
		if cos2A > 1e-12 { // not along the equator
			cos2M = cosS - 2*su*sv/cos2A
		}
		c := flattening / 16 * cos2A * (4 + flattening*(4-3*cos2A))
		last := lambda
		lambda = l + (1-c)*flattening*sinA*(sigma+c*sinS*(cos2M+c*cosS*(2*cos2M*cos2M-1)))
		if math.Abs(lambda) > math.Pi+1 {
			return 0, false
		}
		if math.Abs(lambda-last) > 1e-13 {
			continue
		}
		u2 := cos2A * (semiMajorM*semiMajorM - b*b) / (b * b)
		k := 1 + u2/16384*(4096+u2*(-768+u2*(320-175*u2)))
		m := u2 / 1024 * (256 + u2*(-128+u2*(74-47*u2)))
		return b * k * (sigma - m*sinS*(cos2M+m/4*(cosS*(2*cos2M*cos2M-1)-m/6*cos2M*(4*sinS*sinS-3)*(4*cos2M*cos2M-3)))), true
	}
	return 0, false
}

// The lines that surveyors check such formulas with: from Flinders Peak to Buninyong (on GRS 80, 0.1 mm from
// WGS 84), a quarter of a meridian, and of the equator.
func TestGeodesicOfKnownLines(t *testing.T) {
	for _, c := range []struct {
		a, b   LatLng
		metres float64
	}{
		{LatLng{-37 - 57/60. - 3.72030/3600, 144 + 25/60. + 29.52440/3600}, LatLng{-37 - 39/60. - 10.15610/3600, 143 + 55/60. + 35.38390/3600}, 54_972.271},
		{LatLng{0, 20}, LatLng{90, -130}, 10_001_965.729},
		{LatLng{0, 170}, LatLng{0, -100}, semiMajorM * math.Pi / 2},
	} {
		if d := geodesic(c.a, c.b); math.Abs(d-c.metres) > c.metres/10_000 {
			t.Errorf("%v to %v: %.3f m, want %.3f", c.a, c.b, d, c.metres)
		}
		if d, ok := vincenty(c.a, c.b); !ok || math.Abs(d-c.metres) > 0.002 {
			t.Errorf("%v to %v: the test's own formula says %.4f m, want %.4f", c.a, c.b, d, c.metres)
		}
	}
	for _, p := range []LatLng{{54, 3}, {0, 0}, {90, 0}} {
		other := LatLng{-p.Lat, p.Lng - 180}
		if d := geodesic(p, other); !(math.Abs(d-20_003_931) < 100_000) { // NaN neither
			t.Errorf("from %v to the other side of the earth: %v m", p, d)
		}
	}
}

// outlineFrom is how far away an outline is, by the test's own formula: along an edge the distance falls and then rises.
func outlineFrom(p LatLng, ring []LatLng) (best float64, ok bool) {
	best, ok = math.Inf(1), true
	for i := 1; i < len(ring); i++ {
		from, to := ring[i-1], ring[i]
		at := func(share float64) float64 {
			d, fits := vincenty(p, LatLng{from.Lat + (to.Lat-from.Lat)*share, wrapLng(from.Lng + wrapLng(to.Lng-from.Lng)*share)})
			ok = ok && fits
			return d
		}
		lo, hi := 0.0, 1.0
		for range 60 {
			if a, b := lo+(hi-lo)*0.49, lo+(hi-lo)*0.51; at(a) < at(b) {
				hi = b
			} else {
				lo = a
			}
		}
		best = min(best, at(lo), at(0), at(1))
	}
	return best, ok
}

// A store of up to 5 km, seen from its outline to the other side of the earth, at any latitude and across the
// antimeridian: within two centimetres near it, and within 0.1 % of what the test's own formula says anywhere else.
func TestDistanceFromAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		high := rapid.Float64Range(80, 84)
		origin := LatLng{rapid.OneOf(rapid.Float64Range(-84, 84), high, high).Draw(t, "lat"), rapid.SampledFrom([]float64{3, 179.999, -180}).Draw(t, "lng")}
		f := NewFrame(origin, rapid.Float64Range(0, 90).Draw(t, "bearing"))
		long, wide := rapid.Float64Range(20, 1_700).Draw(t, "long"), rapid.Float64Range(10, 1_700).Draw(t, "wide")
		ring := []LatLng{f.LatLng(-long, -wide), f.LatLng(long, -wide), f.LatLng(long, wide), f.LatLng(-long, wide), f.LatLng(-long, -wide)}
		s := &Site{Levels: []Level{{Boundary: MultiPolygon{{ring}}}}}
		pl := newPlane(s)
		a := newArea(&pl, s.Levels[0].Boundary)

		away := math.Exp(rapid.OneOf(rapid.Float64Range(0, math.Log(2e7)), rapid.Float64Range(4, 5.3), rapid.Float64Range(8, 10)).Draw(t, "log of the distance"))
		sin, cos := math.Sincos(rapid.Float64Range(0, 2*math.Pi).Draw(t, "direction"))
		p := f.LatLng(long*max(-1, min(1, 1.5*cos))+away*cos, wide*max(-1, min(1, 1.5*sin))+away*sin)
		p.Lat, p.Lng = math.Remainder(p.Lat, 180), math.Remainder(p.Lng, 360)
		want, ok := outlineFrom(p, ring)
		if !ok {
			return
		}
		allowed := want / 1_000
		if want <= farExactM {
			allowed = 0.02
		}
		if got := a.signedFar(p); math.Abs(math.Abs(got)-want) > allowed {
			t.Fatalf("%v of %v: %.4f m, want %.4f", p, ring, got, want)
		}
	})
}
