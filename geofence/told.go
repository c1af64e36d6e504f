// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"slices"
)

// A conversion to H3 costs ten times what a look-up does, and most of the ground needs none: where no
// edge runs through a square, all of its points have the same answer. Such squares are told in
// advance, and so are those that only the edges of a few zones cross: testing these zones costs less than a
// conversion. What is left to the cells is where the boundary runs or a crowd of zones meets.
//
//	┌───┬───┬───────┐   Blocks of squares are quartered until no edge can cross them. A block lies
//	│   │   │       │   within r of its middle, half its diagonal, so the proof is the one used for
//	├───┼─┬─┤       │   cells: no edge within r of the middle.
//	│   │█│ │       │   A single square that an edge may cross (█) names the zones to be tested, or
//	└───┴─┴─┴───────┘   stays untold.
const (
	toldSquares  = 65_536 // of a level at most: 128 kB
	leastSquareM = 0.5    // finer ones would hardly answer more
	fewZones     = 4      // whose exact tests are cheaper than a conversion
)

// untold marks a square that the cells must be asked about.
const untold = 0

// tell lists for each square of the ground the info, counted from 1, that holds in all of it, or
// untold.
func (b *builder) tell(ground *grid) []uint16 {
	told := make([]uint16, ground.nx*ground.ny)
	b.tellBlock(ground, told, ground.whole(), b.all)
	return told
}

// tellBlock looks at a block, and of the zones at those that can reach it; what holds in all of it holds in its quarters.
func (b *builder) tellBlock(g *grid, told []uint16, k block, zones []candidate) {
	at, half := g.middle(k)
	info, atEdge := b.classify(b.plane.latLng(at), at, math.Hypot(half*b.plane.stretch(at), half), zones)
	if !atEdge || k.n == 1 && info.class != edgeCell && len(info.zones) <= fewZones {
		if i := b.intern(info) + 1; i <= math.MaxUint16 {
			g.squares(k, func(s int) { told[s] = uint16(i) })
		}
		return
	}
	if k.n == 1 {
		return
	}
	inReach := slices.Clone(info.zones)
	g.quarters(k, func(q block) { b.tellBlock(g, told, q, inReach) })
}
