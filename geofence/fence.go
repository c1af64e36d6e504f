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
	perDegree   = 1e8      // coordinates are rounded to this part of a degree: a millimetre
)

// Fence is what phones fetch before any session, to start and stop by themselves: canonical JSON
// (RFC 8785), the same bytes for the same version, at most 64 KiB for any store that has fewer than
// some 6,000 corners in its boundaries.
//
//	{"bearing":24,
//	 "cells":{"res":13,"inside":["8d…",…],"edge":["8d…",…]},
//	 "doors":[{"name":"North door","level":0,"at":[lng,lat]}],
//	 "levels":[{"ordinal":0,"name":"Ground","boundary":[[[[lng,lat],…]]]}],
//	 "name":"Harbour Street","store":"doorstep-demo","version":"0123456789abcdef",
//	 "zones":[{"id":"shoes","name":"Shoes","level":0,"sensitive":true,"polygon":[[[[lng,lat],…]]]}]}
//
// Boundaries and zones are MultiPolygon coordinates, rounded to 8 decimals (a millimetre); "sensitive"
// is there only when true. Where that would be too long, "per_degree":100000000 says that they are whole
// numbers of that part of a degree, and that in each ring every corner but the first stands as its
// difference from the one before: a third of the length, and the same numbers once added up and divided.
//
// A phone turns a fix into its H3 cell at resolution "res" and looks for it, then for its parents (by
// H3 index arithmetic, not by converting the fix at a coarser resolution) up to four resolutions
// coarser. Found in "inside": in the store, on at least one level. In "edge": the boundaries decide, an
// edge counting as inside. In neither: outside. A phone without H3 uses the boundaries alone and gets
// the same answer.
//
// What does not fit is left out, in this order: "zones"; then cells get coarser; then "cells".
func (x *Index) Fence() ([]byte, error) {
	for res := x.pickRes(fenceBudget); res >= coarsestRes; res-- {
		cells, err := x.fenceCells(res)
		if errors.Is(err, errTooManyCells) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range []fenceForm{{zones: true}, {zones: true, short: true}, {}, {short: true}} {
			doc := x.fenceDoc(f)
			doc["cells"] = cells
			data, err := encodeCanonical(doc)
			if err != nil || len(data) <= fenceLimit {
				return data, err
			}
		}
	}
	return encodeCanonical(x.fenceDoc(fenceForm{short: true}))
}

// fenceForm is how much a fence says, and how.
type fenceForm struct {
	zones bool
	short bool // differences in whole numbers instead of degrees
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

func (x *Index) fenceDoc(form fenceForm) map[string]any {
	s := x.site
	doc := map[string]any{"store": s.ID, "name": s.Name, "version": s.Version, "bearing": s.Bearing}
	levels, doors, zones := []any{}, []any{}, []any{}
	for _, l := range s.Levels {
		levels = append(levels, map[string]any{"ordinal": l.Ordinal, "name": l.Name, "boundary": form.coordinates(l.Boundary)})
		for _, z := range l.Zones {
			m := map[string]any{"id": z.ID, "name": z.Name, "level": z.Level, "polygon": form.coordinates(z.Shape)}
			if z.Sensitive {
				m["sensitive"] = true
			}
			zones = append(zones, m)
		}
	}
	for _, d := range s.Doors {
		doors = append(doors, map[string]any{"name": d.Name, "level": d.Level, "at": position(d.At)})
	}
	doc["levels"], doc["doors"] = levels, doors
	if form.zones {
		doc["zones"] = zones
	}
	if form.short {
		doc["per_degree"] = int64(perDegree)
	}
	return doc
}

func (f fenceForm) coordinates(m MultiPolygon) any {
	if f.short {
		return coordinates(m, inDifferences)
	}
	return coordinates(m, inDegrees)
}

func coordinates[N any](m MultiPolygon, ring func([]LatLng) [][2]N) [][][][2]N {
	out := make([][][][2]N, len(m))
	for i, part := range m {
		for _, r := range part {
			out[i] = append(out[i], ring(r))
		}
	}
	return out
}

func inDegrees(ring []LatLng) [][2]float64 {
	out := make([][2]float64, len(ring))
	for i, p := range ring {
		out[i] = position(p)
	}
	return out
}

func inDifferences(ring []LatLng) [][2]int64 {
	out := make([][2]int64, len(ring))
	var before [2]int64
	for i, p := range ring {
		at := [2]int64{int64(math.Round(p.Lng * perDegree)), int64(math.Round(p.Lat * perDegree))}
		out[i] = [2]int64{at[0] - before[0], at[1] - before[1]}
		before = at
	}
	return out
}

func position(p LatLng) [2]float64 { return [2]float64{round8(p.Lng), round8(p.Lat)} }

func round8(v float64) float64 { return math.Round(v*perDegree)/perDegree + 0 } // + 0: no negative zero

type fenceCells struct {
	Edge   []string `json:"edge"`
	Inside []string `json:"inside"`
	Res    int      `json:"res"`
}

// fenceCells covers all levels together: inside on any level is inside.
func (x *Index) fenceCells(res int) (fenceCells, error) {
	all, shared := map[uint64]class{}, x.discs()
	for _, l := range x.levels {
		b := newBuilder(&x.plane, l.near, nil)
		b.discs = shared
		c, err := b.fill(res, l.shapes[0])
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
