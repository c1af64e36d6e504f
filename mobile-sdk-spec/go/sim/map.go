// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Map is where walkers walk: boundaries, zones and doors, by level. It is immutable.
type Map struct {
	plane  plane
	levels []level
	doors  []door
}

// level is one floor in metres of the map's plane.
type level struct {
	ordinal int
	area    polygons   // the boundary
	zones   []polygons // places worth walking to
}

type door struct {
	level int
	at    xy
}

// ErrMap means that nobody can walk there.
var ErrMap = errors.New("sim: the map cannot be walked")

// ParseMap reads one or more documents: a store's fence (GET /v1/stores/{id}/fences/{version}), or
// GeoJSON feature collections (RFC 7946) whose features have properties kind (boundary, unit, zone,
// door) and floor (null is 0). It checks only what a walk needs; judging maps is the server's part.
func ParseMap(docs ...[]byte) (*Map, error) {
	var found []feature
	for i, raw := range docs {
		var head struct{ Type string }
		if err := json.Unmarshal(raw, &head); err != nil {
			return nil, fmt.Errorf("%w: document %d is not JSON", ErrMap, i)
		}
		read := readFence
		if head.Type == "FeatureCollection" {
			read = readFeatures
		}
		more, err := read(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: document %d: %w", ErrMap, i, err)
		}
		found = append(found, more...)
	}
	return assemble(found)
}

// feature is one thing on a map, still in degrees.
type feature struct {
	kind  string // boundary, zone, door
	level int
	parts [][][][2]float64
	at    [2]float64
}

func readFence(raw []byte) ([]feature, error) {
	var in struct {
		Levels []struct {
			Ordinal  int
			Boundary [][][][2]float64
		}
		Doors []struct {
			Level int
			At    [2]float64
		}
		Zones []struct {
			Level   int
			Polygon [][][][2]float64
		}
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, errors.New("not a fence")
	}
	var out []feature
	for _, l := range in.Levels {
		out = append(out, feature{kind: "boundary", level: l.Ordinal, parts: l.Boundary})
	}
	for _, z := range in.Zones {
		out = append(out, feature{kind: "zone", level: z.Level, parts: z.Polygon})
	}
	for _, d := range in.Doors {
		out = append(out, feature{kind: "door", level: d.Level, at: d.At})
	}
	return out, nil
}

func readFeatures(raw []byte) ([]feature, error) {
	var in struct {
		Features []struct {
			Properties struct {
				Kind  string
				Floor *int
			}
			Geometry geometry
		}
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, errors.New("not a feature collection")
	}
	var out []feature
	for i, f := range in.Features {
		x := feature{kind: f.Properties.Kind}
		if x.kind == "unit" {
			x.kind = "zone"
		}
		if f.Properties.Floor != nil {
			x.level = *f.Properties.Floor
		}
		if err := f.Geometry.into(&x); err != nil {
			return nil, fmt.Errorf("feature %d: %w", i, err)
		}
		out = append(out, x)
	}
	return out, nil
}

type geometry struct {
	Type        string
	Coordinates json.RawMessage
}

func (g geometry) into(f *feature) error {
	var err error
	switch g.Type {
	case "Point":
		err = json.Unmarshal(g.Coordinates, &f.at)
	case "Polygon":
		f.parts = make([][][][2]float64, 1)
		err = json.Unmarshal(g.Coordinates, &f.parts[0])
	case "MultiPolygon":
		err = json.Unmarshal(g.Coordinates, &f.parts)
	default:
		f.kind = "" // lines and the like are not walked to
	}
	if err != nil {
		return errors.New("the coordinates cannot be read")
	}
	return nil
}

// assemble lays the features out in metres about their middle.
func assemble(found []feature) (*Map, error) {
	m := &Map{plane: planeOf(found)}
	for _, f := range found {
		if f.kind == "boundary" {
			m.levels = append(m.levels, level{ordinal: f.level, area: m.plane.polygons(f.parts)})
		}
	}
	if len(m.levels) == 0 {
		return nil, fmt.Errorf("%w: no boundary", ErrMap)
	}
	for _, f := range found {
		switch l := m.level(f.level); {
		case f.kind == "zone" && l != nil:
			l.zones = append(l.zones, m.plane.polygons(f.parts))
		case f.kind == "door" && l != nil:
			m.doors = append(m.doors, door{level: f.level, at: m.plane.xy(f.at)})
		}
	}
	for _, l := range m.levels {
		if box := l.area.box(); !(box.max.x > box.min.x && box.max.y > box.min.y) {
			return nil, fmt.Errorf("%w: the boundary of level %d has no area", ErrMap, l.ordinal)
		}
	}
	return m, nil
}

func (m *Map) level(ordinal int) *level {
	for i := range m.levels {
		if m.levels[i].ordinal == ordinal {
			return &m.levels[i]
		}
	}
	return nil
}

// lowest is the level nearest to the ground floor, where people come in.
func (m *Map) lowest() *level {
	best := &m.levels[0]
	for i := range m.levels {
		l := &m.levels[i]
		if d := math.Abs(float64(l.ordinal)) - math.Abs(float64(best.ordinal)); d < 0 || d == 0 && l.ordinal > best.ordinal {
			best = l
		}
	}
	return best
}
