// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	maxPoints = 20_000 // of one boundary
	maxCorner = 5_000  // of one zone
	maxTotal  = 200_000
	maxSpanM  = 5_000 // of one area
	maxLat    = 85    // the flat map and H3's straight edges are good up to here
)

// trace remembers where the points of a ring stand in the file: mending turns rings and leaves points
// out, and a message must name what the map maker sees.
type trace struct {
	ring   int   // index in the file's polygon
	at     []int // for each point, its index in the file's ring
	turned bool
}

// area reads a Polygon or MultiPolygon, mends what can be mended and says so. ok is false after at
// least one failure. A second call answers what the first did.
func (l *loader) area(f *feature) (m MultiPolygon, ok bool) {
	if !f.read {
		f.read = true
		f.sound = l.readArea(f) && l.checkPoints(f)
		if f.sound { // both are told, if both are wrong
			fits, valid := l.checkSpan(f), l.checkValid(f)
			f.sound = fits && valid
		}
	}
	return f.shape, f.sound
}

func (l *loader) readArea(f *feature) bool {
	switch f.typ {
	case "Polygon":
		return l.polygon(f, f.where, f.coords)
	case "MultiPolygon":
		parts, _ := f.coords.([]any)
		if len(parts) == 0 {
			l.fail(f.where, "its MultiPolygon has no parts", "draw at least one polygon")
		}
		ok := len(parts) > 0
		for i, part := range parts {
			ok = l.polygon(f, f.where.part(i), part) && ok
		}
		return ok
	case "":
		l.fail(f.where, "has no geometry", "draw it as a Polygon or MultiPolygon")
	default:
		l.fail(f.where, fmt.Sprintf("geometry %q is not an area", f.typ), "draw it as a Polygon or MultiPolygon")
	}
	return false
}

// polygon adds one part to a feature's shape.
func (l *loader) polygon(f *feature, w Where, v any) bool {
	rings, ok := v.([]any)
	if !ok || len(rings) == 0 {
		l.fail(w, "its polygon has no rings", "draw an outer ring")
		return false
	}
	var p Polygon
	var traces []trace
	for i, v := range rings {
		wr := w.ring(i)
		list, ok := v.([]any)
		if i > 0 && ok && len(list) == 0 {
			l.note(wr, "an empty hole was left out")
			continue
		}
		ring, at := l.ring(wr, v)
		if ring == nil {
			return false
		}
		turned := l.wind(wr, ring, len(p) == 0)
		if turned {
			slices.Reverse(at)
		}
		p, traces = append(p, ring), append(traces, trace{i, at, turned})
	}
	f.shape, f.traces = append(f.shape, p), append(f.traces, traces)
	return true
}

// ring reads one ring and closes it. at holds each point's index in the file.
func (l *loader) ring(w Where, v any) (ring []LatLng, at []int) {
	list, ok := v.([]any)
	if !ok {
		l.fail(w, "is not a list of points", "write [[lng,lat],[lng,lat],…]")
		return nil, nil
	}
	if len(list) > maxPoints {
		l.fail(w, fmt.Sprintf("%d points are more than %d", len(list), maxPoints), "simplify the outline to centimetres")
		return nil, nil
	}
	repeated := 0
	for i, v := range list {
		p, ok := l.point(w.coordinate(i), v)
		if !ok {
			return nil, nil
		}
		if len(ring) > 0 && ring[len(ring)-1] == p {
			repeated++
			continue
		}
		ring, at = append(ring, p), append(at, i)
	}
	if n := distinct(ring); n < 3 {
		l.fail(w.coordinate(max(len(list)-1, 0)), fmt.Sprintf("the ring ends here after %d different points, fewer than three", n), "draw a ring around the area")
		return nil, nil
	}
	if repeated > 0 {
		l.note(w, fmt.Sprintf("repeated points, left out: %d", repeated))
	}
	if ring[0] != ring[len(ring)-1] {
		l.note(w.coordinate(len(list)-1), "the ring was not closed; its first point was added at the end")
		ring, at = append(ring, ring[0]), append(at, at[0])
	}
	return ring, at
}

func distinct(ring []LatLng) int {
	seen := map[LatLng]bool{}
	for _, p := range ring {
		seen[p] = true
	}
	return len(seen)
}

// position reads two to four numbers: longitude, latitude, and a height that is not used.
func (l *loader) position(w Where, v any) (LatLng, bool) {
	pos, ok := v.([]any)
	if !ok || len(pos) < 2 || len(pos) > 4 || !allNumbers(pos) {
		l.fail(w, brief(v)+" is not a position", "write two numbers: [longitude, latitude]")
		return LatLng{}, false
	}
	return LatLng{Lng: pos[0].(float64), Lat: pos[1].(float64)}, true
}

// brief is the beginning of a value as JSON.
func brief(v any) string {
	text, err := json.Marshal(v)
	if err != nil || len(text) > 60 {
		text = append(text[:min(len(text), 60)], "…"...)
	}
	return strings.ToValidUTF8(string(text), "?")
}

