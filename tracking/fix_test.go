// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking"
)

func position(h *house, payload []byte) tracking.Position {
	h.Helper()
	p, ok := tracking.DecodePosition(payload)
	equal(h, "a position", ok, true)
	return p
}

func TestAnAcceptedFixIsWrittenOnce(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		v := h.shopper("ana", "assist").enter(n)
		list := n.live.writes(v.hid)
		equal(h, "writes", len(list), 1)
		equal(h, "written", n.Stats.Written.Load(), 1)
		p := position(h, v.payload())
		if d := p.Lat - desk().Lat; d > 1e-6 || d < -1e-6 || !p.HasLevel {
			t.Fatalf("another position was written than was reported: %+v", p)
		}
		h.pass(5 * time.Second)
		equal(h, "writes, without a new fix", len(n.live.writes(v.hid)), 1)
	})
}

// While a batch is under way, newer positions take the place of those that wait.
func TestTheNewestPositionOfABatchWins(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		ana, ben := h.shopper("ana", "assist").enter(n), h.shopper("ben", "assist").enter(n)
		h.pass(time.Second)
		release := n.live.block("write")
		ana.at(frame().LatLng(0.5, 0))
		h.pass(2 * tracking.FlushEvery) // this one is on its way
		for i := range 5 {
			h.pass(100 * time.Millisecond)
			ana.at(frame().LatLng(1+float64(i)/10, 0))
			ben.at(frame().LatLng(2+float64(i)/10, 0))
		}
		equal(h, "one batch of a store under way", len(n.live.writes(ana.hid)), 2)
		release()
		h.pass(2 * tracking.FlushEvery)
		equal(h, "writes of the one", len(n.live.writes(ana.hid)), 3)
		equal(h, "writes of the other", len(n.live.writes(ben.hid)), 2)
		x, _ := frame().XY(latLng(position(h, ana.payload())))
		if x < 1.39 || x > 1.41 {
			t.Fatalf("the newest position is at %.2f", x)
		}
	})
}

func latLng(p tracking.Position) geofence.LatLng { return geofence.LatLng{Lat: p.Lat, Lng: p.Lng} }

// Whatever a phone reports, no position is written that does not lie inside.
func TestNothingOutsideIsEverWritten(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		walks := 0
		accepted := 0
		rapid.Check(t, func(rt *rapid.T) {
			walks++
			p := &phone{log: h.log}
			s, err := n.Open(h.Context(), h.shopper(fmt.Sprint("walker ", walks), "assist").opening(), p)
			h.ok(err)
			v := &visitor{Session: s, h: h, n: n, phone: p, hid: s.Visit()}
			x, y := rapid.Float64Range(-20, 20).Draw(rt, "x"), rapid.Float64Range(-10, 10).Draw(rt, "y")
			for range rapid.IntRange(2, 25).Draw(rt, "steps") {
				x += rapid.Float64Range(-8, 10).Draw(rt, "dx")
				y += rapid.Float64Range(-6, 6).Draw(rt, "dy")
				v.seq++
				r := v.Fix(geofence.Fix{Seq: v.seq, T: h.clock.Now().UnixMilli(), At: frame().LatLng(x, y),
					AccuracyM: rapid.Float64Range(0, 60).Draw(rt, "accuracy"), HasLevel: true,
					Level: rapid.IntRange(0, 1).Draw(rt, "level"), Precise: rapid.IntRange(0, 9).Draw(rt, "precise") > 0})
				if r.Accepted {
					accepted++
				}
				if !inside(v.Map(), frame().LatLng(x, y)) && r.Accepted {
					rt.Fatalf("a fix outside was accepted: %+v", r)
				}
				h.pass(time.Duration(rapid.IntRange(200, 2000).Draw(rt, "ms")) * time.Millisecond)
			}
			for _, w := range n.live.writes(v.hid) {
				if len(w.Payload) > 0 && !inside(v.Map(), latLng(position(h, w.Payload))) {
					rt.Fatalf("a position outside was sent on: %s", w.Payload)
				}
			}
			v.Bye()
			h.pass(100 * time.Millisecond)
		})
		if accepted < walks {
			t.Fatalf("only %d positions accepted in %d walks: nothing was tried", accepted, walks)
		}
	})
}

// inside asks every level, with what rounding to 1 cm may do to a point on the wall.
func inside(x *geofence.Index, p geofence.LatLng) bool {
	for _, l := range x.Site().Levels {
		if at := x.Locate(p, l.Ordinal, true); at.Inside || at.DistM < 0.02 {
			return true
		}
	}
	return false
}

func TestWithoutALeaseNothingIsAccepted(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		v := h.shopper("ana", "assist").enter(n)
		n.ledger.fail("poll")
		h.pass(tracking.LeaseTime + tracking.FlushEvery)
		before := len(n.live.writes(v.hid))
		r := v.at(desk())
		equal(h, "refused", r.Refused, tracking.RefusedUnavailable)
		equal(h, "accepted", r.Accepted, false)
		h.pass(time.Second)
		equal(h, "writes", len(n.live.writes(v.hid)), before)
		n.ledger.around("poll", nil)
		h.pass(tracking.PollEvery)
		equal(h, "accepted again", v.at(desk()).Accepted, true)
	})
}

