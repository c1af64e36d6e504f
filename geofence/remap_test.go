// SPDX-License-Identifier: Apache-2.0

package geofence_test

import (
	"fmt"
	"testing"

	"doorstep/geofence"
)

// twoZones is a square of 60 m with zones in its halves, as a map names and marks them.
func twoZones(t *testing.T, west, east, props string) *geofence.Index {
	t.Helper()
	ring := func(a, b, c, d float64) string {
		return fmt.Sprintf("[[[%v,%v],[%v,%v],[%v,%v],[%v,%v],[%v,%v]]]", a, b, c, b, c, d, a, d, a, b)
	}
	const w = 0.0006
	data := fmt.Sprintf(`{"type":"FeatureCollection","store_id":"s","features":[
		{"type":"Feature","properties":{"kind":"boundary","floor":0},"geometry":{"type":"Polygon","coordinates":%s}},
		{"type":"Feature","id":%q,"properties":{"kind":"unit","floor":0%s},"geometry":{"type":"Polygon","coordinates":%s}},
		{"type":"Feature","id":%q,"properties":{"kind":"unit","floor":0},"geometry":{"type":"Polygon","coordinates":%s}}]}`,
		ring(0, 0, w, w), west, props, ring(0, 0, w/2, w), east, ring(w/2, 0, w, w))
	site, _, err := geofence.Load("s", geofence.Source{Name: "s.geojson", Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	x, err := geofence.NewIndex(site)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestRemap(t *testing.T) {
	rules := geofence.DefaultRules()
	old := twoZones(t, "shoes", "hats", "")
	at := geofence.LatLng{Lat: 0.0003, Lng: 0.00015} // in the western half
	var p geofence.Presence
	var out geofence.Outcome
	now := int64(1_000_000)
	step := func(x *geofence.Index, at geofence.LatLng) {
		now += 1000
		p, out = rules.Step(p, geofence.Fix{Seq: now, T: now, At: at, AccuracyM: 5, Precise: true}, x.Locate(at, 0, false), now)
	}
	for range 12 {
		step(old, at)
	}
	zones, n, certain := p.Zones()
	if n != 1 || !certain || zones[0].ID != "shoes" {
		t.Fatalf("not certain of the zone: %v %v", zones, certain)
	}

	next := twoZones(t, "shoes", "bags", `,"sensitive":true`)
	q, out := rules.Remap(p, next.Site(), now)
	zones, n, certain = q.Zones()
	if n != 1 || !certain || zones[0].ID != "shoes" || !zones[0].Sensitive || len(out.Transitions()) != 0 {
		t.Errorf("a zone that both maps have goes on as the new one draws it: %v %v, %v", zones, certain, out.Transitions())
	}
	if q.State != geofence.Inside || q.LeaseUntil() != p.LeaseUntil() {
		t.Errorf("the visit goes on: %+v", q)
	}

	gone := twoZones(t, "belts", "bags", "")
	q, out = rules.Remap(p, gone.Site(), now)
	if _, n, certain := q.Zones(); n != 0 || certain || len(out.Transitions()) != 1 || out.Transitions()[0].Kind != geofence.ZoneExit {
		t.Errorf("a zone that is no more is left: %d zones, %v", n, out.Transitions())
	}
}

// What was gathered against the old boundary counts for nothing against the new one.
func TestRemapForgetsTheEvidence(t *testing.T) {
	rules := geofence.DefaultRules()
	x := twoZones(t, "shoes", "hats", "")
	inside, outside := geofence.LatLng{Lat: 0.0003, Lng: 0.00015}, geofence.LatLng{Lat: 0.0003, Lng: -0.0003}
	for name, c := range map[string]struct {
		before []geofence.LatLng // fixes up to the change
		then   geofence.LatLng
		state  geofence.State // after one more fix, with a change of maps and without
		other  geofence.State
	}{
		"toward entering": {[]geofence.LatLng{inside}, inside, geofence.Entering, geofence.Inside},
		"toward resuming": {[]geofence.LatLng{inside, inside, outside, inside}, inside, geofence.Suspended, geofence.Inside},
		"toward an end":   {[]geofence.LatLng{inside, inside, outside, outside}, outside, geofence.Suspended, geofence.Ended},
	} {
		t.Run(name, func(t *testing.T) {
			for _, changed := range []bool{true, false} {
				var p geofence.Presence
				now := int64(1_000_000)
				step := func(at geofence.LatLng) {
					now += 4500 // the second is as far as a walk, the third comes before ten seconds
					p, _ = rules.Step(p, geofence.Fix{Seq: now, T: now, At: at, AccuracyM: 5, Precise: true}, x.Locate(at, 0, false), now)
				}
				for _, at := range c.before {
					step(at)
				}
				want := c.other
				if changed {
					p, _ = rules.Remap(p, x.Site(), now)
					want = c.state
				}
				step(c.then)
				if p.State != want {
					t.Errorf("changed over: %v: state %v, want %v", changed, p.State, want)
				}
			}
		})
	}
}