// point reads a position where a store can be. Some systems count longitudes on beyond 180 degrees,
// which leaves no doubt where a point is.
func (l *loader) point(w Where, v any) (LatLng, bool) {
	p, ok := l.position(w, v)
	if lng := math.Abs(p.Lng); ok && lng > 180 && lng <= 360 && math.Abs(p.Lat) <= 90 {
		p.Lng = wrapLng(p.Lng)
		l.beyond = append(l.beyond, w)
	}
	switch {
	case !ok:
	case math.Abs(p.Lat) > 90 && math.Abs(p.Lng) <= 90 && math.Abs(p.Lat) <= 180:
		l.fail(w, fmt.Sprintf("latitude %v is out of range, and longitude %v could be one: they seem to be swapped", p.Lat, p.Lng),
			"write longitude first, then latitude")
	case !inRange(p):
		l.fail(w, fmt.Sprintf("longitude %v, latitude %v is out of range", p.Lng, p.Lat),
			"give degrees in WGS 84: longitude -180 to 180, latitude -90 to 90")
	case math.Abs(p.Lat) > maxLat && !l.opt.AnySize:
		l.fail(w, fmt.Sprintf("latitude %v is too close to a pole", p.Lat), fmt.Sprintf("stores between %d and -%d degrees are supported", maxLat, maxLat))
	default:
		return p, true
	}
	return p, false
}

// wind turns a ring the way RFC 7946 §3.1.6 has it: outer rings counter-clockwise, holes clockwise.
func (l *loader) wind(w Where, ring []LatLng, outer bool) (turned bool) {
	a := turn(ring)
	if turned = a != 0 && (a > 0) != outer; turned {
		slices.Reverse(ring)
		l.windings = append(l.windings, w)
	}
	return turned
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

// checkPoints refuses an outline too fine to work with.
func (l *loader) checkPoints(f *feature) bool {
	points, most := 0, maxPoints
	if f.kind == "zone" {
		most = maxCorner
	}
	f.corners(func(Where, LatLng) { points++ })
	l.points += points
	switch {
	case points > most:
		l.fail(f.where, fmt.Sprintf("%d points are more than %d", points, most), "simplify the outline to centimetres")
	case l.points > maxTotal:
		l.fail(f.where, fmt.Sprintf("with it the map has more than %d points", maxTotal), "simplify the outlines to centimetres")
	default:
		return true
	}
	return false
}

// checkSpan refuses an area that no store has: usually a stray point, or the wrong unit.
func (l *loader) checkSpan(f *feature) bool {
	b, o := emptyBox(), f.shape[0][0][0]
	kx, ky := metresPerDegree(o.Lat)
	flat := func(p LatLng) vec { return vec{wrapLng(p.Lng-o.Lng) * kx, (p.Lat - o.Lat) * ky} }
	f.corners(func(_ Where, p LatLng) { b.add(flat(p)) })
	span := max(b.hi.x-b.lo.x, b.hi.y-b.lo.y)
	switch {
	case span > maxSpanM && !l.opt.AnySize:
		l.fail(f.farthest(flat), fmt.Sprintf("is too large: it spans %.1f km, and this is its point farthest from the others", span/1000),
			fmt.Sprintf("a store spans at most %d km; look for a stray or swapped point", maxSpanM/1000))
	case span < 0.1:
		l.fail(f.place(0, 0, 0), "is smaller than ten centimetres: all its points lie here", "draw it in degrees, at its true size")
	default:
		return true
	}
	return false
}

// place is where a point of the feature's shape stands in the file.
func (f *feature) place(part, ring, i int) Where {
	t := f.traces[part][ring]
	return f.whereRing(part, ring).coordinate(t.at[i])
}

func (f *feature) whereRing(part, ring int) Where {
	w := f.where.ring(f.traces[part][ring].ring)
	if f.typ == "MultiPolygon" {
		w = w.part(part)
	}
	return w
}

// corners visits every point of a feature's shape.
func (f *feature) corners(visit func(Where, LatLng)) {
	for i, part := range f.shape {
		for j, ring := range part {
			for k, p := range ring {
				visit(f.place(i, j, k), p)
			}
		}
	}
}

// farthest is the place of the point farthest from the middle one, by which a stray point is found.
func (f *feature) farthest(flat func(LatLng) vec) (at Where) {
	var x, y []float64
	f.corners(func(_ Where, p LatLng) { q := flat(p); x, y = append(x, q.x), append(y, q.y) })
	slices.Sort(x)
	slices.Sort(y)
	mid, worst := vec{x[len(x)/2], y[len(y)/2]}, -1.0
	f.corners(func(w Where, p LatLng) {
		if q := flat(p); math.Hypot(q.x-mid.x, q.y-mid.y) > worst {
			worst, at = math.Hypot(q.x-mid.x, q.y-mid.y), w
		}
	})
	return at
}
