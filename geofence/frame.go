// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"iter"
	"math"
)

// Frame turns degrees into metres of the store: the origin is the middle of the site's bounding
// box, x runs along Site.Bearing, y is 90° counter-clockwise from x (up on a screen whose y grows
// upwards). One Frame is good for a site of a few kilometres; the error of a length is below 0.1 %
// there up to 60° of latitude.
type Frame struct {
	origin   LatLng
	kx, ky   float64 // metres per degree of longitude and latitude at the origin
	sin, cos float64 // of the bearing
}

// WGS 84.
const (
	semiMajorM = 6378137.0
	flattening = 1 / 298.257223563
	ecc2       = flattening * (2 - flattening)
	degToRad   = math.Pi / 180
)

// metresPerDegree gives the lengths of a degree of longitude and of latitude on the ellipsoid.
func metresPerDegree(lat float64) (kx, ky float64) {
	s, c := math.Sincos(lat * degToRad)
	w2 := 1 - ecc2*s*s
	n := semiMajorM / math.Sqrt(w2)                     // radius of curvature in the prime vertical
	m := semiMajorM * (1 - ecc2) / (w2 * math.Sqrt(w2)) // in the meridian
	return n * c * degToRad, m * degToRad
}

// wrapLng brings a difference of longitudes into [-180, 180].
func wrapLng(d float64) float64 {
	switch {
	case d > 180:
		return d - 360
	case d < -180:
		return d + 360
	}
	return d
}

// NewFrame is the frame of a given origin and bearing (degrees clockwise from north).
func NewFrame(origin LatLng, bearing float64) Frame {
	kx, ky := metresPerDegree(origin.Lat)
	s, c := math.Sincos(bearing * degToRad)
	return Frame{origin: origin, kx: kx, ky: ky, sin: s, cos: c}
}

// Frame is the site's own frame.
func (s *Site) Frame() Frame { return NewFrame(s.centre(), s.Bearing) }

// XY is the point in metres.
func (f Frame) XY(p LatLng) (x, y float64) {
	e, n := wrapLng(p.Lng-f.origin.Lng)*f.kx, (p.Lat-f.origin.Lat)*f.ky
	return e*f.sin + n*f.cos, n*f.sin - e*f.cos
}

// LatLng is the inverse of XY.
func (f Frame) LatLng(x, y float64) LatLng {
	e, n := x*f.sin-y*f.cos, x*f.cos+y*f.sin
	return LatLng{Lat: f.origin.Lat + n/f.ky, Lng: wrapLng(f.origin.Lng + e/f.kx)}
}

// centre is the middle of the bounding box of all boundaries; of a site without a point, 0, 0.
func (s *Site) centre() LatLng {
	var first LatLng
	var w, e, lo, hi float64
	none := true
	for p := range s.outline() {
		if none {
			first, lo, hi, none = p, p.Lat, p.Lat, false
		}
		d := wrapLng(p.Lng - first.Lng)
		w, e = min(w, d), max(e, d)
		lo, hi = min(lo, p.Lat), max(hi, p.Lat)
	}
	return LatLng{Lat: (lo + hi) / 2, Lng: wrapLng(first.Lng + (w+e)/2)}
}

// outline are the points of all outer rings.
func (s *Site) outline() iter.Seq[LatLng] {
	return func(yield func(LatLng) bool) {
		for _, l := range s.Levels {
			for _, part := range l.Boundary {
				for _, ring := range part[:min(1, len(part))] {
					for _, p := range ring {
						if !yield(p) {
							return
						}
					}
				}
			}
		}
	}
}
