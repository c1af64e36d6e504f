// SPDX-License-Identifier: Apache-2.0

package geofence

import "math"

// near answers "how far is the boundary?" from a table. The ground is cut into squares; each knows
// the few edges that can be the nearest one for any of its points:
//
//	   edge e1 ────────────────
//	┌───────┐        m  middle of the square, h half its diagonal, D the distance from m to
//	│   m   │           the nearest edge. For a point p of the square the nearest edge is at
//	│     p │           most D+h away, hence at most D+2h away from m: only such edges are kept.
//	└───────┘
//
// A square wholly deeper inside than nearExactM, or farther outside than farExactM, keeps no edges: what
// the distance from its middle allows is bound enough for all of its points.
type near struct {
	grid
	area *area
	half float64 // half the diagonal of a square
	of   []nearSquare
	list []uint32 // indices into area.segs
}

type nearSquare struct {
	mid      float32 // the distance from the square's middle to the nearest edge
	from, to uint32  // its edges in list
}

const (
	nearExactM  = 60     // Place.DistM is exact up to here inside
	nearSquares = 16_384 // squares a level is cut into

	// roughM is how far out the flat map still gives a bound: beyond it no larger one is claimed.
	roughM = 10_000
)

func newNear(a *area) *near {
	g := newGrid(a.box.grown(farExactM*slack+1), nearSquares, 0)
	n := &near{grid: g, area: a, half: g.side / math.Sqrt2 * slack}
	n.of = make([]nearSquare, g.nx*g.ny)
	all := make([]uint32, len(a.segs))
	for i := range all {
		all[i] = uint32(i)
	}
	n.add(g.whole(), all, new(nearWork))
	return n
}

// nearWork is room for add's lists: kept is a stack of the edges kept by the blocks around the current one.
type nearWork struct {
	dist []float64
	kept []uint32
}

// slack covers what the flat map's stretch differs by within one square, and roundings.
const slack = 1.01

// add fills in a block's squares, given the edges that can be the nearest to any point of the block.
func (n *near) add(k block, edges []uint32, w *nearWork) {
	m, half := n.middle(k)
	half *= math.Sqrt2 * slack
	best, f, base := math.Inf(1), n.area.plane.stretch(m), len(w.kept)
	w.dist = w.dist[:0]
	for _, s := range edges {
		d := math.Sqrt(n.area.segs[s].dist2(m, f))
		best, w.dist = min(best, d), append(w.dist, d)
	}
	for i, s := range edges {
		if w.dist[i] <= (best+2*half)*slack {
			w.kept = append(w.kept, s)
		}
	}
	kept := w.kept[base:]
	if k.n == 1 {
		n.set(k.y*n.nx+k.x, m, best, kept)
	} else {
		n.quarters(k, func(q block) { n.add(q, kept, w) })
	}
	w.kept = w.kept[:base]
}

func (n *near) set(square int, m vec, dist float64, edges []uint32) {
	limit := float64(farExactM)
	if n.area.contains(n.area.plane.latLng(m)) {
		limit = nearExactM
	}
	s := &n.of[square]
	s.mid, s.from = float32(dist), uint32(len(n.list))
	if n.least(square) <= limit {
		n.list = append(n.list, edges...)
	}
	s.to = uint32(len(n.list))
}

// least and most bound the distance to the nearest edge from any point of a square.
func (n *near) least(square int) float64 { return float64(n.of[square].mid)/slack - n.half }
func (n *near) most(square int) float64  { return float64(n.of[square].mid)*slack + n.half }

// edgeDist is area.edgeDist from the table: exact, or a lower bound above the limits.
func (n *near) edgeDist(p vec) float64 { return n.edgeDistIn(n.at(p), p) }

func (n *near) edgeDistIn(square int, p vec) float64 {
	if square < 0 {
		return min(n.area.box.dist(p)/slack, roughM)
	}
	edges := n.list[n.of[square].from:n.of[square].to]
	if len(edges) == 0 {
		return n.least(square)
	}
	f, best := n.area.plane.stretch(p), math.Inf(1)
	for _, s := range edges {
		best = min(best, n.area.segs[s].dist2(p, f))
	}
	return math.Sqrt(best)
}

// under is the lesser of best and the signed distance, negative inside. It looks at the edges only if
// they can be what decides.
func (n *near) under(best float64, p vec, inside bool) float64 {
	square := n.at(p)
	switch {
	case inside && square >= 0 && -n.most(square) >= best:
		return best
	case inside:
		return min(best, -n.edgeDistIn(square, p))
	case best <= 0 || square >= 0 && n.least(square) >= best:
		return best
	}
	return min(best, n.edgeDistIn(square, p))
}
