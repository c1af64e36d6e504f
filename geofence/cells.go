// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"errors"
	"fmt"
	"math"

	"github.com/uber/h3-go/v4"
)

// This file is the only door to H3; it guards what the library does not check.

// inRange refuses what LatLngToCell would take without an error (latitude 120, longitude 500).
func inRange(p LatLng) bool {
	return math.Abs(p.Lat) <= 90 && math.Abs(p.Lng) <= 180 // false for NaN
}

// cellOf is the cell of p; ok is false out of range.
func cellOf(p LatLng, res int) (c uint64, ok bool) {
	if !inRange(p) {
		return 0, false
	}
	cell, err := h3.LatLngToCell(h3.LatLng{Lat: p.Lat, Lng: p.Lng}, res)
	return uint64(cell), err == nil
}

// An H3 index holds its resolution in bits 52–55 and one digit of 3 bits per resolution, from
// bit 42 down; unused digits are 7 (h3geo.org, "H3 index bit layout").
const resShift = 52

func resOf(c uint64) int { return int(c >> resShift & 0xF) }

// parentOf is the ancestor at a coarser resolution, without a call into C.
func parentOf(c uint64, res int) uint64 {
	return c&^(0xF<<resShift) | uint64(res)<<resShift | (1<<(3*(15-res)) - 1)
}

// maxFill bounds the memory h3-go allocates before it looks at its own limit: the library sizes its
// result by the polygon's bounding box.
const maxFill = 1 << 20

var errTooManyCells = errors.New("too many cells")

// overlapping lists the cells that touch a polygon's part, at most limit of them.
func overlapping(part Polygon, res int, limit int) ([]uint64, error) {
	if len(part) == 0 || len(part[0]) < 4 {
		return nil, errors.New("geofence: an empty polygon has no cells")
	}
	gp := h3.GeoPolygon{GeoLoop: loop(part[0])}
	for _, hole := range part[1:] {
		gp.Holes = append(gp.Holes, loop(hole))
	}
	for _, l := range append([]h3.GeoLoop{gp.GeoLoop}, gp.Holes...) {
		for _, p := range l {
			if !inRange(LatLng{p.Lat, p.Lng}) {
				return nil, fmt.Errorf("geofence: %v is not a point on earth", p)
			}
		}
	}
	if boxCells(part[0], res) > maxFill {
		return nil, errTooManyCells
	}
	cells, err := h3.PolygonToCellsExperimental(gp, res, h3.ContainmentOverlapping, int64(limit))
	if errors.Is(err, h3.ErrMemoryBounds) {
		return nil, errTooManyCells
	}
	if err != nil {
		return nil, fmt.Errorf("geofence: cover at resolution %d: %w", res, err)
	}
	out := make([]uint64, len(cells))
	for i, c := range cells {
		out[i] = uint64(c)
	}
	return out, nil
}

// loop is a ring without its closing point, as H3 wants it.
func loop(ring []LatLng) h3.GeoLoop {
	l := make(h3.GeoLoop, 0, len(ring)-1)
	for _, p := range ring[:len(ring)-1] {
		l = append(l, h3.LatLng{Lat: p.Lat, Lng: p.Lng})
	}
	return l
}

// boxCells estimates how many cells a ring's bounding box holds.
func boxCells(ring []LatLng, res int) float64 {
	b := emptyBox()
	kx, ky := metresPerDegree(ring[0].Lat)
	for _, p := range ring {
		b.add(vec{wrapLng(p.Lng-ring[0].Lng) * kx, (p.Lat - ring[0].Lat) * ky})
	}
	return (b.hi.x - b.lo.x) * (b.hi.y - b.lo.y) / cellAreaM2[res]
}

// cellAreaM2 is the mean area of a hexagon per resolution; single cells differ by up to a factor of two.
var cellAreaM2 = func() (a [h3.MaxResolution + 1]float64) {
	for r := range a {
		a[r], _ = h3.HexagonAreaAvgM2(r) // fails only for a resolution out of range
	}
	return a
}()

// ringOfCell calls f with the cell's direct neighbours.
func ringOfCell(c uint64, f func(uint64)) error {
	disk, err := h3.GridDisk(h3.Cell(c), 1)
	if err != nil {
		return fmt.Errorf("geofence: neighbours of %x: %w", c, err)
	}
	for _, n := range disk {
		if n != 0 && uint64(n) != c { // next to a pentagon one place stays empty
			f(uint64(n))
		}
	}
	return nil
}

// disc is a cell's middle, in degrees and on the flat map, and the radius of the circle around it that holds the cell.
type disc struct {
	mid LatLng
	at  vec
	r   float64
}

func cellDisc(pl *plane, c uint64) (disc, error) {
	mid, err := h3.Cell(c).LatLng()
	if err != nil {
		return disc{}, fmt.Errorf("geofence: middle of %x: %w", c, err)
	}
	corners, err := h3.Cell(c).Boundary()
	if err != nil {
		return disc{}, fmt.Errorf("geofence: outline of %x: %w", c, err)
	}
	d := disc{mid: LatLng{mid.Lat, mid.Lng}}
	d.at = pl.xy(d.mid)
	f := pl.stretch(d.at)
	for _, k := range corners {
		q := pl.xy(LatLng{k.Lat, k.Lng})
		d.r = max(d.r, math.Hypot((q.x-d.at.x)*f, q.y-d.at.y))
	}
	return d, nil
}

// discs remembers cells that several levels have in common.
type discs map[uint64]disc

func (known discs) of(pl *plane, c uint64) (disc, error) {
	d, ok := known[c]
	if ok {
		return d, nil
	}
	d, err := cellDisc(pl, c)
	if known != nil && err == nil {
		known[c] = d
	}
	return d, err
}

// compact merges seven siblings of equal value into their parent, as often as possible, but not
// above resolution coarsest. A look-up then goes from the finest resolution up. The hierarchy is
// one of names: a parent stands for exactly its children, so no answer changes.
func compact[V comparable](cells map[uint64]V, coarsest int) {
	finest := 0
	for c := range cells {
		finest = max(finest, resOf(c))
	}
	for r := finest - 1; r >= coarsest; r-- {
		count := map[uint64]int{}
		for c := range cells {
			if resOf(c) == r+1 {
				count[parentOf(c, r)]++
			}
		}
		for p, n := range count {
			if n == 7 { // a pentagon has six children and is left as it is
				mergeChildren(cells, p, r)
			}
		}
	}
}

func mergeChildren[V comparable](cells map[uint64]V, p uint64, r int) {
	shift := 3 * (15 - (r + 1))
	base := p&^(0xF<<resShift)&^(7<<shift) | uint64(r+1)<<resShift
	v := cells[base]
	for d := range uint64(7) {
		if cells[base|d<<shift] != v {
			return
		}
	}
	for d := range uint64(7) {
		delete(cells, base|d<<shift)
	}
	cells[p] = v
}
