// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/geofence"
	"doorstep/tracking"
)

// fittingRoom is a place in one, on the first floor; below it is a shop floor.
var fittingRoom = geofence.LatLng{Lat: 53.999747, Lng: 2.999801}

// onLevel reports a good fix on a level, or on none that is known.
func (v *visitor) onLevel(p geofence.LatLng, level int, known bool) tracking.FixResult {
	v.seq++
	return v.Fix(geofence.Fix{Seq: v.seq, T: v.h.clock.Now().UnixMilli(), At: p, AccuracyM: 5, Level: level, HasLevel: known, Precise: true})
}

// Staff do not see into a fitting room: no dot, no zone, and no name on the map, while the visit goes on. Where the
// level is not known, one on any level counts.
func TestNobodyIsSeenInASensitiveZone(t *testing.T) {
	for _, c := range []struct {
		level int
		known bool
		seen  bool
	}{{1, true, false}, {0, false, false}, {0, true, true}} {
		t.Run(fmt.Sprintf("level %d, known: %t", c.level, c.known), func(t *testing.T) {
			inBubble(t, func(h *house) {
				s := newScene(h)
				h.pass(5 * time.Second)
				from, before := len(h.log.all()), len(s.n.live.writes(s.v.hid))
				for range 3 {
					if r := s.v.onLevel(fittingRoom, c.level, c.known); !r.Accepted {
						h.Fatalf("not accepted: %+v", r)
					}
					h.pass(2 * time.Second)
				}
				for _, w := range s.n.live.writes(s.v.hid)[before:] {
					if seen := len(w.Payload) > 0; seen != c.seen {
						h.Fatalf("written: %s", w.Payload)
					}
				}
				equal(h, "positions and zones on screen", shownSince(h, from, s.mei, s.alert) > 0, c.seen)
				equal(h, "on screen", lastPresence(s.mei, s.alert) == "visible", c.seen)
				h.pass(5 * time.Second)
				s.v.at(desk())
				h.pass(2 * time.Second)
				equal(h, "outside of it", lastPresence(s.mei, s.alert), "visible")
			})
		})
	}
}

// What a shopper wants before being inside is kept, the last few of it: an app cannot fill the memory from the
// pavement.
func TestCheckInsThatWaitAreFew(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		v := h.shopper("ana", "assist").open(n)
		for i := range 3 * tracking.MaxCheckins {
			h.ok(v.Ask(h.Context(), tracking.Alert{ID: uuid.NewString(), Kind: tracking.Arrived, Topic: fmt.Sprint("topic ", i)}))
		}
		v.at(desk())
		h.pass(time.Second)
		v.at(desk())
		h.pass(time.Second)
		list, _, err := h.db.Alerts(h.Context(), shop)
		h.ok(err)
		if len(list) == 0 || len(list) > tracking.MaxCheckins {
			h.Fatalf("%d alerts were raised", len(list))
		}
	})
}

// Staff are told of a zone only what the notice of the alert's purpose tells the shopper.
func TestNoZoneThatIsNotDeclared(t *testing.T) {
	for _, purpose := range []string{"assist", "undeclared"} {
		inBubble(t, func(h *house) {
			n := h.start("a")
			mei := h.join(n, shop, "mei")
			v := h.shopper("ana", "assist").enter(n)
			a := must(n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: v.hid, Kind: tracking.Help, Purpose: purpose}))(h)
			for range 4 {
				v.onLevel(desk(), 0, true)
				h.pass(time.Second)
			}
			zones := 0
			for _, f := range mei.got("live") {
				if f["alert"] == a.ID && f["zone"] != nil {
					zones++
				}
			}
			equal(h, "told of a zone for "+purpose, zones > 0, purpose == "assist")
			equal(h, "presence", lastPresence(mei, a.ID), "visible")
		})
	}
}
