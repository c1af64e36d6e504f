// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"math"
	"slices"
)

const (
	maxPoints = 20_000 // of one boundary
	maxCorner = 5_000  // of one zone
	maxTotal  = 200_000
	maxSpanM  = 5_000 // of one area
	maxLat    = 85    // the flat map and H3's straight edges are good up to here
)

// shape reads a Polygon or MultiPolygon, mends what can be mended and says so. ok is false after
// at least one failure.
func (l *loader) shape(f feature) (m MultiPolygon, ok bool) {
	before := len(l.errs)
	switch f.typ {
	case "Polygon":
		if p := l.polygon(f.where, f.coords); p != nil {
			m = MultiPolygon{p}
		}
	case "MultiPolygon":
		parts, isList := f.coords.([]any)
		if !isList || len(parts) == 0 {
			l.fail(f.where, "its MultiPolygon has no parts", "draw at least one polygon")
		}
		for i, part := range parts {
			if p := l.polygon(f.where.part(i), part); p != nil {
				m = append(m, p)
			}
		}
	default:
		l.fail(f.where, fmt.Sprintf("geometry %q is not an area", f.typ), "draw it as a Polygon or MultiPolygon")
	}
	if len(l.errs) > before {
		return nil, false
	}
	most := maxPoints
	if f.kind == "zone" {
		most = maxCorner
	}
	return m, l.checkSize(f.where, m, most) && l.checkValid(f.where, m)
}

func (l *loader) polygon(w Where, v any) Polygon {
	rings, ok := v.([]any)
	if !ok || len(rings) == 0 {
		l.fail(w, "its polygon has no rings", "draw an outer ring")
		return nil
	}
	var p Polygon
	for i, v := range rings {
		wr := w.ring(i)
		list, ok := v.([]any)
		if i > 0 && ok && len(list) == 0 {
			l.note(wr, "an empty hole was left out")
			continue
		}
		ring := l.ring(wr, v)
		if ring == nil {
			return nil
		}
		p = append(p, l.wind(wr, ring, len(p) == 0))
	}
	return p
}

// ring reads one ring and closes it.
func (l *loader) ring(w Where, v any) []LatLng {
	list, ok := v.([]any)
	if !ok {
		l.fail(w, "is not a list of points", "write [[lng,lat],[lng,lat],…]")
		return nil
	}
	if len(list) > maxPoints {
		l.fail(w, fmt.Sprintf("%d points are more than %d", len(list), maxPoints), "simplify the outline to centimetres")
		return nil
	}
	var ring []LatLng
	repeated := 0
	for i, v := range list {
		p, ok := l.point(w.coordinate(i), v)
		if !ok {
			return nil
		}
		if len(ring) > 0 && ring[len(ring)-1] == p {
			repeated++
			continue
		}
		ring = append(ring, p)
	}
	if repeated > 0 {
		l.note(w, fmt.Sprintf("%d repeated points were left out", repeated))
	}
	if len(ring) > 0 && ring[0] != ring[len(ring)-1] {
		l.note(w.coordinate(len(list)-1), "the ring was not closed; its first point was added at the end")
		ring = append(ring, ring[0])
	}
	if distinct(ring) < 3 {
		l.fail(w, "has fewer than three different points", "draw a ring around the area")
		return nil
	}
	return ring
}

func distinct(ring []LatLng) int {
	seen := map[LatLng]bool{}
	for _, p := range ring {
		seen[p] = true
	}
	return len(seen)
}

// point reads one position; a height after the two numbers is allowed and not used.
func (l *loader) point(w Where, v any) (LatLng, bool) {
	pos, ok := v.([]any)
	if !ok || len(pos) < 2 || len(pos) > 4 || !allNumbers(pos) {
		l.fail(w, "is not a position", "write two numbers: [longitude, latitude]")
		return LatLng{}, false
	}
	p := LatLng{Lng: pos[0].(float64), Lat: pos[1].(float64)}
	switch {
	case math.Abs(p.Lat) > 90 && math.Abs(p.Lng) <= 90 && math.Abs(p.Lat) <= 180:
		l.fail(w, fmt.Sprintf("latitude %v is out of range, and longitude %v could be one: they seem to be swapped", p.Lat, p.Lng),
			"write longitude first, then latitude")
	case !inRange(p):
		l.fail(w, fmt.Sprintf("longitude %v, latitude %v is out of range", p.Lng, p.Lat),
			"give degrees in WGS 84: longitude -180 to 180, latitude -90 to 90")
	case math.Abs(p.Lat) > maxLat:
		l.fail(w, fmt.Sprintf("latitude %v is too close to a pole", p.Lat), fmt.Sprintf("stores between %d and -%d degrees are supported", maxLat, maxLat))
	default:
		return p, true
	}
	return p, false
}

// wind turns a ring the way RFC 7946 §3.1.6 has it: outer rings counter-clockwise, holes clockwise.
func (l *loader) wind(w Where, ring []LatLng, outer bool) []LatLng {
	if a := turn(ring); a != 0 && (a > 0) != outer {
		slices.Reverse(ring)
		l.windings = append(l.windings, w)
	}
	return ring
}

// turn is twice the area in square degrees, positive when counter-clockwise.
func turn(ring []LatLng) (sum float64) {
	o := ring[0]
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		sum += wrapLng(a.Lng-o.Lng)*(b.Lat-o.Lat) - wrapLng(b.Lng-o.Lng)*(a.Lat-o.Lat)
	}
	return sum
}

// checkSize refuses an area that no store has: usually a stray point, or the wrong unit.
func (l *loader) checkSize(w Where, m MultiPolygon, most int) bool {
	b, o := emptyBox(), m[0][0][0]
	kx, ky := metresPerDegree(o.Lat)
	points := 0
	for _, part := range m {
		for _, ring := range part {
			points += len(ring)
			for _, p := range ring {
				b.add(vec{wrapLng(p.Lng-o.Lng) * kx, (p.Lat - o.Lat) * ky})
			}
		}
	}
	l.points += points
	span := max(b.hi.x-b.lo.x, b.hi.y-b.lo.y)
	switch {
	case span > maxSpanM:
		l.fail(w, fmt.Sprintf("is too large: it spans %.1f km", span/1000), fmt.Sprintf("a store spans at most %d km; look for a stray or swapped point", maxSpanM/1000))
	case points > most:
		l.fail(w, fmt.Sprintf("%d points are more than %d", points, most), "simplify the outline to centimetres")
	case l.points > maxTotal:
		l.fail(w, fmt.Sprintf("with it the map has more than %d points", maxTotal), "simplify the outlines to centimetres")
	case span < 0.1:
		l.fail(w, "is smaller than ten centimetres", "draw it in degrees, at its true size")
	default:
		return true
	}
	return false
}
