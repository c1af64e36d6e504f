// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// phoneFence is a phone's reading of the published form, written from its description alone.
type phoneFence struct {
	Store, Name, Version string
	Bearing              float64
	PerDegree            float64 `json:"per_degree"`
	Cells                *struct {
		Res          int
		Inside, Edge []string
	}
	Levels []struct {
		Ordinal  int
		Name     string
		Boundary [][][][2]float64
	}
	Zones []struct {
		ID, Name  string
		Level     int
		Sensitive bool
		Polygon   [][][][2]float64
	}
	Doors []struct {
		Name  string
		Level int
		At    [2]float64
	}
}

// inside decides as a phone does: cell, parents, and the polygons at the edge (even-odd rule).
func (f *phoneFence) inside(p LatLng) bool {
	cell, _ := cellOf(p, f.Cells.Res)
	for r := f.Cells.Res; r >= f.Cells.Res-4; r-- {
		name := fmt.Sprintf("%x", parentOf(cell, r))
		for _, c := range f.Cells.Inside {
			if c == name {
				return true
			}
		}
		for _, c := range f.Cells.Edge {
			if c == name {
				return f.polygons(p)
			}
		}
	}
	return false
}

func (f *phoneFence) polygons(p LatLng) bool {
	for _, l := range f.Levels {
		odd := false
		for _, part := range l.Boundary {
			for _, ring := range part {
				for i := 1; i < len(ring); i++ {
					a, b := ring[i-1], ring[i]
					if (a[1] > p.Lat) != (b[1] > p.Lat) && p.Lng < (b[0]-a[0])*(p.Lat-a[1])/(b[1]-a[1])+a[0] {
						odd = !odd
					}
				}
			}
		}
		if odd {
			return true
		}
	}
	return false
}

func readFence(t *testing.T, x *Index) (phoneFence, []byte) {
	t.Helper()
	data, err := x.Fence()
	if err != nil {
		t.Fatal(err)
	}
	again, err := x.Fence()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("two fences of one map differ: %v", err)
	}
	var f phoneFence
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		t.Fatal(err)
	}
	for _, l := range f.Levels {
		f.addUp(l.Boundary)
	}
	if f.Store != x.site.ID || f.Version != x.site.Version || len(f.Levels) != len(x.site.Levels) {
		t.Errorf("fence of %q %q, %d levels", f.Store, f.Version, len(f.Levels))
	}
	return f, data
}

// addUp turns differences back into degrees.
func (f *phoneFence) addUp(m [][][][2]float64) {
	for _, part := range m {
		for _, ring := range part {
			for i := range ring {
				if f.PerDegree == 0 {
					return
				}
				if i > 0 {
					ring[i] = [2]float64{ring[i][0] + ring[i-1][0], ring[i][1] + ring[i-1][1]}
				}
			}
			for i, v := range ring {
				ring[i] = [2]float64{v[0] / f.PerDegree, v[1] / f.PerDegree}
			}
		}
	}
}

// realMaps are those of the data folder that are a whole site.
var realMaps = map[string]string{
	"xixi": "malls/hz-xixi-intime/floors/*.geojson", "caserne": "osm-indoor/caserne-de-bonne/floors/*.geojson",
	"westport": "wrld-westport-house/floors/*.geojson", "gare": "osm-indoor/gare-de-l-est/floors/*.geojson",
}

// Written in differences, a boundary is the same numbers as in degrees.
func TestDifferencesAddUp(t *testing.T) {
	for id, pattern := range realMaps {
		for _, l := range mustLoad(t, id, sources(t, pattern)...).Levels {
			text, err := json.Marshal(fenceForm{short: true}.coordinates(l.Boundary))
			if err != nil {
				t.Fatal(err)
			}
			f := phoneFence{PerDegree: perDegree}
			var short [][][][2]float64
			if err := json.Unmarshal(text, &short); err != nil {
				t.Fatal(err)
			}
			f.addUp(short)
			if long := coordinates(l.Boundary, inDegrees); !reflect.DeepEqual(short, long) {
				t.Errorf("%s, level %d: not the same", id, l.Ordinal)
			}
		}
	}
}

// A phone that holds the fence decides as the server does.
func TestFenceDecidesLikeTheServer(t *testing.T) {
	for id, pattern := range realMaps {
		t.Run(id, func(t *testing.T) {
			x := mustIndex(t, mustLoad(t, id, sources(t, pattern)...))
			f, data := readFence(t, x)
			if len(data) > fenceLimit {
				t.Errorf("%d bytes", len(data))
			}
			if f.Cells == nil || len(f.Cells.Inside) == 0 || len(f.Cells.Edge) == 0 {
				t.Fatal("no cells")
			}
			t.Logf("%d bytes, resolution %d, %d inside, %d edge, %d zones", len(data), f.Cells.Res, len(f.Cells.Inside), len(f.Cells.Edge), len(f.Zones))
			rng := rand.New(rand.NewPCG(7, 7))
			b := x.reach.grown(20)
			for range 4000 {
				p := x.plane.latLng(vec{b.lo.x + (b.hi.x-b.lo.x)*rng.Float64(), b.lo.y + (b.hi.y-b.lo.y)*rng.Float64()})
				at := x.Locate(p, 0, false)
				if one, many := f.inside(p), at.Inside; one != many && (at.DistM > 0.002 || at.DistM < -0.002) {
					t.Errorf("%v: the phone says inside %v, the server %v (%.3f m)", p, one, many, at.DistM)
				}
			}
		})
	}
}

// RFC 8785 knows no negative zero.
func TestNoNegativeZero(t *testing.T) {
	if p := position(LatLng{Lat: -1e-10, Lng: -1e-12}); math.Signbit(p[0]) || math.Signbit(p[1]) {
		t.Errorf("%v", p)
	}
}

func TestFenceOfASmallStoreHasZonesAndDoors(t *testing.T) {
	door := `{"type":"Feature","id":"d","properties":{"kind":"door","name":"East <b>"},"geometry":{"type":"Point","coordinates":[3.0015,54.0002]}}`
	zone := strings.Replace(area4("unit", "z", quarter), `"floor"`, `"sensitive":true,"name":"Fitting","floor"`, 1)
	x := mustIndex(t, mustLoad(t, "small", collection(boundary, zone, door)))
	f, data := readFence(t, x)
	if len(f.Zones) != 1 || !f.Zones[0].Sensitive || f.Zones[0].Name != "Fitting" || len(f.Doors) != 1 || f.Doors[0].At != [2]float64{3.0015, 54.0002} {
		t.Errorf("%+v", f)
	}
	if !bytes.HasPrefix(data, []byte(`{"bearing":`)) || !bytes.Contains(data, []byte("East <b>")) || bytes.ContainsAny(data, "\n ") && !bytes.Contains(data, []byte("Level 0")) {
		t.Errorf("not canonical: %s", data)
	}
}
