// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"cmp"
	"math"
	"slices"
)

// edge is one side of a shape: from point i of a ring to the next.
type edge struct {
	part, ring, i int
	a, b          LatLng // continuous across the antimeridian
}

func (e edge) left() float64  { return min(e.a.Lng, e.b.Lng) }
func (e edge) right() float64 { return max(e.a.Lng, e.b.Lng) }

// edges are the sides of an uncut shape, by their western ends.
func edges(m MultiPolygon) []edge {
	var list []edge
	for p, part := range m {
		for r, ring := range part {
			for i := range len(ring) - 1 {
				list = append(list, edge{p, r, i, ring[i], ring[i+1]})
			}
		}
	}
	slices.SortFunc(list, func(a, b edge) int { return cmp.Compare(a.left(), b.left()) })
	return list
}

// nearby visits the pairs of edges whose boxes share ground, sweeping from west to east. Each step of
// the sweep is taken from budget; it stops, and answers false, when that is used up.
func nearby(list []edge, budget *int, visit func(a, b edge)) bool {
	for i, e := range list {
		for _, g := range list[i+1:] {
			if g.left() > e.right() {
				break
			}
			if *budget--; *budget < 0 {
				return false
			}
			if max(e.a.Lat, e.b.Lat) >= min(g.a.Lat, g.b.Lat) && max(g.a.Lat, g.b.Lat) >= min(e.a.Lat, e.b.Lat) {
				visit(e, g)
			}
		}
	}
	return true
}

// meets tells whether two edges share a point that neighbours of a ring need not share.
func (e edge) meets(g edge, points int) bool {
	if e.part == g.part && e.ring == g.ring {
		switch n := points - 1; { // the ring's edges
		case g.i == (e.i+1)%n:
			return backOnItself(e.a, e.b, g.b)
		case e.i == (g.i+1)%n:
			return backOnItself(g.a, g.b, e.b)
		}
	}
	return side(e.a, e.b, g.a)*side(e.a, e.b, g.b) <= 0 && side(g.a, g.b, e.a)*side(g.a, g.b, e.b) <= 0
}

// side is the sign of the turn from ab to c.
func side(a, b, c LatLng) float64 {
	return (b.Lng-a.Lng)*(c.Lat-a.Lat) - (b.Lat-a.Lat)*(c.Lng-a.Lng)
}

func backOnItself(a, b, c LatLng) bool {
	return side(a, b, c) == 0 && (a.Lng-b.Lng)*(c.Lng-b.Lng)+(a.Lat-b.Lat)*(c.Lat-b.Lat) > 0
}

// meeting is a point that two edges share.
func (e edge) meeting(g edge) LatLng {
	d := (e.b.Lng-e.a.Lng)*(g.b.Lat-g.a.Lat) - (e.b.Lat-e.a.Lat)*(g.b.Lng-g.a.Lng)
	if d == 0 { // along each other: an end of one lies on the other
		for _, p := range []LatLng{e.a, e.b} {
			if p.Lng >= g.left() && p.Lng <= g.right() && p.Lat >= min(g.a.Lat, g.b.Lat) && p.Lat <= max(g.a.Lat, g.b.Lat) {
				return LatLng{Lat: p.Lat, Lng: wrapLng(p.Lng)}
			}
		}
		return LatLng{Lat: g.a.Lat, Lng: wrapLng(g.a.Lng)}
	}
	t := ((g.a.Lng-e.a.Lng)*(g.b.Lat-g.a.Lat) - (g.a.Lat-e.a.Lat)*(g.b.Lng-g.a.Lng)) / d
	t = math.Max(0, math.Min(1, t))
	return LatLng{Lat: e.a.Lat + t*(e.b.Lat-e.a.Lat), Lng: wrapLng(e.a.Lng + t*(e.b.Lng-e.a.Lng))}
}

// uncut makes a shape that runs across the antimeridian continuous: its western longitudes count from
// 180 up.
func uncut(m MultiPolygon) MultiPolygon {
	if !crossesSeam(m) {
		return m
	}
	out := make(MultiPolygon, len(m))
	for i, part := range m {
		for _, ring := range part {
			r := make([]LatLng, len(ring))
			for j, p := range ring {
				if p.Lng < 0 {
					p.Lng += 360
				}
				r[j] = p
			}
			out[i] = append(out[i], r)
		}
	}
	return out
}

func crossesSeam(m MultiPolygon) bool {
	for _, part := range m {
		for _, ring := range part {
			for i := 1; i < len(ring); i++ {
				if math.Abs(ring[i].Lng-ring[i-1].Lng) > 180 {
					return true
				}
			}
		}
	}
	return false
}
