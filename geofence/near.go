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
// A square wholly deeper inside than nearExactM, or farther outside than farExactM, keeps no edges
// but one bound for all of its points.
type near struct {
	area  *area
	lo    vec
	side  float64
	nx    int
	ny    int
	first []uint32 // nx*ny+1 offsets into list
	list  []uint32 // indices into area.segs
	bound []float32
}

const (
	nearExactM  = 60   // Place.DistM is exact up to here inside
	nearSquares = 4096 // squares a level is cut into

	// roughM is how far out the flat map still gives a bound: beyond it no larger one is claimed.
	roughM = 10_000
)

func newNear(a *area) *near {
	g := a.box.grown(farExactM*slack + 1)
	w, h := g.hi.x-g.lo.x, g.hi.y-g.lo.y
	side := math.Sqrt(w * h / nearSquares)
	n := &near{area: a, lo: g.lo, side: side, nx: int(w/side) + 1, ny: int(h/side) + 1}
	n.first = make([]uint32, 1, n.nx*n.ny+1)
	n.bound = make([]float32, 0, n.nx*n.ny)
	dist := make([]float64, len(a.segs))
	for i := range n.nx * n.ny {
		n.addSquare(vec{g.lo.x + (float64(i%n.nx)+0.5)*side, g.lo.y + (float64(i/n.nx)+0.5)*side}, dist)
	}
	return n
}

// slack covers what the flat map's stretch differs by within one square.
const slack = 1.01

func (n *near) addSquare(m vec, dist []float64) {
	half := n.side / math.Sqrt2 * slack
	best, f := math.Inf(1), n.area.plane.stretch(m)
	for i, s := range n.area.segs {
		dist[i] = math.Sqrt(s.dist2(m, f))
		best = min(best, dist[i])
	}
	limit := float64(farExactM)
	if n.area.contains(n.area.plane.latLng(m)) {
		limit = nearExactM
	}
	least := best/slack - half
	if least > limit {
		n.bound = append(n.bound, float32(least))
	} else {
		n.bound = append(n.bound, 0)
		for i, d := range dist {
			if d <= (best+2*half)*slack {
				n.list = append(n.list, uint32(i))
			}
		}
	}
	n.first = append(n.first, uint32(len(n.list)))
}

// edgeDist is area.edgeDist from the table: exact, or a lower bound above the limits.
func (n *near) edgeDist(p vec) float64 {
	fx, fy := (p.x-n.lo.x)/n.side, (p.y-n.lo.y)/n.side
	if !(fx >= 0 && fy >= 0 && fx < float64(n.nx) && fy < float64(n.ny)) {
		return min(n.area.box.dist(p)/slack, roughM)
	}
	i := int(fy)*n.nx + int(fx)
	if b := n.bound[i]; b > 0 {
		return float64(b)
	}
	f, best := n.area.plane.stretch(p), math.Inf(1)
	for _, s := range n.list[n.first[i]:n.first[i+1]] {
		best = min(best, n.area.segs[s].dist2(p, f))
	}
	return math.Sqrt(best)
}
