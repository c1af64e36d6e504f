// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// damage is what a drawing loses on its way through other programs, and the word by which its mending is
// told.
var damage = []struct {
	name, told string
	do         func(t *rapid.T, ring []any) []any
}{
	{"another start", "", func(t *rapid.T, ring []any) []any {
		i := rapid.IntRange(0, len(ring)-2).Draw(t, "start")
		open := ring[:len(ring)-1]
		out := append(slices.Clone(open[i:]), open[:i]...)
		return append(out, out[0])
	}},
	{"turned", "wrong way round", func(_ *rapid.T, ring []any) []any { slices.Reverse(ring); return ring }},
	{"repeated", "repeated points", func(t *rapid.T, ring []any) []any {
		i := rapid.IntRange(1, len(ring)-2).Draw(t, "at")
		return slices.Insert(ring, i, ring[i])
	}},
	{"heights", "", func(_ *rapid.T, ring []any) []any {
		for i, p := range ring {
			ring[i] = append(slices.Clone(p.([]any)), 12.5)
		}
		return ring
	}},
	{"counted on", "beyond 180 degrees", func(_ *rapid.T, ring []any) []any {
		for i, p := range ring {
			q := slices.Clone(p.([]any))
			if q[0].(float64) < 0 {
				q[0] = q[0].(float64) + 360
			}
			ring[i] = q
		}
		return ring
	}},
	{"open", "not closed", func(_ *rapid.T, ring []any) []any { return ring[:len(ring)-1] }},
}

// A drawing that was damaged and mended has the same area and the same points inside as the sound one,
// and each mend is told; what is not damaged is not remarked upon.
func TestMendingKeepsTheArea(t *testing.T) {
	mended := 0
	rapid.Check(t, func(t *rapid.T) {
		m := anyBoundary(t)
		sound, report, err := Load("sound", asMap(t, positions(m)))
		if err != nil {
			t.Skip("not a drawing that anybody would make: " + err.Error())
		}
		if len(report.Notes) > 0 && !strings.Contains(report.Notes[0].Text, "wrong way round") {
			t.Fatalf("nothing was damaged: %v", report.Notes)
		}
		broken, want := positions(m), map[string]bool{}
		for _, d := range damage {
			if !rapid.Bool().Draw(t, d.name) {
				continue
			}
			part := rapid.IntRange(0, len(broken)-1).Draw(t, "part")
			ring := rapid.IntRange(0, len(broken[part].([]any))-1).Draw(t, "ring")
			rings := broken[part].([]any)
			before := fmt.Sprint(rings[ring])
			rings[ring] = d.do(t, slices.Clone(rings[ring].([]any)))
			if d.told != "" && fmt.Sprint(rings[ring]) != before {
				want[d.told] = true
			}
		}
		whole, report, err := Load("broken", asMap(t, broken))
		if err != nil {
			t.Fatalf("%v, and is not mended: %v", want, err)
		}
		if a, b := siteArea(sound), siteArea(whole); math.Abs(a-b) > 1e-6*math.Max(1, a) {
			t.Fatalf("%v changed %v m² to %v", want, a, b)
		}
		pl := newPlane(sound)
		was, is := newArea(&pl, sound.Levels[0].Boundary), newArea(&pl, whole.Levels[0].Boundary)
		for range 20 {
			p := pl.latLng(vec{rapid.Float64Range(was.box.lo.x, was.box.hi.x).Draw(t, "x"), rapid.Float64Range(was.box.lo.y, was.box.hi.y).Draw(t, "y")})
			if was.contains(p) != is.contains(p) && was.edgeDist(pl.xy(p)) > noticeM {
				t.Fatalf("%v: inside %v was %v", p, is.contains(p), was.contains(p))
			}
		}
		for told := range want {
			mended++
			if told != "wrong way round" && !strings.Contains(fmt.Sprint(report.Notes), told) {
				t.Fatalf("%s was mended without a word: %v", told, report.Notes)
			}
		}
	})
	if mended == 0 {
		t.Fatal("nothing was mended")
	}
}

func positions(m MultiPolygon) (out []any) {
	for _, part := range m {
		var rings []any
		for _, ring := range part {
			var list []any
			for _, p := range ring {
				list = append(list, []any{p.Lng, p.Lat})
			}
			rings = append(rings, list)
		}
		out = append(out, rings)
	}
	return out
}

func asMap(t *rapid.T, coordinates []any) Source {
	g, err := json.Marshal(map[string]any{"type": "MultiPolygon", "coordinates": coordinates})
	if err != nil {
		t.Fatal(err)
	}
	return asBoundary("m.geojson", g)
}
