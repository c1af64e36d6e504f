// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/peterstace/simplefeatures/geom"
)

// boundaries makes the levels. It returns a name found on a boundary, as a last resort for the site's.
func (l *loader) boundaries(s *Site) (name string) {
	all := l.outlines()
	byFloor := map[int][]*feature{}
	for _, f := range all {
		if floor, _, ok := l.floor(f); ok {
			byFloor[floor] = append(byFloor[floor], f)
		}
	}
	if !l.part && l.severalStores(all, byFloor) {
		for _, f := range all { // their other faults too
			l.area(f)
		}
		return ""
	}
	for _, floor := range slices.Sorted(maps.Keys(byFloor)) {
		list := byFloor[floor]
		shape, ok := l.levelShape(floor, list)
		if !ok {
			continue
		}
		s.Levels = append(s.Levels, Level{Ordinal: floor, Name: cmp.Or(l.levelName(floor, list), "Level "+itoa(floor)), Boundary: shape})
	}
	for _, f := range all {
		if v, has := f.props["bearing"]; has && v != nil {
			l.readBearing(f.where, v)
		}
		n, _ := l.text(f.where, "name", f.props["name"])
		level, _ := f.props["floor_name"].(string)
		if f.kind == "boundary" || l.part {
			name = cmp.Or(name, withoutLevel(n, level))
		}
	}
	return name
}

// withoutLevel takes the level's name off the end of a boundary's: what "Mall B1" has in common with
// "Mall F1" names the store.
func withoutLevel(name, level string) string {
	rest, ends := strings.CutSuffix(name, level)
	if level == "" || !ends || wordEnd.MatchString(rest) {
		return name
	}
	return strings.TrimRight(rest, " -–,:·/")
}

var wordEnd = regexp.MustCompile(`[A-Za-z0-9]$`) // "Shelf1" does not end in the level F1

// outlines are the features that bound the store: those that were chosen, else the boundaries, else
// what the map has instead.
func (l *loader) outlines() []*feature {
	if len(l.opt.BoundaryIDs) > 0 {
		return l.chosen()
	}
	if all := l.ofKind("boundary"); len(all) > 0 {
		return all
	}
	zones := l.ofKind("zone")
	switch {
	case len(zones) > 0:
		l.note(inFile(zones[0].where.File), "no feature is a boundary: on each level the outlines of its zones, joined, stand in for one; whoever is between them counts as outside, "+
			`so draw each level's outline and mark it "kind":"boundary"`)
		return zones
	case l.allPlain():
		l.note(l.plain[0].where, fmt.Sprintf(`no feature has a "kind": its %d areas are taken as boundaries (this is the first)`, len(l.plain)))
		l.taken = true
		for _, f := range l.plain {
			f.kind = "boundary"
		}
		return l.plain
	case len(l.errs) == 0:
		l.fail(l.firstFile(), "no feature is a boundary, so nobody could ever be inside",
			`draw each level's outline and mark it "kind":"boundary" with its "floor"`)
	}
	return nil
}

// allPlain tells a map of areas that do not say what they are.
func (l *loader) allPlain() bool { return !l.kinds && len(l.features) == 0 && len(l.plain) > 0 }

