// SPDX-License-Identifier: Apache-2.0

// Package geofence decides where a fix lies in a store and what that means for a visit.
//
// It is pure: no clock, no I/O, no logging. A Site is a store's map; an Index answers where a
// point lies in it, exactly, at the cost of a table look-up; Rules.Step turns a fix and the place
// it fell into the next presence and the transitions that led there.
package geofence

// LatLng is a point in degrees, WGS 84. Valid points have |Lat| ≤ 90 and |Lng| ≤ 180.
type LatLng struct{ Lat, Lng float64 }

// Polygon is an outer ring followed by its holes. Rings are closed (first point equals last),
// the outer one counter-clockwise and holes clockwise (RFC 7946 §3.1.6).
type Polygon [][]LatLng

// MultiPolygon is an area of one or more parts.
type MultiPolygon []Polygon

// Site is one store's map: its levels, each with a boundary and zones. It is immutable once loaded.
type Site struct {
	ID      string  // short, stable, [a-z0-9-]+; names the store in URLs and keys
	Name    string  // for people
	Version string  // hash of the content: 16 hex digits; equal versions are equal maps
	Bearing float64 // degrees clockwise from north that the store's long side points to
	Levels  []Level // by ascending Ordinal
	Doors   []Door  // may be empty
}

// Level is one floor. Ordinals are the map's own (a mall may have no 0).
type Level struct {
	Ordinal  int
	Name     string
	Boundary MultiPolygon
	Zones    []Zone
}

// Zone is an area inside a store: a department, a service desk.
type Zone struct {
	ID, Name, Class string
	Level           int
	Sensitive       bool // no name, no dot and no dwell for staff
	Shape           MultiPolygon
	AreaM2          float64
	HalfWidthM      float64 // radius of the widest circle that fits inside; a fix is certain up to this accuracy
}

// Door is a way in and out, on a level.
type Door struct {
	Name  string
	Level int
	At    LatLng
}

// Distinct is the share of a site's zones, by count and by area (0 to 1), that a phone of the given
// accuracy in metres can be certain of; of the others it can only say "likely". 0 without zones.
func (s *Site) Distinct(accuracyM float64) (byCount, byArea float64) {
	var n, all, area, allArea float64
	for _, l := range s.Levels {
		for _, z := range l.Zones {
			all, allArea = all+1, allArea+z.AreaM2
			if z.HalfWidthM >= accuracyM {
				n, area = n+1, area+z.AreaM2
			}
		}
	}
	if all == 0 {
		return 0, 0
	}
	return n / all, area / allArea
}
