// SPDX-License-Identifier: Apache-2.0

package geofence

import "encoding/json"

// GeoJSON is the site as one FeatureCollection that Load reads into an equal site, of the same version:
// what was mended, joined or chosen is written out. A map is kept this way, whatever it was read from.
func (s *Site) GeoJSON() []byte {
	features := []any{}
	add := func(kind, geometry string, coordinates any, floor int, more map[string]any) {
		more["kind"], more["floor"] = kind, floor
		m := map[string]any{"type": "Feature", "properties": more, "geometry": map[string]any{"type": geometry, "coordinates": coordinates}}
		if id, ok := more["id"]; ok {
			m["id"] = id
			delete(more, "id")
		}
		features = append(features, m)
	}
	for _, l := range s.Levels {
		add("boundary", "MultiPolygon", exact(l.Boundary), l.Ordinal, map[string]any{"floor_name": l.Name})
		for _, z := range l.Zones {
			add("unit", "MultiPolygon", exact(z.Shape), z.Level,
				map[string]any{"id": z.ID, "name": z.Name, "class": z.Class, "sensitive": z.Sensitive})
		}
	}
	for _, d := range s.Doors {
		add("door", "Point", [2]float64{d.At.Lng, d.At.Lat}, d.Level, map[string]any{"name": d.Name})
	}
	data, err := json.Marshal(map[string]any{
		"type": "FeatureCollection", "store_id": s.ID, "store_name": s.Name, "bearing": s.Bearing, "features": features,
	})
	if err != nil {
		panic("geofence: a site of finite numbers and text always encodes: " + err.Error())
	}
	return data
}

// exact is an area with every digit of its coordinates.
func exact(m MultiPolygon) [][][][2]float64 {
	out := make([][][][2]float64, len(m))
	for i, part := range m {
		for _, ring := range part {
			r := make([][2]float64, len(ring))
			for k, p := range ring {
				r[k] = [2]float64{p.Lng, p.Lat}
			}
			out[i] = append(out[i], r)
		}
	}
	return out
}
