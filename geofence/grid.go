// SPDX-License-Identifier: Apache-2.0

package geofence

import "math"

// grid cuts a rectangle of the flat map into squares, row by row from its lower left corner.
type grid struct {
	lo     vec
	side   float64 // metres
	nx, ny int
}

// newGrid cuts b into about n squares, but none smaller than least metres across.
func newGrid(b box, n, least float64) grid {
	w, h := b.hi.x-b.lo.x, b.hi.y-b.lo.y
	side := max(math.Sqrt(w*h/n), least)
	return grid{lo: b.lo, side: side, nx: int(w/side) + 1, ny: int(h/side) + 1}
}

// at is the square that p lies in, or -1 if it lies in none.
func (g *grid) at(p vec) int {
	fx, fy := (p.x-g.lo.x)/g.side, (p.y-g.lo.y)/g.side
	if !(fx >= 0 && fy >= 0 && fx < float64(g.nx) && fy < float64(g.ny)) {
		return -1
	}
	return int(fy)*g.nx + int(fx)
}

// block is n × n squares, the lower left one in column x and row y; n is a power of two. A block
// may reach out of the grid.
type block struct{ x, y, n int }

// whole is the least block that holds the grid.
func (g *grid) whole() block {
	n := 1
	for n < max(g.nx, g.ny) {
		n *= 2
	}
	return block{n: n}
}

// quarters are those of a block that reach into the grid.
func (g *grid) quarters(b block, do func(block)) {
	h := b.n / 2
	for _, q := range [4]block{{b.x, b.y, h}, {b.x + h, b.y, h}, {b.x, b.y + h, h}, {b.x + h, b.y + h, h}} {
		if q.x < g.nx && q.y < g.ny {
			do(q)
		}
	}
}

// squares are those of a block that are in the grid.
func (g *grid) squares(b block, do func(square int)) {
	for y := b.y; y < min(b.y+b.n, g.ny); y++ {
		for x := b.x; x < min(b.x+b.n, g.nx); x++ {
			do(y*g.nx + x)
		}
	}
}

// middle is a block's, half half the length of its side.
func (g *grid) middle(b block) (at vec, half float64) {
	half = g.side * float64(b.n) / 2
	return vec{g.lo.x + float64(b.x)*g.side + half, g.lo.y + float64(b.y)*g.side + half}, half
}
