// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"

	"github.com/peterstace/simplefeatures/geom"
)

// checkValid asks simplefeatures whether the area is valid (OGC 06-103r4 §6.1.11) and, if not, looks
// for the place: the library says what is wrong, but not at which coordinate.
func (l *loader) checkValid(w Where, m MultiPolygon) bool {
	polys := make([]geom.Polygon, len(m))
	for i, part := range m {
		polys[i] = geomPolygon(part)
		if err := polys[i].Validate(); err != nil {
			wp := w
			if len(m) > 1 {
				wp = w.part(i)
			}
			l.invalid(wp, part, err)
			return false
		}
		if i, j, nested := nestedHoles(part); nested {
			l.fail(w.ring(i), "the hole lies in another hole, ring "+itoa(j), "remove the inner one")
			return false
		}
	}
	if err := geom.NewMultiPolygon(polys).Validate(); err != nil {
		l.fail(w, "its parts overlap or share an edge ("+err.Error()+")", "join them into one polygon")
		return false
	}
	return true
}

// nestedHoles finds a hole in a hole. The library looks at the first point of each only, and misses
// a pair that shares it.
func nestedHoles(part Polygon) (inner, outer int, found bool) {
	s := Site{Levels: []Level{{Boundary: MultiPolygon{part[:1]}}}}
	pl := newPlane(&s)
	holes := make([]*area, len(part))
	for i := 1; i < len(part); i++ {
		holes[i] = newArea(&pl, MultiPolygon{part[i : i+1]})
	}
	for i := 1; i < len(part); i++ {
		for j := 1; j < len(part); j++ {
			if i != j && holes[j].box.grown(noticeM).holds(holes[i].box) && liesIn(part[i], holes[j]) {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// liesIn tells rings that are known not to cross: one point strictly inside is enough.
func liesIn(ring []LatLng, a *area) bool {
	for _, p := range ring {
		if a.signed(p, a.plane.xy(p)) < -noticeM {
			return true
		}
	}
	return false
}

func geomPolygon(part Polygon) geom.Polygon {
	rings := make([]geom.LineString, len(part))
	for i, ring := range part {
		xy := make([]float64, 0, 2*len(ring))
		for _, p := range uncut(ring) {
			xy = append(xy, p.Lng, p.Lat)
		}
		rings[i] = geom.NewLineString(geom.NewSequence(xy, geom.DimXY))
	}
	return geom.NewPolygon(rings)
}

// uncut makes a ring that runs across the antimeridian continuous.
func uncut(ring []LatLng) []LatLng {
	for i := 1; i < len(ring); i++ {
		if math.Abs(ring[i].Lng-ring[i-1].Lng) > 180 {
			out := make([]LatLng, len(ring))
			for j, p := range ring {
				if p.Lng < 0 {
					p.Lng += 360
				}
				out[j] = p
			}
			return out
		}
	}
	return ring
}

func (l *loader) invalid(w Where, part Polygon, err error) {
	for i, ring := range part {
		r := uncut(ring)
		if j, k, ok := crossing(r, r, true); ok {
			l.fail(w.ring(i).coordinate(j), "the ring crosses or touches itself: the edge from here meets the edge from coordinate "+itoa(k)+" ("+err.Error()+")",
				"move the points so that the outline never meets itself")
			return
		}
	}
	for i := range part {
		for j := range i {
			if a, b, ok := crossing(uncut(part[i]), uncut(part[j]), false); ok {
				l.fail(w.ring(i).coordinate(a), "the edge from here meets ring "+itoa(j)+" at coordinate "+itoa(b)+" ("+err.Error()+")",
					"keep holes inside the outer ring and apart from each other")
				return
			}
		}
	}
	l.fail(w, "is not a valid area ("+err.Error()+")", "keep holes inside the outer ring and apart from each other")
}

// crossing finds two edges that meet, the first by index. Within one ring, neighbours may share
// their common point.
func crossing(a, b []LatLng, same bool) (int, int, bool) {
	n := len(a) - 1
	for i := range n {
		for j := range len(b) - 1 {
			if same && (j <= i+1 || i == 0 && j == n-1) {
				if j == i+1 && backOnItself(a[i], a[j], b[j+1]) {
					return i, j, true
				}
				continue
			}
			if meet(a[i], a[i+1], b[j], b[j+1]) {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// side is the sign of the turn from ab to c.
func side(a, b, c LatLng) float64 {
	return (b.Lng-a.Lng)*(c.Lat-a.Lat) - (b.Lat-a.Lat)*(c.Lng-a.Lng)
}

func backOnItself(a, b, c LatLng) bool {
	return side(a, b, c) == 0 && (a.Lng-b.Lng)*(c.Lng-b.Lng)+(a.Lat-b.Lat)*(c.Lat-b.Lat) > 0
}

func meet(a, b, c, d LatLng) bool {
	if max(a.Lng, b.Lng) < min(c.Lng, d.Lng) || max(c.Lng, d.Lng) < min(a.Lng, b.Lng) ||
		max(a.Lat, b.Lat) < min(c.Lat, d.Lat) || max(c.Lat, d.Lat) < min(a.Lat, b.Lat) {
		return false
	}
	return side(a, b, c)*side(a, b, d) <= 0 && side(c, d, a)*side(c, d, b) <= 0
}
