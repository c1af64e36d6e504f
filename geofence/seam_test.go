// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"testing"

	"doorstep/mobile-sdk-spec/go/client"
)

// A store on the antimeridian, cut there as RFC 7946 §3.1.9 has it, or left whole: the same answers,
// and its middle is not at an edge. Phones decide alike.
func TestStoreOnTheSeam(t *testing.T) {
	cut := collection(`{"type":"Feature","id":"b","properties":{"kind":"boundary"},"geometry":{"type":"MultiPolygon","coordinates":[
		[[[179.9995,-17],[180,-17],[180,-16.9990],[179.9995,-16.9990],[179.9995,-17]]],
		[[[-180,-17],[-179.9995,-17],[-179.9995,-16.9995],[-180,-16.9995],[-180,-17]]]]}}`)
	whole := collection(area4("boundary", "b", `[[179.9995,-17],[-179.9995,-17],[-179.9995,-16.9995],[180,-16.9995],[180,-16.9990],[179.9995,-16.9990],[179.9995,-17]]`))
	a, b := mustIndex(t, mustLoad(t, "cut", cut)), mustIndex(t, mustLoad(t, "whole", whole))
	phones := map[*Index]*client.Fence{}
	for _, x := range []*Index{a, b} {
		data, err := x.Fence()
		if err != nil {
			t.Fatal(err)
		}
		if phones[x], err = client.ParseFence(data); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		p      LatLng
		inside bool
		dist   float64
	}{
		{LatLng{-16.99975, 180}, true, -27.7},
		{LatLng{-16.99975, -180}, true, -27.7},
		{LatLng{-16.99975, 179.99999}, true, -27.7},
		{LatLng{-16.9992, -180}, true, 0},
		{LatLng{-16.9992, 179.9999}, true, -10.65},
		{LatLng{-16.9992, -179.9999}, false, 10.65},
		{LatLng{-16.99975, -179.9994}, false, 10.65},
		{LatLng{-16.99975, 179.9994}, false, 10.65},
	} {
		for _, x := range []*Index{a, b} {
			at := x.Locate(c.p, 0, false)
			if at.Inside != c.inside || math.Abs(at.DistM-c.dist) > 0.2 {
				t.Errorf("%s %v: inside %v at %.2f m, want %v at %.2f", x.site.ID, c.p, at.Inside, at.DistM, c.inside, c.dist)
			}
			f := phones[x]
			if cell := f.Cell(mustCell(t, c.p, f.CellRes())); f.Inside(c.p.Lat, c.p.Lng, nil) != c.inside || cell != "edge" && (cell == "inside") != c.inside {
				t.Errorf("%s %v: the phone says %s by its cell, and is not inside %v", x.site.ID, c.p, cell, c.inside)
			}
		}
	}
}

// A wall on the antimeridian is at 180 and at -180 degrees.
func TestWallOnTheSeam(t *testing.T) {
	x := mustIndex(t, mustLoad(t, "east", collection(area4("boundary", "b", `[[179.999,-17],[180,-17],[180,-16.999],[179.999,-16.999],[179.999,-17]]`))))
	for lng, inside := range map[float64]bool{180: true, -180: true, 179.99999: true, -179.99999: false} {
		if at := x.Locate(LatLng{-16.9995, lng}, 0, true); at.Inside != inside || math.Abs(at.DistM) > 1.1 {
			t.Errorf("at %v: inside %v, %.2f m", lng, at.Inside, at.DistM)
		}
	}
}

// Should the fill ever miss a cell, its neighbours lead to it: from one cell at the edge all others
// at the edge are found.
func TestEdgeIsFoundFromOneCell(t *testing.T) {
	x := mustIndex(t, mustLoad(t, "small", collection(boundary)))
	l := &x.levels[0]
	full, err := newBuilder(&x.plane, l.near, nil).fill(x.res, l.shapes[0])
	if err != nil {
		t.Fatal(err)
	}
	b := newBuilder(&x.plane, l.near, nil)
	if _, err := b.fill(full.res); err != nil {
		t.Fatal(err)
	}
	b.push(mustCell(t, x.site.Levels[0].Boundary[0][0][0], full.res))
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	edges := 0
	for c, i := range full.cells {
		if full.infos[i].class != edgeCell {
			continue
		}
		edges++
		if j, ok := b.c.cells[c]; !ok || b.c.infos[j].class != edgeCell {
			t.Errorf("%x was not found", c)
		}
	}
	if edges < 50 {
		t.Fatalf("only %d cells at the edge", edges)
	}
}
