// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"reflect"
)

const maxZones = 5_000 // of one level

// zones puts the zones on their levels.
func (l *loader) zones(s *Site) {
	seen := map[string]*feature{}
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
		if z.Sensitive, marked = l.flag(f, "sensitive"); !marked && SensitiveClass(z.Class) {
			z.Sensitive = true
			l.byClass[z.ID] = true
		}
		if level.Zones = append(level.Zones, z); len(level.Zones) == maxZones+1 {
			l.fail(f.where, fmt.Sprintf("level %d has more than %d zones", level.Ordinal, maxZones), "leave out what is not a place to be helped in")
		}
	}
}

// noteSensitive says how many zones were hidden without the map asking for it.
func (l *loader) noteSensitive(s *Site) {
	n := 0
	for _, level := range s.Levels {
		for _, z := range level.Zones {
			if l.byClass[z.ID] {
				n++
			}
		}
	}
	if n > 0 {
		l.note(l.firstFile(), fmt.Sprintf(`zones taken as sensitive because of their class: %d; "sensitive": false undoes it`, n))
	}
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
