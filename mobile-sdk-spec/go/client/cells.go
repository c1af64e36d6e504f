// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"strconv"
)

// cover is the fence's H3 cells. A cell stands for all of its descendants.
type cover struct {
	res   int
	says  map[uint64]string // "inside" or "edge"
	least int               // the coarsest resolution among them
}

// An H3 index has its resolution in bits 52 to 55 and from bit 42 down one digit of three bits per
// resolution; those that it does not use are 7 (h3geo.org, "H3 index bit layout").
func resOf(cell uint64) int { return int(cell >> 52 & 15) }

func parentOf(cell uint64, res int) uint64 {
	return cell&^(15<<52) | uint64(res)<<52 | (1<<(3*(15-res)) - 1)
}

func newCover(res int, inside, edge []string) (*cover, error) {
	c := &cover{res: res, says: map[uint64]string{}, least: res}
	for what, names := range map[string][]string{"inside": inside, "edge": edge} {
		for _, name := range names {
			cell, err := strconv.ParseUint(name, 16, 64)
			if err != nil || resOf(cell) > res {
				return nil, fmt.Errorf("%q is not a cell of resolution %d or coarser", name, res)
			}
			c.says[cell] = what
			c.least = min(c.least, resOf(cell))
		}
	}
	return c, nil
}

// CellRes is the resolution at which Cell wants a point's H3 cell, or -1 if the fence has no cells.
func (f *Fence) CellRes() int {
	if f.cells == nil {
		return -1
	}
	return f.cells.res
}

// Cell is for a phone that has an H3 library and would rather not test the polygon each time. Given
// the cell of a point at CellRes it says "inside", "outside", or "edge", where Inside must decide. It
// speaks of all levels together: inside is on one of them at least. "edge" too if the fence has no
// cells, or if the cell is of another resolution.
func (f *Fence) Cell(cell uint64) string {
	if f.cells == nil || resOf(cell) != f.cells.res {
		return "edge"
	}
	for res := f.cells.res; res >= f.cells.least; res-- {
		if what, ok := f.cells.says[parentOf(cell, res)]; ok {
			return what
		}
	}
	return "outside"
}
