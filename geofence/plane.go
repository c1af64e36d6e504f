// SPDX-License-Identifier: Apache-2.0

package geofence

import "math"

// plane is a site's flat map: metres east and north of its middle. Straight lines in degrees stay
// straight in it, so an edge that is straight in longitude and latitude (RFC 7946 §3.1.1) is too.
type plane struct {
	origin LatLng
	kx, ky float64 // metres per degree
	shrink float64 // how much a metre of x shrinks per metre of y: tan(latitude) / radius
	seam   bool    // the site may reach the antimeridian: western longitudes count from 180 up
}

type vec struct{ x, y float64 }

func newPlane(s *Site) plane {
	o := s.centre()
	kx, ky := metresPerDegree(o.Lat)
	return plane{
		origin: o, kx: kx, ky: ky,
		shrink: math.Tan(o.Lat*degToRad) / semiMajorM,
		seam:   touchesSeam(s),
	}
}

// touchesSeam tells sites that have a point on the antimeridian or west of it. Far to the west of it nothing is cut
// by counting on from 180, so where the west begins does not matter.
func touchesSeam(s *Site) bool {
	for p := range s.outline() {
		if p.Lng < -90 || p.Lng == 180 {
			return true
		}
	}
	return false
}

// unwrap makes longitudes continuous across the site.
func (pl *plane) unwrap(p LatLng) LatLng {
	if pl.seam && p.Lng < 0 {
		p.Lng += 360
	}
	return p
}

func (pl *plane) xy(p LatLng) vec {
	return vec{wrapLng(p.Lng-pl.origin.Lng) * pl.kx, (p.Lat - pl.origin.Lat) * pl.ky}
}

// stretch is the factor for lengths along x at a point's latitude, relative to the middle's. With
// it a distance near p is right to a millimetre in a hundred metres, wherever in the site p is.
func (pl *plane) stretch(p vec) float64 { return 1 - pl.shrink*p.y }

type segment struct{ a, b vec }

// dist2 is the squared distance from p to the segment; f is the stretch at p.
func (s segment) dist2(p vec, f float64) float64 {
	ax, ay := (s.a.x-p.x)*f, s.a.y-p.y
	bx, by := (s.b.x-p.x)*f, s.b.y-p.y
	dx, dy := bx-ax, by-ay
	t := -(ax*dx + ay*dy)
	if t > 0 { // and so the segment has a length
		t = min(t/(dx*dx+dy*dy), 1)
		ax, ay = ax+t*dx, ay+t*dy
	}
	return ax*ax + ay*ay
}

type box struct{ lo, hi vec }

func emptyBox() box {
	inf := math.Inf(1)
	return box{vec{inf, inf}, vec{-inf, -inf}}
}

func (b *box) add(p vec) {
	b.lo = vec{min(b.lo.x, p.x), min(b.lo.y, p.y)}
	b.hi = vec{max(b.hi.x, p.x), max(b.hi.y, p.y)}
}

func (b box) grown(m float64) box {
	return box{vec{b.lo.x - m, b.lo.y - m}, vec{b.hi.x + m, b.hi.y + m}}
}

func (b box) contains(p vec) bool {
	return p.x >= b.lo.x && p.x <= b.hi.x && p.y >= b.lo.y && p.y <= b.hi.y
}

func (b box) holds(c box) bool { return b.contains(c.lo) && b.contains(c.hi) }

func (b box) overlaps(c box) bool {
	return b.lo.x <= c.hi.x && c.lo.x <= b.hi.x && b.lo.y <= c.hi.y && c.lo.y <= b.hi.y
}

// dist is the distance from p to the box, 0 within.
func (b box) dist(p vec) float64 {
	dx := max(b.lo.x-p.x, 0, p.x-b.hi.x)
	dy := max(b.lo.y-p.y, 0, p.y-b.hi.y)
	return math.Hypot(dx, dy)
}

func (s segment) length() float64 { return math.Hypot(s.b.x-s.a.x, s.b.y-s.a.y) }
