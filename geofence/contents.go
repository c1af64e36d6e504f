// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"reflect"
	"strings"
)

const maxZones = 5_000 // of one level

// sensitiveClasses are hidden from staff unless the map says "sensitive": false. In doubt, hidden. They
// are written as classKey has them: as in IMDF, in OpenStreetMap and in plain English.
var sensitiveClasses = map[string]bool{
	"restroom": true, "toilet": true, "toilets": true, "wc": true, "bathroom": true, "shower": true, "showers": true,
	"fittingroom": true, "fittingrooms": true, "changingroom": true, "lockerroom": true,
	"maternity": true, "nursingroom": true, "mothersroom": true, "babychanging": true, "babycare": true, "caregiver": true,
	"pharmacy": true, "clinic": true, "doctors": true, "dentist": true, "hospital": true, "firstaid": true, "healthscreening": true,
	"prayer": true, "prayerroom": true, "meditation": true, "chapel": true, "placeofworship": true,
}

// zones puts the zones on their levels.
func (l *loader) zones(s *Site) {
	seen := map[string]*feature{}
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
		shape, ok := l.area(f)
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

// classKey is a class without its finer kinds ("restroom.female") and however its words are joined.
func classKey(class string) string {
	kind, _, _ := strings.Cut(strings.ToLower(class), ".")
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(kind)
}

// twice leaves out an exact copy and refuses anything else of the same id.
func (l *loader) twice(f, other *feature) {
	if reflect.DeepEqual(f.coords, other.coords) && reflect.DeepEqual(f.props["floor"], other.props["floor"]) {
		l.note(f.where, "is a copy of "+other.where.String()+" and was left out")
		return
	}
	l.fail(f.where, "has the same id as "+other.where.String(), "give each zone an id of its own, also across levels")
}

// levelOf finds a feature's level. Without a floor it is the only one there is. In a part of a map
// other levels are no fault.
func (l *loader) levelOf(s *Site, f *feature) *Level {
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
	if has && l.part {
		l.elsewhere++
		return nil
	}
	if !has {
		l.fail(f.where, "has no floor, and the store has several", "add \"floor\" to its properties")
		return nil
	}
	l.fail(f.where, fmt.Sprintf("level %d is unknown: no boundary has it", floor), fmt.Sprintf("add a boundary with \"floor\":%d, or correct the floor", floor))
	return nil
}
