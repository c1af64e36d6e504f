// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// anyBoundary draws a star-shaped part or two, with a hole at times: one time in four at a high latitude,
// one in four across the antimeridian. Slivers are likely (see TestAnyBoundaryIsAwkward).
func anyBoundary(t *rapid.T) MultiPolygon {
	lng := rapid.Float64Range(-180, 180).Draw(t, "lng")
	if rapid.IntRange(0, 3).Draw(t, "seam") == 0 {
		lng = rapid.SampledFrom([]float64{179.9999, -179.9999, 180}).Draw(t, "at seam")
	}
	return boundaryAt(t, lng)
}

func boundaryAt(t *rapid.T, lng float64) MultiPolygon {
	origin := LatLng{Lat: rapid.Float64Range(-84, 84).Draw(t, "lat"), Lng: lng}
	if rapid.IntRange(0, 3).Draw(t, "high") == 0 {
		origin.Lat = math.Copysign(rapid.Float64Range(66, 84).Draw(t, "high lat"), origin.Lat)
	}
	f := NewFrame(origin, rapid.Float64Range(0, 360).Draw(t, "bearing"))
	flat := rapid.SampledFrom([]float64{1, 0.3, 0.02}).Draw(t, "flat")
	size := rapid.Float64Range(5, 200).Draw(t, "size")
	var m MultiPolygon
	for i := range rapid.IntRange(1, 2).Draw(t, "parts") {
		n := rapid.IntRange(3, 14).Draw(t, "corners")
		var outer, hole []LatLng
		for k := range n {
			r := size * rapid.Float64Range(0.3, 1).Draw(t, "r")
			s, c := math.Sincos(2 * math.Pi * float64(k) / float64(n))
			x := float64(i) * 2.5 * size
			outer = append(outer, f.LatLng(x+r*c, r*s*flat))
			// with few corners a star's kernel is narrow: scaled about its middle, a ring stays within
			hole = append(hole, f.LatLng(x+0.2*r*c, 0.2*r*s*flat))
		}
		outer, hole = append(outer, outer[0]), append(hole, hole[0])
		part := Polygon{outer}
		if n > 4 && rapid.Bool().Draw(t, "hole") {
			for a, b := 0, len(hole)-1; a < b; a, b = a+1, b-1 {
				hole[a], hole[b] = hole[b], hole[a]
			}
			part = append(part, hole)
		}
		m = append(m, part)
	}
	return m
}

// The table answers like the polygon itself, everywhere; merging cells changes no answer; distances
// from the table are those of going through every edge.
func TestCoverEqualsPolygon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := anyBoundary(t)
		s := &Site{ID: "random", Levels: []Level{{Boundary: shape}}}
		if rapid.Bool().Draw(t, "zones") {
			for i, part := range shape {
				s.Levels[0].Zones = append(s.Levels[0].Zones, Zone{ID: string(rune('a' + i)), Shape: MultiPolygon{part[:1]}})
			}
		}
		x, err := newIndex(s, rapid.SampledFrom([]float64{64, 2048, 8192}).Draw(t, "budget"))
		if err != nil {
			t.Fatal(err)
		}
		l := &x.levels[0]
		loose, err := newBuilder(&x.plane, l.near, l.areas).fill(x.res, shape)
		if err != nil {
			t.Fatal(err)
		}
		b := l.near.area.box
		w, h := b.hi.x-b.lo.x, b.hi.y-b.lo.y
		for range 150 {
			p := x.plane.latLng(vec{
				b.lo.x + w*rapid.Float64Range(-0.2, 1.2).Draw(t, "x"),
				b.lo.y + h*rapid.Float64Range(-0.2, 1.2).Draw(t, "y"),
			})
			checkPoint(t, x, l, loose, p)
		}
		for _, s := range l.near.area.segs { // and right beside the edges
			p := vec{(s.a.x + s.b.x) / 2, (s.a.y + s.b.y) / 2}
			for _, d := range []vec{{0, 0}, {0.002, 0}, {0, -0.002}, {-0.3, 0.1}} {
				checkPoint(t, x, l, loose, x.plane.latLng(vec{p.x + d.x, p.y + d.y}))
			}
		}
	})
}

