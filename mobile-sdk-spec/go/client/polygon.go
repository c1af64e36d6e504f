// SPDX-License-Identifier: Apache-2.0

package client

import (
	"math"
	"math/big"
)

// insideParts reports whether p lies in any part of a multipolygon, its edges included.
func insideParts(parts [][][]point, p point) bool {
	for _, rings := range parts {
		if insidePart(rings, p) {
			return true
		}
	}
	return false
}

// insidePart counts the edges that a ray from p to the east crosses, over all rings at once: odd
// is inside, and a hole's edges take the hole out. A point on any edge is inside.
func insidePart(rings [][]point, p point) bool {
	odd := false
	for _, ring := range rings {
		for i := 1; i < len(ring); i++ {
			a, b := ring[i-1], ring[i]
			if onSpan(a, b, p) && turn(a, b, p) == 0 {
				return true
			}
			if (a[1] > p[1]) != (b[1] > p[1]) && (turn(a, b, p) > 0) == (b[1] > a[1]) {
				odd = !odd
			}
		}
	}
	return odd
}

// onSpan reports whether p lies in the box of the edge ab.
func onSpan(a, b, p point) bool {
	return min(a[0], b[0]) <= p[0] && p[0] <= max(a[0], b[0]) && min(a[1], b[1]) <= p[1] && p[1] <= max(a[1], b[1])
}

// turn is the exact sign of the area of a, b, p: +1 if p lies to the left of ab, 0 if on its line.
// Floats decide when their error bound (Shewchuk 1997, orient2d) allows, rationals otherwise.
func turn(a, b, p point) int {
	left := (a[0] - p[0]) * (b[1] - p[1])
	right := (a[1] - p[1]) * (b[0] - p[0])
	det := left - right
	if bound := 3.3306690738754716e-16 * (math.Abs(left) + math.Abs(right)); math.Abs(det) > bound {
		return sign(det)
	}
	return exactTurn(a, b, p)
}

func sign(v float64) int {
	if v > 0 {
		return 1
	}
	return -1
}

func exactTurn(a, b, p point) int {
	minus := func(x, y float64) *big.Rat {
		return new(big.Rat).Sub(new(big.Rat).SetFloat64(x), new(big.Rat).SetFloat64(y))
	}
	left := new(big.Rat).Mul(minus(a[0], p[0]), minus(b[1], p[1]))
	right := new(big.Rat).Mul(minus(a[1], p[1]), minus(b[0], p[0]))
	return left.Cmp(right)
}

// metresPerDegree is the length of a degree of latitude and of longitude at a latitude, on the
// WGS 84 ellipsoid.
func metresPerDegree(lat float64) (north, east float64) {
	const a, e2 = 6378137.0, 0.00669437999014
	sin, cos := math.Sincos(lat * math.Pi / 180)
	w := math.Sqrt(1 - e2*sin*sin)
	north = a * (1 - e2) / (w * w * w) * math.Pi / 180
	east = a / w * cos * math.Pi / 180
	return north, east
}

// distanceToRings is the distance in metres from p to the nearest edge, in the plane that touches
// the ellipsoid at p.
func distanceToRings(parts [][][]point, p point) float64 {
	north, east := metresPerDegree(p[1])
	best := math.Inf(1)
	for _, rings := range parts {
		for _, ring := range rings {
			for i := 1; i < len(ring); i++ {
				ax, ay := (ring[i-1][0]-p[0])*east, (ring[i-1][1]-p[1])*north
				bx, by := (ring[i][0]-p[0])*east, (ring[i][1]-p[1])*north
				best = min(best, originToSegment(ax, ay, bx, by))
			}
		}
	}
	return best
}

// originToSegment is the distance from (0, 0) to the segment ab.
func originToSegment(ax, ay, bx, by float64) float64 {
	dx, dy := bx-ax, by-ay
	s := 0.0
	if len2 := dx*dx + dy*dy; len2 > 0 {
		s = min(1, max(0, -(ax*dx+ay*dy)/len2))
	}
	return math.Hypot(ax+s*dx, ay+s*dy)
}
