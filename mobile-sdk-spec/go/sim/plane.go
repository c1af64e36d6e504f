// SPDX-License-Identifier: Apache-2.0

package sim

import "math"

// xy is a point in metres, x to the east and y to the north.
type xy struct{ x, y float64 }

func (a xy) add(b xy) xy           { return xy{a.x + b.x, a.y + b.y} }
func (a xy) sub(b xy) xy           { return xy{a.x - b.x, a.y - b.y} }
func (a xy) times(k float64) xy    { return xy{a.x * k, a.y * k} }
func (a xy) len() float64          { return math.Hypot(a.x, a.y) }
func (a xy) to(b xy, s float64) xy { return a.add(b.sub(a).times(s)) }
func distance(a, b xy) float64     { return a.sub(b).len() }
func direction(angle float64) xy   { return xy{math.Cos(angle), math.Sin(angle)} }
func cross(o, a, b xy) float64     { return (a.x-o.x)*(b.y-o.y) - (a.y-o.y)*(b.x-o.x) }
func (a xy) angle() float64        { return math.Atan2(a.y, a.x) }
func (a xy) compass() float64      { return math.Mod(450-a.angle()*180/math.Pi, 360) }

// plane touches the ellipsoid in the middle of a map. Over a mall its error is millimetres.
type plane struct {
	lat, lng    float64
	north, east float64 // metres per degree
}

// planeOf takes the middle of all that is there.
func planeOf(found []feature) plane {
	min, max := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, f := range found {
		for _, part := range f.parts {
			for _, ring := range part {
				for _, p := range ring {
					for i := range p {
						min[i], max[i] = math.Min(min[i], p[i]), math.Max(max[i], p[i])
					}
				}
			}
		}
	}
	return planeAt((min[1]+max[1])/2, (min[0]+max[0])/2)
}

func planeAt(lat, lng float64) plane {
	const a, e2 = 6378137.0, 0.00669437999014 // WGS 84
	sin, cos := math.Sincos(lat * math.Pi / 180)
	w := math.Sqrt(1 - e2*sin*sin)
	return plane{lat: lat, lng: lng, north: a * (1 - e2) / (w * w * w) * math.Pi / 180, east: a / w * cos * math.Pi / 180}
}

// xy takes [lng, lat], as GeoJSON has it.
func (p plane) xy(c [2]float64) xy { return xy{(c[0] - p.lng) * p.east, (c[1] - p.lat) * p.north} }

func (p plane) latLng(v xy) (lat, lng float64) { return p.lat + v.y/p.north, p.lng + v.x/p.east }

func (p plane) polygons(parts [][][][2]float64) polygons {
	out := make(polygons, len(parts))
	for i, part := range parts {
		for _, ring := range part {
			line := make([]xy, len(ring))
			for k, c := range ring {
				line[k] = p.xy(c)
			}
			out[i] = append(out[i], line)
		}
	}
	return out
}

// polygons is an area: parts, each an outer ring and its holes, closed.
type polygons [][][]xy

// edges calls f for every edge until it returns false.
func (ps polygons) edges(f func(a, b xy) bool) {
	for _, part := range ps {
		for _, ring := range part {
			for i := 1; i < len(ring); i++ {
				if !f(ring[i-1], ring[i]) {
					return
				}
			}
		}
	}
}

// contains reports whether p lies inside, by the parity of crossings to the east.
func (ps polygons) contains(p xy) bool {
	odd := false
	ps.edges(func(a, b xy) bool {
		if (a.y > p.y) != (b.y > p.y) && (cross(a, b, p) > 0) == (b.y > a.y) {
			odd = !odd
		}
		return true
	})
	return odd
}

// nearest is the point of the boundary nearest to p, the direction of its edge, and how far it is.
func (ps polygons) nearest(p xy) (at, along xy, far float64) {
	far = math.Inf(1)
	ps.edges(func(a, b xy) bool {
		d := b.sub(a)
		s := 0.0
		if n := d.x*d.x + d.y*d.y; n > 0 {
			s = min(1, max(0, ((p.x-a.x)*d.x+(p.y-a.y)*d.y)/n))
		}
		if q := a.to(b, s); distance(p, q) < far {
			at, along, far = q, d, distance(p, q)
		}
		return true
	})
	return at, along, far
}

// clear reports whether the straight way from p to q crosses no edge. Ends may touch.
func (ps polygons) clear(p, q xy) bool {
	ok := true
	ps.edges(func(a, b xy) bool {
		ok = (cross(p, q, a) > 0) == (cross(p, q, b) > 0) || (cross(a, b, p) > 0) == (cross(a, b, q) > 0)
		return ok
	})
	return ok
}

type box struct{ min, max xy }

func (ps polygons) box() box {
	b := box{xy{math.Inf(1), math.Inf(1)}, xy{math.Inf(-1), math.Inf(-1)}}
	ps.edges(func(a, _ xy) bool {
		b.min = xy{min(b.min.x, a.x), min(b.min.y, a.y)}
		b.max = xy{max(b.max.x, a.x), max(b.max.y, a.y)}
		return true
	})
	return b
}
