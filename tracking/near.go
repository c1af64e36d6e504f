// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"math"

	"doorstep/consent"
	"doorstep/geofence"
)

// nearDesk is how close somebody is, in metres, who is told of as near a desk.
const nearDesk = 15

// How somebody who was called stands to the desk.
const (
	atDesk   = "at"
	nearThat = "near"
)

// nearness is how whoever was called stands to the desk. It says where they are, so it takes what a zone takes.
func (d *desk) nearness(a *shownAlert, p Position) string {
	if a.Kind != Called || !d.node.Ledger.Declares(a.Purpose, consent.ZoneData) {
		return ""
	}
	return d.approach(a.Desk, p)
}

// approach says whether a position is at or near a desk; empty if neither, or not certain enough to say.
func (d *desk) approach(to string, p Position) string {
	z := d.zones[to]
	switch {
	case z == nil || p.HasLevel && p.Level != z.Level:
		return ""
	case p.Zone == to && !p.Likely:
		return atDesk
	case p.Zone == to || distanceTo(d.frame, z.Shape, geofence.LatLng{Lat: p.Lat, Lng: p.Lng}) <= nearDesk:
		return nearThat
	}
	return ""
}

// distanceTo is how far a place is from the outline of a shape, in metres.
func distanceTo(f geofence.Frame, shape geofence.MultiPolygon, at geofence.LatLng) float64 {
	x, y := f.XY(at)
	least := math.Inf(1)
	for _, part := range shape {
		for _, ring := range part {
			for i := range ring {
				ax, ay := f.XY(ring[i])
				bx, by := f.XY(ring[(i+1)%len(ring)])
				least = min(least, fromSegment(x-ax, y-ay, bx-ax, by-ay))
			}
		}
	}
	return least
}

// fromSegment is the distance of a point from the segment that leads from the origin to (bx, by).
func fromSegment(x, y, bx, by float64) float64 {
	along := 0.0
	if length := bx*bx + by*by; length > 0 {
		along = min(1, max(0, (x*bx+y*by)/length))
	}
	return math.Hypot(x-along*bx, y-along*by)
}
