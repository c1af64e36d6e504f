// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"slices"

	"github.com/tidwall/geojson/geometry"
)

// area is a MultiPolygon made ready: an exact containment test in degrees and edges in metres.
type area struct {
	plane *plane
	polys []*geometry.Poly
	segs  []segment
	box   box
}

// Rings of fewer points than this are searched end to end; a quadtree pays only above.
const indexedRing = 32

func newArea(pl *plane, m MultiPolygon) *area {
	a := &area{plane: pl, box: emptyBox()}
	opts := &geometry.IndexOptions{Kind: geometry.QuadTree, MinPoints: indexedRing}
	for _, part := range m {
		rings := make([][]geometry.Point, len(part))
		for i, ring := range part {
			rings[i] = make([]geometry.Point, len(ring))
			for j, p := range ring {
				rings[i][j] = pl.grained(p)
				a.box.add(pl.xy(p))
				if j > 0 && !onSeam(ring[j-1], p) {
					a.segs = append(a.segs, segment{pl.xy(ring[j-1]), pl.xy(p)})
				}
			}
		}
		a.polys = append(a.polys, geometry.NewPoly(rings[0], rings[1:], opts))
	}
	a.segs = append(a.segs, seamWalls(pl, m)...)
	return a
}

// grained is a point as the containment test sees it: to 2⁻⁴⁴ of a degree, six nanometres. The
// library's test moves a point that is level with a corner up by the least step there is. An edge that
// rises by no more than that would not be crossed any more, and a point metres away be taken for inside.
func (pl *plane) grained(p LatLng) geometry.Point {
	const grain = 1 << 44
	q := pl.unwrap(p)
	return geometry.Point{X: math.Round(q.Lng*grain) / grain, Y: math.Round(q.Lat*grain) / grain}
}

// contains is the exact test; an edge counts as inside.
func (a *area) contains(p LatLng) bool {
	pt := a.plane.grained(p)
	for _, poly := range a.polys {
		if poly.ContainsPoint(pt) {
			return true
		}
	}
	return false
}

// edgeDist is the distance in metres to the nearest edge, whichever side p is on.
func (a *area) edgeDist(p vec) float64 {
	f, best := a.plane.stretch(p), math.Inf(1)
	for _, s := range a.segs {
		best = min(best, s.dist2(p, f))
	}
	return math.Sqrt(best)
}

// signed is edgeDist, negative inside.
func (a *area) signed(ll LatLng, p vec) float64 {
	d := a.edgeDist(p)
	if a.contains(ll) {
		return -d
	}
	return d
}

// m2 is the area in square metres.
func m2(pl *plane, m MultiPolygon) float64 {
	var sum float64
	for _, part := range m {
		for _, ring := range part {
			o := pl.xy(ring[0])
			for j := 1; j < len(ring); j++ {
				a, b := pl.xy(ring[j-1]), pl.xy(ring[j])
				sum += (a.x-o.x)*(b.y-o.y) - (b.x-o.x)*(a.y-o.y)
			}
		}
	}
	return math.Abs(sum / 2)
}

// onSeam tells the edges that exist only because RFC 7946 §3.1.9 has areas cut at the antimeridian.
func onSeam(a, b LatLng) bool {
	return math.Abs(a.Lng) == 180 && math.Abs(b.Lng) == 180
}

// seamWalls are the stretches of the antimeridian that are a real edge: covered from one side only.
// Without this a shopper in the middle of a store on the seam would seem to stand at its edge.
func seamWalls(pl *plane, m MultiPolygon) []segment {
	type span struct {
		lo, hi float64
		east   bool
	}
	var spans []span
	var cuts []float64
	for _, part := range m {
		for _, ring := range part {
			for j := 1; j < len(ring); j++ {
				if a, b := ring[j-1], ring[j]; onSeam(a, b) && a.Lat != b.Lat {
					s := span{min(a.Lat, b.Lat), max(a.Lat, b.Lat), a.Lng > 0}
					spans, cuts = append(spans, s), append(cuts, s.lo, s.hi)
				}
			}
		}
	}
	var walls []segment
	slices.Sort(cuts)
	for i := 1; i < len(cuts); i++ {
		lo, hi := cuts[i-1], cuts[i]
		var east, west bool
		for _, s := range spans {
			if s.lo <= lo && hi <= s.hi {
				east, west = east || s.east, west || !s.east
			}
		}
		if east != west {
			walls = append(walls, segment{pl.xy(LatLng{lo, 180}), pl.xy(LatLng{hi, 180})})
		}
	}
	return walls
}
