// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"cmp"
	"fmt"

	"github.com/peterstace/simplefeatures/geom"
)

// maxWork bounds what is looked at to tell whether the shapes of a map are valid: pairs of edges side
// by side, and points of rings side by side. Real floors take thousands; the bound costs a second.
const maxWork = 20_000_000

// checkValid asks simplefeatures whether the area is valid (OGC 06-103r4 §6.1.11) and, if not, looks
// for the place: the library says what is wrong, but not at which coordinate.
func (l *loader) checkValid(f *feature) bool {
	flat := uncut(f.shape)
	list := edges(flat)
	if !l.afford(f, flat, list) {
		return false
	}
	polys := make([]geom.Polygon, len(f.shape))
	for i, part := range f.shape {
		polys[i] = geomPolygon(flat[i])
		if err := polys[i].Validate(); err != nil {
			l.invalid(f, list, i)
			return false
		}
		if inner, outer, nested := nestedHoles(part); nested {
			l.failNested(f, i, inner, outer)
			return false
		}
	}
	if err := geom.NewMultiPolygon(polys).Validate(); err != nil {
		l.overlapping(f, list)
		return false
	}
	return true
}

// afford takes what checking a shape costs. A shape that is too intricate is refused for where it meets
// itself, if that was seen in time.
func (l *loader) afford(f *feature, flat MultiPolygon, list []edge) bool {
	var a, b edge
	crossed := false
	within := nearby(list, &l.work, func(x, y edge) {
		if !crossed && x.part == y.part && x.ring == y.ring && x.meets(y, len(flat[x.part][x.ring])) {
			a, b, crossed = x, y, true
		}
	})
	switch {
	case within && l.affordRings(flat):
		return true
	case crossed:
		l.failCrossed(f, a, b)
	default:
		l.fail(f.place(0, 0, 0), "is too intricate to check: too many of its edges run side by side", "simplify the outline to centimetres")
	}
	return false
}

func (l *loader) failCrossed(f *feature, a, b edge) {
	if order(a, b) > 0 {
		a, b = b, a
	}
	l.fail(f.edge(a), fmt.Sprintf("the ring crosses or touches itself: the edge from here meets the edge from coordinate %d at %s", f.edge(b).Coordinate, degrees(a.meeting(b))),
		"move the points so that the outline never meets itself")
}

// affordRings takes what comparing rings with each other costs.
func (l *loader) affordRings(m MultiPolygon) bool {
	type flat struct {
		box
		points int
	}
	var rings []flat
	for _, part := range m {
		for _, ring := range part {
			r := flat{emptyBox(), len(ring)}
			for _, p := range ring {
				r.add(vec{p.Lng, p.Lat})
			}
			for _, other := range rings {
				if l.work--; r.overlaps(other.box) {
					l.work -= r.points + other.points
				}
			}
			rings = append(rings, r)
		}
	}
	return l.work >= 0
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
		if a.contains(p) && a.edgeDist(a.plane.xy(p)) > noticeM {
			return true
		}
	}
	return false
}

func geomPolygon(part Polygon) geom.Polygon {
	rings := make([]geom.LineString, len(part))
	for i, ring := range part {
		xy := make([]float64, 0, 2*len(ring))
		for _, p := range ring {
			xy = append(xy, p.Lng, p.Lat)
		}
		rings[i] = geom.NewLineString(geom.NewSequence(xy, geom.DimXY))
	}
	return geom.NewPolygon(rings)
}

// invalid says where a part breaks the rules: where a ring meets itself, else where two rings meet,
// else which ring lies where it must not.
func (l *loader) invalid(f *feature, list []edge, part int) {
	within := func(a, b edge) bool { return a.part == part && b.part == part }
	if a, b, ok := l.firstMeeting(f, list, func(a, b edge) bool { return within(a, b) && a.ring == b.ring }); ok {
		l.failCrossed(f, a, b)
		return
	}
	if a, b, ok := l.firstMeeting(f, list, func(a, b edge) bool { return within(a, b) && a.ring != b.ring }); ok {
		l.fail(f.edge(b), fmt.Sprintf("the edge from here meets ring %d, the edge from its coordinate %d, at %s", f.edge(a).Ring, f.edge(a).Coordinate, degrees(a.meeting(b))),
			"keep holes inside the outer ring, and let rings touch in single points only that cut nothing off")
		return
	}
	rings := f.shape[part]
	s := Site{Levels: []Level{{Boundary: MultiPolygon{rings[:1]}}}}
	pl := newPlane(&s)
	for i := 1; i < len(rings); i++ {
		if !liesIn(rings[i], newArea(&pl, MultiPolygon{rings[:1]})) {
			l.fail(f.place(part, i, 0), "the hole lies outside the outer ring", "move it in, or draw it as a part of its own")
			return
		}
	}
	inner, outer, _ := nestedHoles(rings)
	l.failNested(f, part, inner, outer)
}

func (l *loader) failNested(f *feature, part, inner, outer int) {
	l.fail(f.place(part, inner, 0), fmt.Sprintf("the hole lies in another hole, ring %d", f.traces[part][outer].ring), "remove the inner one")
}

// overlapping says where two parts share ground or an edge.
func (l *loader) overlapping(f *feature, list []edge) {
	const remedy = "join them into one polygon"
	if a, b, ok := l.firstMeeting(f, list, func(a, b edge) bool { return a.part != b.part }); ok {
		l.fail(f.edge(b), fmt.Sprintf("its parts overlap or share an edge: the edge from here meets part %d, the edge from coordinate %d of its ring %d, at %s",
			a.part, f.edge(a).Coordinate, f.edge(a).Ring, degrees(a.meeting(b))), remedy)
		return
	}
	s := Site{Levels: []Level{{Boundary: f.shape}}}
	pl := newPlane(&s)
	for i := range f.shape {
		a := newArea(&pl, f.shape[i:i+1])
		for j := range f.shape {
			if i != j && a.contains(f.shape[j][0][0]) {
				l.fail(f.place(j, 0, 0), fmt.Sprintf("its parts overlap: this one lies in part %d", i), "remove the inner one")
				return
			}
		}
	}
	l.fail(f.place(0, 0, 0), "its parts overlap", remedy)
}

// firstMeeting is the first pair of edges that meet, in the order of the shape, among those of a sort.
func (l *loader) firstMeeting(f *feature, list []edge, sort func(a, b edge) bool) (a, b edge, ok bool) {
	budget := maxWork
	nearby(list, &budget, func(x, y edge) {
		if order(x, y) > 0 {
			x, y = y, x
		}
		if !sort(x, y) || !x.meets(y, len(f.shape[x.part][x.ring])) {
			return
		}
		if !ok || cmp.Or(order(x, a), order(y, b)) < 0 {
			a, b, ok = x, y, true
		}
	})
	return a, b, ok
}

func order(x, y edge) int {
	return cmp.Or(cmp.Compare(x.part, y.part), cmp.Compare(x.ring, y.ring), cmp.Compare(x.i, y.i))
}

// edge is where an edge begins in the file.
func (f *feature) edge(e edge) Where {
	if f.traces[e.part][e.ring].turned {
		return f.place(e.part, e.ring, e.i+1)
	}
	return f.place(e.part, e.ring, e.i)
}

// degrees names a point as GeoJSON does, to a centimetre.
func degrees(p LatLng) string { return fmt.Sprintf("[%.7f, %.7f]", p.Lng, p.Lat) }
