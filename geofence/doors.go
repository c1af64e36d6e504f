// SPDX-License-Identifier: Apache-2.0

package geofence

import "fmt"

const (
	maxDoors    = 200
	maxDoorOffM = 20.0 // a door lies at most this far from the boundary
	openingM    = 2.0  // an opening this close to the boundary leads out of the store
)

// doorway is a door, or an opening that may be one.
type doorway struct {
	Door
	where   Where
	opening bool
}

// readDoors reads the ways in, and the openings, some of which are.
func (l *loader) readDoors(s *Site) {
	for _, f := range append(l.ofKind("door"), l.ofKind("opening")...) {
		level := l.levelOf(s, f)
		if level == nil {
			continue
		}
		d := doorway{Door{Level: level.Ordinal}, f.where, f.kind == "opening"}
		var ok bool
		switch {
		case f.typ == "Point":
			d.At, ok = l.point(f.where, f.coords)
		case f.typ == "LineString" && d.opening:
			d.At, ok = l.middle(f)
		default:
			l.fail(f.where, fmt.Sprintf("geometry %q is not a door", f.typ), "draw a door as a Point")
		}
		if ok {
			d.Name, _ = l.text(f.where, "name", f.props["name"])
			l.doors = append(l.doors, d)
		}
	}
}

// middle is the point halfway between the ends of a line.
func (l *loader) middle(f *feature) (LatLng, bool) {
	list, _ := f.coords.([]any)
	if len(list) < 2 {
		l.fail(f.where, "its line has fewer than two points", "draw the opening from one side to the other")
		return LatLng{}, false
	}
	var line []LatLng
	for i, v := range list {
		p, ok := l.point(f.where.coordinate(i), v)
		if !ok {
			return p, false
		}
		line = append(line, p)
	}
	a, b := line[0], line[len(line)-1]
	return LatLng{Lat: (a.Lat + b.Lat) / 2, Lng: wrapLng(a.Lng + wrapLng(b.Lng-a.Lng)/2)}, true
}

// keepDoors holds every door against its level's boundary.
func (l *loader) keepDoors(s *Site, pl *plane, boundaries map[int]*near) {
	within, first := 0, Where{}
	for _, d := range l.doors {
		off := boundaries[d.Level].edgeDist(pl.xy(d.At))
		switch {
		case d.opening && off > openingM:
			if within++; within == 1 {
				first = d.where
			}
		case off > maxDoorOffM && l.part:
			l.elsewhere++
		case off > maxDoorOffM:
			l.fail(d.where, fmt.Sprintf("the door is %.0f m away from the boundary of level %d", off, d.Level), "put it on the outline, or correct its floor")
		case len(s.Doors) == maxDoors:
			l.fail(d.where, fmt.Sprintf("there are more than %d doors", maxDoors), "keep the doors to the outside only")
			return
		default:
			s.Doors = append(s.Doors, d.Door)
		}
	}
	if within > 0 {
		l.note(first, fmt.Sprintf("openings farther than %.0f m from the boundary, and so no doors of the store: %d (this is the first)", openingM, within))
	}
}