func checkPoint(t *rapid.T, x *Index, l *levelIndex, loose *cover, p LatLng) {
	at, exact := x.Locate(p, 0, true), l.near.area.contains(p)
	if !at.Valid || at.Inside != exact {
		t.Fatalf("%v: located inside %v, the polygon says %v", p, at.Inside, exact)
	}
	for i, a := range l.areas {
		if named := holds(&at, l.zones[i]); named != a.contains(p) {
			t.Fatalf("%v: zone %s named %v", p, l.zones[i].ID, named)
		}
	}
	cell, ok := cellOf(p, x.res)
	if !ok {
		t.Fatalf("%v has no cell", p)
	}
	one, many := l.cover.look(cell), loose.look(cell)
	if (one == nil) != (many == nil) || one != nil && (one.class != many.class || !slices.Equal(one.zones, many.zones)) {
		t.Fatalf("%v: merging cells changed %v to %v", p, many, one)
	}
	checkInfo(t, l, one, p, "cell")
	if square := x.ground.at(x.plane.xy(p)); square >= 0 && l.told[square] != untold {
		checkInfo(t, l, &l.cover.infos[l.told[square]-1], p, "square")
	}
	d := x.Distance(p, 0, true)
	switch {
	case (d < 0) != (at.DistM < 0) && math.Abs(d) > 1e-6:
		t.Fatalf("%v: distance %v, located at %v", p, d, at.DistM)
	case math.Abs(at.DistM-d) < 1e-6:
	case d < -nearExactM && at.DistM >= d && at.DistM < -nearExactM:
	case d > farExactM && at.DistM <= d && at.DistM > farExactM:
	default:
		t.Fatalf("%v: distance %v, located at %v", p, d, at.DistM)
	}
}

// checkInfo holds what a cell or a square claims against the polygons: what it is sure of is so.
func checkInfo(t *rapid.T, l *levelIndex, info *cellInfo, p LatLng, by string) {
	if info == nil {
		info = &cellInfo{}
	}
	if inside := l.near.area.contains(p); info.class != edgeCell && (info.class == insideCell) != inside {
		t.Fatalf("%v: its %s says %d, the polygon inside %v", p, by, info.class, inside)
	}
	for i, a := range l.areas {
		k := slices.IndexFunc(info.zones, func(c candidate) bool { return c.zone == uint32(i) })
		if in := a.contains(p); k < 0 && in || k >= 0 && info.zones[k].whole && !in {
			t.Fatalf("%v: its %s says %v of zone %d, the polygon %v", p, by, info.zones, i, in)
		}
	}
}

// Whatever happens to a visit: no exit without an enter, nothing stored from outside, never shown
// without a lease, one enter per visit, and in the end it ends.
func TestAnyVisit(t *testing.T) {
	zones := []*Zone{{ID: "a", HalfWidthM: 3}, {ID: "b", HalfWidthM: 8}, {ID: "c", HalfWidthM: 20}}
	rapid.Check(t, func(t *rapid.T) {
		r := DefaultRules()
		v := visitModel{rules: r, now: t0}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			v.now += rapid.SampledFrom([]int64{0, 200, 1000, 1000, 1000, 1000, 2000, 11_000, 31_000}).Draw(t, "after")
			v.seq += rapid.SampledFrom([]int64{1, 1, 1, 1, 2, 0}).Draw(t, "seq")
			switch rapid.IntRange(0, 12).Draw(t, "what") {
			case 0:
				v.tick(t)
			case 1:
				v.phone(t, rapid.SampledFrom([]string{"edge", "out", "far", "unknown"}).Draw(t, "where"))
			case 2:
				v.checkIn(t, rapid.SampledFrom(zones).Draw(t, "tag"))
			default:
				v.fix(t, zones)
			}
		}
		v.now += r.LeaseMS
		v.tick(t)
		if v.p.State != Outside && v.p.State != Ended {
			t.Fatalf("after silence the visit is still in state %d", v.p.State)
		}
		if v.open || len(v.zones) > 0 {
			t.Fatalf("something is left open: inside %v, zones %v", v.open, v.zones)
		}
	})
}

