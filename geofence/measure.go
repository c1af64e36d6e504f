// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"github.com/peterstace/simplefeatures/geom"
)

const (
	maxPokeM    = 2.0         // a zone may reach this far out of the boundary
	noticeM     = 0.001       // and is reported from here
	overlapM    = 0.01        // zones that overlap deeper than this are reported
	overlapWork = 200_000_000 // edges looked at before the search for overlaps is given up
)

// measure computes the zones' sizes and holds every zone and door against its level's boundary.
func (l *loader) measure(s *Site) {
	pl := newPlane(s)
	from := map[string]*feature{}
	for _, f := range l.ofKind("zone") {
		if _, dup := from[f.id]; !dup {
			from[f.id] = f
		}
	}
	boundaries := map[int]*near{}
	for i := range s.Levels {
		m := measurer{l: l, plane: &pl, level: &s.Levels[i], from: from}
		m.boundary = newArea(&pl, m.level.Boundary)
		m.near = newNear(m.boundary)
		m.filled, m.holes = apart(&pl, m.level.Boundary)
		boundaries[m.level.Ordinal] = m.near
		m.run()
	}
	l.keepDoors(s, &pl, boundaries)
}

type measurer struct {
	l        *loader
	plane    *plane
	level    *Level
	boundary *area
	near     *near
	filled   *area // the boundary without its holes
	holes    *area
	from     map[string]*feature // by zone id
	zones    []*area
	middles  []LatLng // of their widest circles
	poking   int
	worst    float64
	worstAt  Where
	overHole []Where // zones over a hole of the boundary
}

func (m *measurer) run() {
	kept := m.level.Zones[:0]
	for _, z := range m.level.Zones {
		a := newArea(m.plane, z.Shape)
		if m.l.part && !a.box.overlaps(m.boundary.box) {
			m.l.elsewhere++
			continue
		}
		z.AreaM2 = m2(m.plane, z.Shape)
		var mid LatLng
		mid, z.HalfWidthM = a.inscribed()
		if m.place(&z, a, mid) {
			kept = append(kept, z)
			m.zones = append(m.zones, a)
			m.middles = append(m.middles, mid)
		}
	}
	m.level.Zones = kept
	if m.poking > 0 {
		m.l.note(m.worstAt, fmt.Sprintf("zones that reach out of the boundary of level %d: %d, this one the farthest, by %.2f m", m.level.Ordinal, m.poking, m.worst))
	}
	m.l.noteFirst(m.overHole, fmt.Sprintf("zones over a hole of the boundary of level %d, where whoever is counts as outside", m.level.Ordinal))
	m.overlaps()
}

// place holds one zone against the boundary: it is kept, or a fault, or, in a part of a map, of another
// store.
func (m *measurer) place(z *Zone, a *area, mid LatLng) bool {
	if !m.boundary.contains(mid) && !m.around(z, mid) {
		if m.l.part {
			m.l.elsewhere++
			return false
		}
		problem, remedy := "lies outside the boundary of its level", "move it in, or correct its floor"
		if m.boundary.contains(LatLng{Lat: mid.Lng, Lng: mid.Lat}) {
			problem, remedy = problem+", but would not with latitude and longitude swapped", "write longitude first, then latitude"
		}
		m.l.fail(m.firstOutside(z), fmt.Sprintf("%s (level %d), from here on", problem, m.level.Ordinal), remedy)
		return false
	}
	d, at := m.poke(z, a)
	switch {
	case d > maxPokeM && m.l.part:
		m.l.elsewhere++
		return false
	case d > maxPokeM:
		m.l.fail(at, fmt.Sprintf("reaches %.1f m out of the boundary of level %d", d, m.level.Ordinal), "cut it at the boundary, or widen the boundary")
		return false
	case d > noticeM:
		m.poking++
		if d > m.worst {
			m.worst, m.worstAt = d, at
		}
	}
	return true
}

// apart are a shape's parts with their holes filled, and the holes.
func apart(pl *plane, shape MultiPolygon) (filled, holes *area) {
	var parts, cut MultiPolygon
	for _, part := range shape {
		parts = append(parts, part[:1])
		for _, hole := range part[1:] {
			cut = append(cut, Polygon{hole})
		}
	}
	return newArea(pl, parts), newArea(pl, cut)
}

// around tells a zone that is drawn over a hole, its middle in it, from one that lies outside.
func (m *measurer) around(z *Zone, mid LatLng) bool {
	stands := false
	m.from[z.ID].corners(func(_ Where, p LatLng) { stands = stands || m.boundary.contains(p) })
	return stands && m.filled.contains(mid)
}

// firstOutside is the zone's first corner out of the boundary.
func (m *measurer) firstOutside(z *Zone) Where {
	at, found := m.zoneWhere(z), false
	m.from[z.ID].corners(func(w Where, p LatLng) {
		if !found && !m.boundary.contains(p) {
			found, at = true, w
		}
	})
	return at
}