// No position is stored for longer than a position lives, whatever the fix says of its time or the wall clock
// does between accepting and writing.
func TestNoPositionOutlivesItsLife(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		v := h.shopper("ana", "assist").enter(n)
		h.pass(time.Second)
		before := len(n.live.writes(v.hid))
		equal(h, "accepted", v.at(desk()).Accepted, true)
		h.clock.skew.Store(int64(-time.Hour))
		h.pass(2 * tracking.FlushEvery)
		list := n.live.writes(v.hid)[before:]
		equal(h, "writes", len(list), 1)
		equal(h, "for", list[0].TTL, tracking.PositionLife)
	})
}

// A fix that was accepted in the last moment of a lease is not written after it.
func TestALeaseThatRunsOutBeforeTheFlush(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		v := h.shopper("ana", "assist").enter(n)
		unstored := n.Stats.Unstored.Load()
		n.live.around("write", func(next func() error) error {
			if !n.Serving() {
				t.Error("a write was tried without a lease")
			}
			return next()
		})
		n.ledger.fail("poll")
		for n.Serving() {
			v.at(desk())
			h.pass(time.Millisecond)
		}
		h.pass(time.Second)
		if n.Stats.Unstored.Load() == unstored {
			t.Fatal("nothing was waiting to be written: the moment was not hit")
		}
	})
}

// The first credible fix outside blanks the position at once, not with the next flush.
func TestSuspensionBlanksAtOnce(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		mei := h.join(n, shop, "mei")
		v := h.shopper("ana", "assist").enter(n)
		alert := v.help()
		h.pass(15 * time.Second)
		v.at(frame().LatLng(30, 0))
		h.pass(100 * time.Millisecond)
		at := h.clock.Boot()
		r := v.at(away(25))
		h.until("blanked", func() bool { return v.payload() == nil })
		if took := h.clock.Boot() - at; took > 10*time.Millisecond {
			t.Fatalf("blanked after %v", took)
		}
		h.pass(time.Millisecond) // the console's turn
		equal(h, "refused", r.Refused == "" || r.Accepted, false)
		list := n.live.writes(v.hid)
		equal(h, "the last write blanks", len(list[len(list)-1].Payload), 0)
		equal(h, "told", v.phone.states[len(v.phone.states)-1], tracking.StateSuspended)
		equal(h, "hidden at the console", lastPresence(mei, alert), "hidden")
	})
}

// lastPresence is what a screen shows of an alert, by all that it was sent.
func lastPresence(s *screen, alert string) string {
	last := ""
	for _, f := range s.about(alert) {
		switch f["type"] {
		case "presence":
			last = f["presence"].(string)
		case "alert":
			last = f["alert"].(map[string]any)["presence"].(string)
		case "snapshot":
			for _, a := range f["alerts"].([]any) {
				if a := a.(map[string]any); a["id"] == alert {
					last = a["presence"].(string)
				}
			}
		case "gone":
			last = "gone"
		}
	}
	return last
}

// A blanking that the live state did not take is repeated: an older position must not come back on screens.
func TestABlankingThatFailsIsRepeated(t *testing.T) {
	for _, how := range []string{"live state out of reach", "past its deadline", "no lease at the moment"} {
		t.Run(how, func(t *testing.T) {
			inBubble(t, func(h *house) {
				n := h.start("a")
				mei := h.join(n, shop, "mei")
				v := h.shopper("ana", "assist").enter(n)
				alert := v.help()
				h.pass(5 * time.Second)
				restore := func() { n.live.around("write", nil) }
				switch how {
				case "no lease at the moment":
					n.ledger.fail("poll")
					restore = func() { n.ledger.around("poll", nil) }
					for n.Serving() {
						h.pass(time.Millisecond)
					}
					v.Outside("out", v.seq+1)
				case "past its deadline":
					n.live.around("write", func(func() error) error { return errLate })
					v.at(away(10))
				default:
					n.live.fail("write")
					v.at(away(10))
				}
				equal(h, "suspended", v.phone.states[len(v.phone.states)-1], tracking.StateSuspended)
				h.pass(tracking.PollEvery)
				restore()
				h.pass(2 * time.Second)
				equal(h, "position", string(v.payload()), "")
				equal(h, "presence", lastPresence(mei, alert), "hidden")
			})
		})
	}
}

// A blanking that is still not stored when the suspension has run out is given up: the visit ends then.
func TestABlankingIsGivenUpWithTheVisit(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		v := h.shopper("ana", "assist").enter(n)
		n.live.fail("write")
		h.pass(1450 * time.Millisecond) // so that the sweep comes a while after the time is up
		v.Outside("out", v.seq+1)
		h.pass(12 * time.Second)
		for _, w := range n.live.writes(v.hid) {
			if w.TTL <= 0 || w.TTL > tracking.PositionLife {
				t.Fatalf("a write for %v", w.TTL)
			}
		}
		equal(h, "reason", v.phone.end(), consent.Reason(geofence.LeftStore))
		equal(h, "tombstone", v.tombstone(), true)
	})
}