// visitModel follows what is said about one visit.
type visitModel struct {
	rules  Rules
	p      Presence
	now    int64
	seq    int64
	open   bool // entered and not ended
	hidden bool
	done   bool

	accepted int64 // when a fix was last accepted
	zones    map[string]bool
}

func (v *visitModel) fix(t *rapid.T, zones []*Zone) {
	f := Fix{
		Seq: v.seq, T: v.now - rapid.SampledFrom([]int64{0, 0, 0, 500, 14_000, 16_000, -6_000}).Draw(t, "age"),
		At:        LatLng{54 + rapid.SampledFrom([]float64{0, 0.0001, 0.001}).Draw(t, "north"), 3},
		AccuracyM: rapid.SampledFrom([]float64{0, 2, 8, 15, 35, 40, 60, math.NaN()}).Draw(t, "accuracy"),
		Precise:   rapid.IntRange(0, 9).Draw(t, "precise") > 0, Mocked: rapid.IntRange(0, 9).Draw(t, "mocked") == 0,
	}
	at := placeAt(rapid.SampledFrom([]float64{-20, -5, -5, 0, 3, 12, 30, 120}).Draw(t, "d"))
	for _, z := range zones {
		if at.Inside && rapid.Bool().Draw(t, "zone "+z.ID) {
			at.Zones[at.N] = z
			at.N++
		}
	}
	before := v.p
	var out Outcome
	v.p, out = v.rules.Step(v.p, f, at, v.now)
	v.hear(t, out)
	if out.Accepted && (!at.Inside || f.Mocked || !f.Precise || out.Refused != "" || v.p.State != Inside) {
		t.Fatalf("accepted %+v at %+v: %+v", f, at, out)
	}
	if !out.Accepted && v.p.leaseUntil > before.leaseUntil && v.p.State != Entering {
		t.Fatalf("a fix that was not accepted renewed the lease: %+v", f)
	}
	if out.Accepted {
		v.accepted = v.now
	}
	if v.open && v.p.LeaseUntil() > v.accepted+v.rules.LeaseMS {
		t.Fatalf("the visit outlives its last accepted fix by more than the lease: %+v", f)
	}
}

func (v *visitModel) tick(t *rapid.T) {
	var out Outcome
	v.p, out = v.rules.Tick(v.p, v.now)
	v.hear(t, out)
}

func (v *visitModel) phone(t *rapid.T, where string) {
	var out Outcome
	v.p, out = v.rules.PhoneOutside(v.p, where, v.seq, v.now)
	v.hear(t, out)
}

func (v *visitModel) checkIn(t *rapid.T, z *Zone) {
	var out Outcome
	v.p, out = v.rules.CheckIn(v.p, z, v.now)
	v.hear(t, out)
}

func (v *visitModel) hear(t *rapid.T, out Outcome) {
	for _, tr := range out.Transitions() {
		ok := v.open && !v.done
		switch tr.Kind {
		case Enter:
			ok = !v.open && !v.done
			v.open, v.zones = true, map[string]bool{}
		case Suspend:
			ok, v.hidden = ok && !v.hidden, true
		case Resume:
			ok, v.hidden = ok && v.hidden, false
		case End:
			ok = ok && len(v.zones) == 0
			v.open, v.hidden, v.done = false, false, true
		case ZoneEnter:
			ok = ok && !v.hidden && (!v.zones[tr.Zone.ID] || tr.Certain)
			v.zones[tr.Zone.ID] = true
		case ZoneExit:
			ok = ok && v.zones[tr.Zone.ID]
			delete(v.zones, tr.Zone.ID)
		}
		if !ok {
			t.Fatalf("%s does not fit: %+v", tr.Kind, v)
		}
	}
	if inside := v.p.State == Inside || v.p.State == Suspended; inside != v.open || (v.p.State == Suspended) != v.hidden {
		t.Fatalf("state %d is not what was said: %+v", v.p.State, v)
	}
	names, n, _ := v.p.Zones()
	if v.p.State == Inside && n != len(v.zones) {
		t.Fatalf("named %d zones, said %v", n, v.zones)
	}
	for _, z := range names[:n] {
		if !v.zones[z.ID] {
			t.Fatalf("%s is named and was never said", z.ID)
		}
	}
}