// poke is how far a zone reaches out: by its own corners, or by corners of the boundary inside it, which
// are told by the zone's nearest corner. Corners of holes do not count: a zone may be drawn over a pillar or
// an atrium, and whoever is in the hole is outside all the same.
func (m *measurer) poke(z *Zone, a *area) (worst float64, at Where) {
	f := m.from[z.ID]
	f.corners(func(w Where, p LatLng) {
		if d := m.near.edgeDist(m.plane.xy(p)); d > worst && !m.boundary.contains(p) {
			worst, at = d, w
		}
	})
	m.cornersIn(a, m.filled, func(corner vec) bool {
		if d := a.edgeDist(corner); d > worst {
			worst, at = d, m.nearestCorner(f, corner)
		}
		return worst <= maxPokeM
	})
	m.cornersIn(a, m.holes, func(corner vec) bool {
		over := a.edgeDist(corner) > noticeM
		if over {
			m.overHole = append(m.overHole, f.where)
		}
		return !over
	})
	return worst, at
}

// cornersIn visits the corners of a shape that lie in a zone, as long as it is told to go on.
func (m *measurer) cornersIn(a, shape *area, visit func(corner vec) (more bool)) {
	for _, s := range shape.segs {
		if a.box.contains(s.a) && a.contains(m.plane.latLng(s.a)) && !visit(s.a) {
			return
		}
	}
}

func (m *measurer) nearestCorner(f *feature, to vec) (at Where) {
	best := math.Inf(1)
	f.corners(func(w Where, p LatLng) {
		if q := m.plane.xy(p); math.Hypot(q.x-to.x, q.y-to.y) < best {
			best, at = math.Hypot(q.x-to.x, q.y-to.y), w
		}
	})
	return at
}

func (m *measurer) zoneWhere(z *Zone) Where { return m.from[z.ID].where }

// overlaps says once per level how many pairs of zones share ground.
func (m *measurer) overlaps() {
	pairs, deepest, example, work := 0, 0.0, "", 0
	for i, a := range m.zones {
		for j, b := range m.zones[:i] {
			if !a.box.overlaps(b.box) {
				continue
			}
			if work += 4 * len(a.segs) * len(b.segs); work > overlapWork {
				m.l.note(inFile(m.zoneWhere(&m.level.Zones[0]).File), fmt.Sprintf("level %d is too intricate to look for all overlaps", m.level.Ordinal))
				return
			}
			if d := max(m.deepestIn(i, j), m.deepestIn(j, i)); d > overlapM {
				pairs++
				if d > deepest {
					deepest, example = d, fmt.Sprintf("%q and %q", m.level.Zones[j].ID, m.level.Zones[i].ID)
				}
			}
		}
	}
	if pairs > 0 {
		m.l.note(inFile(m.zoneWhere(&m.level.Zones[0]).File),
			fmt.Sprintf("pairs of zones that overlap on level %d: %d, most of all %s (%.2f m); where they do, the smaller one is named", m.level.Ordinal, pairs, example, deepest))
	}
}

// deepestIn is how deep a reaches into b, told by its corners, the middles of its edges and its own
// middle. (A few centimetres' sliver in between may go unreported; it is named all the same.)
func (m *measurer) deepestIn(i, j int) (d float64) {
	a, b := m.zones[i], m.zones[j]
	probe := func(p vec) {
		if b.box.contains(p) {
			d = max(d, -b.signed(m.plane.latLng(p), p))
		}
	}
	probe(m.plane.xy(m.middles[i]))
	for _, s := range a.segs {
		probe(s.a)
		probe(vec{(s.a.x + s.b.x) / 2, (s.a.y + s.b.y) / 2})
	}
	return d
}

// longSide is the direction of the longer side of the least rectangle around the first level.
// Degrees clockwise from north, 0 up to 180, to a tenth.
func longSide(s *Site) float64 {
	pl := newPlane(s)
	var xy []float64
	for _, part := range s.Levels[0].Boundary {
		for _, p := range part[0] {
			q := pl.xy(p)
			xy = append(xy, q.x, q.y)
		}
	}
	outline := geom.NewLineString(geom.NewSequence(xy, geom.DimXY)).AsGeometry()
	rect, ok := geom.RotatedMinimumAreaBoundingRectangle(outline).AsPolygon()
	if !ok {
		return 0 // no width: the loader lets no such boundary through
	}
	c := rect.ExteriorRing().Coordinates()
	a, b := c.GetXY(1).Sub(c.GetXY(0)), c.GetXY(2).Sub(c.GetXY(1))
	if b.Length() > a.Length() {
		a = b
	}
	bearing := math.Mod(math.Atan2(a.X, a.Y)/degToRad+360, 180)
	return math.Mod(math.Round(bearing*10)/10, 180)
}

// version hashes what the map says: not what is computed from it, nor the words of this program.
func version(s *Site) string {
	c := *s
	c.Version = ""
	c.Levels = nil
	for _, level := range s.Levels {
		zones := make([]Zone, len(level.Zones))
		copy(zones, level.Zones)
		for i := range zones {
			zones[i].AreaM2, zones[i].HalfWidthM = 0, 0
		}
		level.Zones = zones
		c.Levels = append(c.Levels, level)
	}
	data, err := json.Marshal(c)
	if err != nil {
		panic("geofence: a site of finite numbers and text always encodes: " + err.Error())
	}
	sum := sha256.Sum256(append([]byte("doorstep site 1\n"), data...))
	return hex.EncodeToString(sum[:8])
}
