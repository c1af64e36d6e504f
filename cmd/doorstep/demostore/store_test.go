// SPDX-License-Identifier: Apache-2.0

package demostore

import (
	"testing"

	"doorstep/geofence"
	"doorstep/tracking/cards"
	"doorstep/tracking/rulebook"
)

func TestStoreIsFlawless(t *testing.T) {
	src, err := Sources()
	if err != nil {
		t.Fatal(err)
	}
	site, report, err := geofence.Load(ID, src...)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range report.Notes {
		t.Error(n)
	}
	if site.Name != "Harbour Street" || site.Bearing != 24 || len(site.Levels) != 2 || len(site.Doors) != 2 {
		t.Errorf("%q, bearing %v, %d levels, %d doors", site.Name, site.Bearing, len(site.Levels), len(site.Doors))
	}
}

// The cards are such as an administrator could set, in three languages, and about zones that there are.
func TestCardsAreFlawless(t *testing.T) {
	site, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cards.Read(text, rulebook.ZonesOf(site)); err != nil {
		t.Error(err)
	}
	langs := map[string]bool{}
	for _, c := range Cards(ID).Cards {
		langs[c.Lang] = true
	}
	if len(langs) != 4 || Cards("another") != nil {
		t.Errorf("cards in %v", langs)
	}
}

// Every zone is found where it is drawn, and the frame's axes are the building's.
func TestZonesAreWhereTheyAreDrawn(t *testing.T) {
	site, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	x, err := geofence.NewIndex(site)
	if err != nil {
		t.Fatal(err)
	}
	sensitive := 0
	for _, l := range site.Levels {
		if n := len(l.Zones); n < 10 {
			t.Errorf("level %d has %d zones", l.Ordinal, n)
		}
		for i := range l.Zones {
			z := &l.Zones[i]
			if z.Sensitive {
				sensitive++
			}
			at := x.Locate(middle(z.Shape[0][0]), l.Ordinal, true)
			if !at.Inside || at.N != 1 || at.Zones[0] != z {
				t.Errorf("%s: %+v", z.ID, at)
			}
			if z.HalfWidthM < 1.9 || z.AreaM2 < 15 {
				t.Errorf("%s is only %.1f m half wide, %.0f m²", z.ID, z.HalfWidthM, z.AreaM2)
			}
		}
	}
	if sensitive != 3 {
		t.Errorf("%d sensitive zones, want 3", sensitive)
	}
	var width, depth float64
	for _, p := range site.Levels[0].Boundary[0][0] {
		px, py := site.Frame().XY(p)
		width, depth = max(width, px), max(depth, py)
	}
	if width < 39 || width > 46 || depth < 24 || depth > 30 {
		t.Errorf("the frame does not lie along the walls: %.1f × %.1f", width, depth)
	}
}

// middle is the mean of the corners: inside for the shapes drawn here.
func middle(ring []geofence.LatLng) (m geofence.LatLng) {
	n := float64(len(ring) - 1)
	for _, p := range ring[1:] {
		m.Lat += p.Lat / n
		m.Lng += p.Lng / n
	}
	return m
}
