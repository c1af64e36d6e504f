// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"container/heap"
	"math"
)

// inscribed finds the widest circle that fits into a: its centre and radius, to within 1 % or 5 cm.
// Squares are split while they could still hold a better centre, the most promising first: a point
// of a square is at most half its diagonal farther from the edge than its middle is. The search is
// cut after a fixed number of squares, which only makes the radius smaller, never too large.
func (a *area) inscribed() (LatLng, float64) {
	size := max(a.box.hi.x-a.box.lo.x, a.box.hi.y-a.box.lo.y)
	mid := vec{(a.box.lo.x + a.box.hi.x) / 2, (a.box.lo.y + a.box.hi.y) / 2}
	best := a.patch(mid, size/2)
	q := squares{best}
	for steps := 0; len(q) > 0 && steps < 400; steps++ {
		s := heap.Pop(&q).(patch)
		if s.depth > best.depth {
			best = s
		}
		if s.most <= best.depth+max(0.05, best.depth/100) {
			break
		}
		for _, d := range [4]vec{{-1, -1}, {-1, 1}, {1, -1}, {1, 1}} {
			h := s.half / 2
			child := a.patch(vec{s.at.x + d.x*h, s.at.y + d.y*h}, h)
			if child.depth > best.depth {
				best = child
			}
			heap.Push(&q, child)
		}
	}
	return a.plane.latLng(best.at), max(best.depth, 0)
}

type patch struct {
	at          vec
	half        float64
	depth, most float64 // metres inside at the middle; the most that any point of it can have
}

func (a *area) patch(at vec, half float64) patch {
	d := -a.signed(a.plane.latLng(at), at)
	return patch{at, half, d, d + half*math.Sqrt2}
}

func (pl *plane) latLng(p vec) LatLng {
	return LatLng{Lat: pl.origin.Lat + p.y/pl.ky, Lng: wrapLng(pl.origin.Lng + p.x/pl.kx)}
}

type squares []patch

func (q squares) Len() int           { return len(q) }
func (q squares) Less(i, j int) bool { return q[i].most > q[j].most }
func (q squares) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *squares) Push(x any)        { *q = append(*q, x.(patch)) }
func (q *squares) Pop() any {
	old := *q
	s := old[len(old)-1]
	*q = old[:len(old)-1]
	return s
}