// chosen keeps the boundaries and zones that were asked for: a store that is a part of what the map shows.
func (l *loader) chosen() []*feature {
	var out []*feature
	from := l.features
	if l.allPlain() {
		from, l.taken = l.plain, true
	}
	for _, id := range l.opt.BoundaryIDs {
		n := len(out)
		for _, f := range from {
			if (f.kind == "boundary" || f.kind == "zone" || l.taken) && f.id == id && !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
		if len(out) == n {
			l.fail(l.firstFile(), fmt.Sprintf("no boundary or unit has the id %q", id), "choose the id of a feature of kind boundary or unit")
		}
	}
	return out
}

// severalStores refuses a map that bounds one level more than once, unless it says that the parts belong
// together: nobody but the map maker can tell two buildings of one store from two stores.
func (l *loader) severalStores(all []*feature, byFloor map[int][]*feature) bool {
	var ids []string
	listed, second := true, (*feature)(nil)
	for _, f := range all {
		floor, has, _ := l.floor(f)
		together, _ := l.flag(f, "joined")
		if list := byFloor[floor]; f.kind == "boundary" && !together && len(list) > 1 && f != list[0] && second == nil {
			second = f
		}
		listed = listed && !has && f.id != ""
		if f.id != "" {
			ids = append(ids, f.id)
		}
	}
	if second == nil {
		return false
	}
	floor, _, _ := l.floor(second)
	e := &Error{Where: second.where,
		Problem: fmt.Sprintf("level %d has a boundary already, %s; there are %d", floor, byFloor[floor][0].where, len(byFloor[floor])),
		Remedy:  "join the parts of one store into one MultiPolygon; if they are different stores, choose one by its id" + shortList(ids)}
	if l.taken { // areas that do not say what they are may be rooms
		e.Remedy += `; if they are rooms, mark each "kind":"unit" and the outline around them "kind":"boundary"`
	} else if listed {
		e.Stores = ids
	}
	l.failWith(e)
	return true
}

func shortList(ids []string) string {
	const most = 8
	if len(ids) == 0 {
		return ", once it has one"
	}
	text := ": " + strings.Join(ids[:min(len(ids), most)], ", ")
	if len(ids) > most {
		text += ", …"
	}
	return text
}

// levelShape is the outline of one level: one area, or several joined.
func (l *loader) levelShape(floor int, list []*feature) (MultiPolygon, bool) {
	var all MultiPolygon
	ok := true
	for _, f := range list {
		shape, sound := l.area(f)
		all, ok = append(all, shape...), ok && sound
	}
	if !ok || len(list) == 1 {
		return all, ok
	}
	joined, err := join(all)
	if err != nil {
		l.fail(list[0].where, fmt.Sprintf("the %d areas of level %d cannot be joined into a boundary: %v", len(list), floor, err), "draw the level's outline as one area")
		return nil, false
	}
	points := 0
	for _, part := range joined {
		for _, ring := range part {
			points += len(ring)
		}
	}
	if points > maxPoints {
		l.fail(list[0].where, fmt.Sprintf("the areas of level %d make a boundary of %d points, more than %d", floor, points, maxPoints), "draw the level's outline as one area")
		return nil, false
	}
	return joined, true
}

// join makes one valid area of several that may touch or overlap.
func join(m MultiPolygon) (MultiPolygon, error) {
	flat := uncut(m)
	polys := make([]geom.Polygon, len(m))
	all := make([]geom.Geometry, len(m))
	for i, part := range flat {
		polys[i] = geomPolygon(part)
		all[i] = polys[i].AsGeometry()
	}
	if geom.NewMultiPolygon(polys).Validate() == nil {
		return m, nil // apart from each other: every coordinate stays as drawn
	}
	union, err := geom.UnionMany(all)
	if err != nil {
		return nil, err
	}
	if p, ok := union.AsPolygon(); ok {
		union = geom.NewMultiPolygon([]geom.Polygon{p}).AsGeometry()
	}
	mp, ok := union.AsMultiPolygon()
	if err := union.Validate(); err != nil || !ok {
		return nil, fmt.Errorf("what they make is not a valid area: %w", cmp.Or(err, fmt.Errorf("it is a %s", union.Type())))
	}
	var out MultiPolygon
	for i := range mp.NumPolygons() {
		out = append(out, fromGeom(mp.PolygonN(i).ForceCCW()))
	}
	return out, nil
}

// fromGeom is a polygon wound as ours are.
func fromGeom(p geom.Polygon) (out Polygon) {
	for i := range p.NumRings() {
		ring := p.ExteriorRing()
		if i > 0 {
			ring = p.InteriorRingN(i - 1)
		}
		seq := ring.Coordinates()
		var r []LatLng
		for k := range seq.Length() {
			xy := seq.GetXY(k)
			r = append(r, LatLng{Lat: xy.Y, Lng: wrapLng(xy.X)})
		}
		out = append(out, r)
	}
	return out
}

// levelName is what any boundary of the level calls it.
func (l *loader) levelName(floor int, chosen []*feature) (name string) {
	for _, f := range append(slices.Clone(chosen), l.ofKind("boundary")...) {
		if n, _, ok := l.floor(f); ok && n == floor {
			text, _ := l.text(f.where, "floor_name", f.props["floor_name"])
			name = cmp.Or(name, text)
		}
	}
	return name
}
