// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"reflect"
	"strings"
)

const (
	maxZones = 5_000 // of one level
	maxDoors = 200
)

// sensitiveClasses are hidden from staff unless the map says "sensitive": false. In doubt, hidden.
var sensitiveClasses = map[string]bool{
	"restroom": true, "toilet": true, "toilets": true, "wc": true,
	"fitting_room": true, "fitting_rooms": true, "changing_room": true,
	"maternity": true, "nursing_room": true, "pharmacy": true, "clinic": true, "prayer": true, "prayer_room": true,
}

// zones puts the zones on their levels.
func (l *loader) zones(s *Site) {
	seen := map[string]feature{}
	byClass := 0
	for _, f := range l.ofKind("zone") {
		level := l.levelOf(s, f)
		if level == nil {
			continue
		}
		if f.id == "" {
			f.id = fmt.Sprintf("level-%d-zone-%d", level.Ordinal, f.where.Feature)
			l.note(f.where, "has no id; it is called "+f.id)
		}
		if other, twice := seen[f.id]; twice {
			l.twice(f, other)
			continue
		}
		seen[f.id] = f
		shape, ok := l.shape(f)
		if !ok {
			continue
		}
		z := Zone{ID: f.id, Level: level.Ordinal, Shape: shape}
		z.Name, _ = l.text(f.where, "name", f.props["name"])
		z.Class, _ = l.text(f.where, "class", f.props["class"])
		marked := false
		if z.Sensitive, marked = l.flag(f, "sensitive"); !marked && sensitiveClasses[classKey(z.Class)] {
			z.Sensitive = true
			byClass++
		}
		if level.Zones = append(level.Zones, z); len(level.Zones) == maxZones+1 {
			l.fail(f.where, fmt.Sprintf("level %d has more than %d zones", level.Ordinal, maxZones), "leave out what is not a place to be helped in")
		}
	}
	if byClass > 0 {
		l.note(l.firstFile(), fmt.Sprintf(`%d zones are taken as sensitive because of their class; "sensitive": false undoes it`, byClass))
	}
}

func classKey(class string) string {
	return strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(class))
}

// twice leaves out an exact copy and refuses anything else of the same id.
func (l *loader) twice(f, other feature) {
	if reflect.DeepEqual(f.coords, other.coords) && reflect.DeepEqual(f.props["floor"], other.props["floor"]) {
		l.note(f.where, "is a copy of "+other.where.String()+" and was left out")
		return
	}
	l.fail(f.where, "has the same id as "+other.where.String(), "give each zone an id of its own, also across levels")
}

// levelOf finds a feature's level. Without a floor it is the only one there is.
func (l *loader) levelOf(s *Site, f feature) *Level {
	floor, has, ok := l.floor(f)
	if !ok {
		return nil
	}
	if !has && len(s.Levels) == 1 {
		return &s.Levels[0]
	}
	for i := range s.Levels {
		if has && s.Levels[i].Ordinal == floor {
			return &s.Levels[i]
		}
	}
	if !has {
		l.fail(f.where, "has no floor, and the store has several", "add \"floor\" to its properties")
		return nil
	}
	l.fail(f.where, fmt.Sprintf("level %d is unknown: no boundary has it", floor), fmt.Sprintf("add a boundary with \"floor\":%d, or correct the floor", floor))
	return nil
}

// doors reads the ways in.
func (l *loader) doors(s *Site) {
	for _, f := range l.ofKind("door") {
		level := l.levelOf(s, f)
		if level == nil {
			continue
		}
		if f.typ != "Point" {
			l.fail(f.where, fmt.Sprintf("geometry %q is not a door", f.typ), "draw a door as a Point")
			continue
		}
		at, ok := l.point(f.where, f.coords)
		if !ok {
			continue
		}
		name, _ := l.text(f.where, "name", f.props["name"])
		l.doorPlaces = append(l.doorPlaces, f.where)
		if s.Doors = append(s.Doors, Door{Name: name, Level: level.Ordinal, At: at}); len(s.Doors) == maxDoors+1 {
			l.fail(f.where, fmt.Sprintf("there are more than %d doors", maxDoors), "keep the doors to the outside only")
		}
	}
}
