// SPDX-License-Identifier: Apache-2.0

package geofence

import "fmt"

// An axis names one nesting of coordinates: the part, the ring or the point that an index counts.
type axis func(Where, int) Where

// axes are the nestings of each geometry, outermost first (RFC 7946 §3.1). A collection has none that
// a place could name.
var axes = map[string][]axis{
	"Point":              {},
	"MultiPoint":         {Where.coordinate},
	"LineString":         {Where.coordinate},
	"MultiLineString":    {Where.part, Where.coordinate},
	"Polygon":            {Where.ring, Where.coordinate},
	"MultiPolygon":       {Where.part, Where.ring, Where.coordinate},
	"GeometryCollection": nil,
}

func isArea(typ string) bool { return typ == "Polygon" || typ == "MultiPolygon" }

// geometry takes a geometry apart; null is one (§3.2), without a type.
func (l *loader) geometry(w Where, v any) (typ string, coords any, ok bool) {
	if v == nil {
		return "", nil, true
	}
	m, ok := v.(map[string]any)
	typ, _ = m["type"].(string)
	if _, known := axes[typ]; !ok || !known {
		l.fail(w, fmt.Sprintf("geometry of type %s is none of GeoJSON's", brief(m["type"])), "write a Polygon, a MultiPolygon, or a Point for a door")
		return "", nil, false
	}
	if typ != "GeometryCollection" {
		coords, ok = m["coordinates"].([]any)
		if !ok {
			l.fail(w, `its geometry has no list of "coordinates"`, "write the "+typ+"'s coordinates, or null for the geometry")
		}
		return typ, coords, ok
	}
	list, ok := m["geometries"].([]any)
	for _, part := range list {
		if _, isObject := part.(map[string]any); !isObject {
			ok = false
		}
	}
	if !ok {
		l.fail(w, `its GeometryCollection has no list of "geometries"`, "draw a Polygon or MultiPolygon instead")
	}
	return typ, nil, ok
}

// positions checks the nesting and the numbers of a geometry that is not used, so that a broken file
// is told where it is broken. It stops at the first fault.
func (l *loader) positions(w Where, v any, nested []axis) bool {
	if v == nil {
		return true
	}
	if len(nested) == 0 {
		if list, _ := v.([]any); len(list) == 0 {
			return true // empty coordinates are as good as none (§3.1)
		}
		_, ok := l.position(w, v)
		return ok
	}
	list, ok := v.([]any)
	if !ok {
		l.fail(w, "is not a list of positions", "nest the coordinates one deeper")
		return false
	}
	for i, item := range list {
		if !l.positions(nested[0](w, i), item, nested[1:]) {
			return false
		}
	}
	return true
}
