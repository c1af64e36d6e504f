// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

const (
	fenceLimit  = 64 << 10 // bytes
	fenceBudget = 1_024    // cells before compaction
	fenceSpan   = 4        // a merged cell is at most this many resolutions coarser
)

// Fence is what phones fetch before any session, to start and stop by themselves: canonical JSON
// (RFC 8785), the same bytes for the same version, at most 64 KiB for any store that has fewer than
// some 2,500 corners in its boundaries.
//
//	{"bearing":24,
//	 "cells":{"res":13,"inside":["8d…",…],"edge":["8d…",…]},
//	 "doors":[{"name":"North door","level":0,"at":[lng,lat]}],
//	 "levels":[{"ordinal":0,"name":"Ground","boundary":[[[[lng,lat],…]]]}],
//	 "name":"Harbour Street","store":"doorstep-demo","version":"0123456789abcdef",
//	 "zones":[{"id":"shoes","name":"Shoes","level":0,"sensitive":true,"polygon":[[[[lng,lat],…]]]}]}
//
// Boundaries and zones are MultiPolygon coordinates, rounded to 8 decimals (a millimetre); "sensitive"
// is there only when true.
//
// A phone turns a fix into its H3 cell at resolution "res" and looks for it, then for its parents (by
// H3 index arithmetic, not by converting the fix at a coarser resolution) up to four resolutions
// coarser. Found in "inside": in the store, on at least one level. In "edge": the boundaries decide, an
// edge counting as inside. In neither: outside. A phone without H3 uses the boundaries alone and gets
// the same answer.
//
// What does not fit is left out, in this order: "zones"; then cells get coarser; then "cells".
func (x *Index) Fence() ([]byte, error) {
	doc := x.fenceDoc()
	zones := doc["zones"]
	for res := x.pickRes(fenceBudget); res >= coarsestRes; res-- {
		cells, err := x.fenceCells(res)
		if errors.Is(err, errTooManyCells) {
			continue
		}
		if err != nil {
			return nil, err
		}
		doc["cells"], doc["zones"] = cells, zones
		for range 2 {
			data, err := encodeCanonical(doc)
			if err != nil || len(data) <= fenceLimit {
				return data, err
			}
			delete(doc, "zones")
		}
	}
	delete(doc, "cells")
	return encodeCanonical(doc)
}

// encodeCanonical relies on encoding/json to sort a map's members and to write numbers as ECMAScript
// does; names hold no control characters or line separators (see loader.text), where the two differ.
func encodeCanonical(doc map[string]any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("geofence: encode the fence: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (x *Index) fenceDoc() map[string]any {
	s := x.site
	levels, doors, zones := []any{}, []any{}, []any{}
	for _, l := range s.Levels {
		levels = append(levels, map[string]any{"ordinal": l.Ordinal, "name": l.Name, "boundary": coordinates(l.Boundary)})
		for _, z := range l.Zones {
			m := map[string]any{"id": z.ID, "name": z.Name, "level": z.Level, "polygon": coordinates(z.Shape)}
			if z.Sensitive {
				m["sensitive"] = true
			}
			zones = append(zones, m)
		}
	}
	for _, d := range s.Doors {
		doors = append(doors, map[string]any{"name": d.Name, "level": d.Level, "at": position(d.At)})
	}
	return map[string]any{
		"store": s.ID, "name": s.Name, "version": s.Version, "bearing": s.Bearing,
		"levels": levels, "doors": doors, "zones": zones,
	}
}

func coordinates(m MultiPolygon) [][][][2]float64 {
	out := make([][][][2]float64, len(m))
	for i, part := range m {
		for _, ring := range part {
			r := make([][2]float64, len(ring))
			for k, p := range ring {
				r[k] = position(p)
			}
			out[i] = append(out[i], r)
		}
	}
	return out
}

func position(p LatLng) [2]float64 { return [2]float64{round8(p.Lng), round8(p.Lat)} }

func round8(v float64) float64 { return math.Round(v*1e8)/1e8 + 0 } // + 0: no negative zero

type fenceCells struct {
	Edge   []string `json:"edge"`
	Inside []string `json:"inside"`
	Res    int      `json:"res"`
}

// fenceCells covers all levels together: inside on any level is inside.
func (x *Index) fenceCells(res int) (fenceCells, error) {
	all := map[uint64]class{}
	for _, l := range x.levels {
		c, err := newBuilder(&x.plane, l.near, nil).fill(res, l.shapes[0])
		if err != nil {
			return fenceCells{}, err
		}
		for cell, info := range c.cells {
			all[cell] = max(all[cell], c.infos[info].class)
		}
	}
	compact(all, res-fenceSpan)
	out := fenceCells{Res: res, Edge: []string{}, Inside: []string{}}
	for cell, c := range all {
		name := fmt.Sprintf("%x", cell)
		if c == insideCell {
			out.Inside = append(out.Inside, name)
		} else {
			out.Edge = append(out.Edge, name)
		}
	}
	slices.Sort(out.Edge)
	slices.Sort(out.Inside)
	return out, nil
}
