// SPDX-License-Identifier: Apache-2.0

package geofence

import "math"

const (
	flatM = 1_000 // up to here the flat map is right to 0.1 % at any latitude
	// pieceOf a distance is how long the pieces of an edge may be whose ends stand for all of it: what lies between
	// them is nearer by 1/2,000 at most.
	pieceOf = 16
)

// signedFar is signed for any point on earth: where the flat map no longer tells, on the ellipsoid.
func (a *area) signedFar(p LatLng) float64 {
	d := a.signed(p, a.plane.xy(p))
	if d <= flatM {
		return d
	}
	best := math.Inf(1)
	for _, s := range a.segs {
		n := math.Ceil(s.length() * pieceOf / d)
		for i := 0.0; i <= n; i++ {
			at := vec{s.a.x + (s.b.x-s.a.x)*i/n, s.a.y + (s.b.y-s.a.y)*i/n}
			best = min(best, geodesic(p, a.plane.latLng(at)))
		}
	}
	return best
}

// geodesic is the distance between two different points along the ellipsoid, right to 1/10,000 but for points opposite
// each other (Lambert 1942, to the first order of the flattening).
func geodesic(a, b LatLng) float64 {
	u, v := reduced(a.Lat), reduced(b.Lat)
	p, q := math.Sin((u+v)/2), math.Sin((v-u)/2) // of their middle, and of half of what lies between
	h := math.Sin((b.Lng - a.Lng) * degToRad / 2)
	hav := q*q + math.Cos(u)*math.Cos(v)*h*h
	near, far := max(hav, 1e-18), max(1-hav, 1e-18) // squares of sine and cosine of half the angle
	angle := 2 * math.Atan2(math.Sqrt(near), math.Sqrt(far))
	x := (angle - math.Sin(angle)) * p * p * (1 - q*q) / far
	y := (angle + math.Sin(angle)) * (1 - p*p) * q * q / near
	return semiMajorM * (angle - flattening/2*(x+y))
}

// reduced is a latitude's angle on the circle around the ellipsoid.
func reduced(lat float64) float64 {
	s, c := math.Sincos(lat * degToRad)
	return math.Atan2((1-flattening)*s, c)
}
