// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"encoding/binary"
	"math"
	"slices"
)

// class is what a cell says about the boundary.
type class uint8

const (
	outsideCell class = iota // only zones that poke out reach it
	edgeCell                 // the exact polygon decides
	insideCell
)

// candidate is a zone that a cell touches. whole: every point of the cell lies in it.
type candidate struct {
	zone  uint32
	whole bool
}

// cellInfo is what is known of a cell: shared by all cells that know the same.
type cellInfo struct {
	class class
	zones []candidate // by least area, then id
}

// cover is one level's table from cells to what they can tell.
type cover struct {
	res, coarsest int
	cells         map[uint64]uint32 // cell, compacted, to its index in infos
	infos         []cellInfo
}

// look finds a cell of resolution res or the ancestor it was merged into. A cell in no table is out.
func (c *cover) look(cell uint64) *cellInfo {
	for r := c.res; r >= c.coarsest; r-- {
		if i, ok := c.cells[parentOf(cell, r)]; ok {
			return &c.infos[i]
		}
	}
	return nil
}

const (
	cellBudget  = 16_384 // cells per level before compaction; about 0.5 MB
	finestRes   = 15
	coarsestRes = 11 // radius 30 m; nothing that the loader lets through needs coarser
	compactSpan = 2  // a merged cell is at most this many resolutions coarser; each costs a look-up
)

// pickRes is the finest resolution whose cover of the area stays within the budget: cells for the
// surface, and twice as many along the edges as fit on them.
func pickRes(pl *plane, m MultiPolygon, a *area, budget float64) int {
	surface, edge := m2(pl, m), 0.0
	for _, s := range a.segs {
		edge += s.length()
	}
	for res := finestRes; res > coarsestRes; res-- {
		across := 1.07 * math.Sqrt(cellAreaM2[res]) // between opposite sides of a hexagon
		if surface/cellAreaM2[res]+2*edge/across <= budget {
			return res
		}
	}
	return coarsestRes
}

// builder fills one level's cover and squares. Cells that PolygonToCells finds are seeds; from every
// cell at an edge it goes on to the neighbours, so that a cell the fill may have missed by a rounding is
// met as well, and so it does from one outside that holds a zone: a zone may lie over a hole of the
// boundary, or bridge a yard. It does not take the fill's word for in or out either, but measures: a cell's points lie
// within r of its middle, so a middle deeper inside than r makes it wholly inside, one farther outside
// than r wholly outside. The margin covers the flat map's error. What is left is the edge.
type builder struct {
	plane   *plane
	near    *near
	zones   []*area     // by least area, then id
	all     []candidate // each of them
	discs   discs       // shared with the builders of other levels, or nil
	c       *cover
	queue   []uint64
	seen    map[uint64]bool
	known   map[string]uint32
	zoneBuf []candidate // of the last info
	keyBuf  []byte
}

func newBuilder(pl *plane, n *near, zones []*area) *builder {
	b := &builder{plane: pl, near: n, zones: zones, all: make([]candidate, len(zones))}
	for i := range b.all {
		b.all[i].zone = uint32(i)
	}
	return b
}

// fill builds a cover that is not compacted yet. shapes are all that there is on the level.
func (b *builder) fill(res int, shapes ...MultiPolygon) (*cover, error) {
	b.c = &cover{res: res, coarsest: res - compactSpan, cells: map[uint64]uint32{}}
	b.seen, b.known, b.queue = map[uint64]bool{}, map[string]uint32{}, nil
	for _, m := range shapes {
		for _, part := range m {
			cells, err := overlapping(part, res, 8*cellBudget)
			if err != nil {
				return nil, err
			}
			b.push(cells...)
		}
	}
	if err := b.run(); err != nil {
		return nil, err
	}
	return b.c, nil
}

func (b *builder) push(cells ...uint64) {
	for _, c := range cells {
		if !b.seen[c] {
			b.seen[c] = true
			b.queue = append(b.queue, c)
		}
	}
}

func (b *builder) run() error {
	for len(b.queue) > 0 {
		cell := b.queue[len(b.queue)-1]
		b.queue = b.queue[:len(b.queue)-1]
		d, err := b.discs.of(b.plane, cell)
		if err != nil {
			return err
		}
		info, atEdge := b.classify(d.mid, d.at, d.r, b.all)
		sticksOut := info.class == outsideCell && len(info.zones) > 0
		if info.class != outsideCell || sticksOut {
			b.c.cells[cell] = b.intern(info)
		}
		if len(b.c.cells) > 16*cellBudget {
			return errTooManyCells
		}
		if atEdge || sticksOut {
			if err := ringOfCell(cell, func(n uint64) { b.push(n) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// classify says what holds in the whole disc of radius r around a point (given twice, in degrees and on the
// flat map), and whether an edge may run through it. Only the zones listed are looked at, and measured only if they
// are not known to hold it whole. The info's zones are good until the next call.
func (b *builder) classify(mid LatLng, at vec, r float64, zones []candidate) (info cellInfo, atEdge bool) {
	r += r/500 + 0.001
	info.zones = b.zoneBuf[:0]
	d := b.near.edgeDist(at)
	switch {
	case d <= r:
		info.class, atEdge = edgeCell, true
	case b.near.area.contains(mid):
		info.class = insideCell
	}
	for _, c := range zones {
		z := b.zones[c.zone]
		switch {
		case c.whole:
			info.zones = append(info.zones, c)
			continue
		case !z.box.grown(r * 1.1).contains(at):
			continue
		}
		switch d := z.signed(mid, at); {
		case d < -r:
			info.zones = append(info.zones, candidate{c.zone, true})
		case d <= r:
			info.zones, atEdge = append(info.zones, c), true
		}
	}
	b.zoneBuf = info.zones
	return info, atEdge
}

// intern stores equal infos once, so that compaction can compare indices.
func (b *builder) intern(info cellInfo) uint32 {
	key := append(b.keyBuf[:0], byte(info.class))
	for _, z := range info.zones {
		v := z.zone << 1
		if z.whole {
			v |= 1
		}
		key = binary.LittleEndian.AppendUint32(key, v)
	}
	b.keyBuf = key
	i, ok := b.known[string(key)]
	if !ok {
		i = uint32(len(b.c.infos))
		b.known[string(key)] = i
		info.zones = slices.Clone(info.zones)
		b.c.infos = append(b.c.infos, info)
	}
	return i
}
