// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"testing"
	"time"

	"doorstep/geofence"
	"doorstep/tracking"
)

// ruled sets the store's rules about alerts and waits until every node has them.
func (h *house) ruled(rules string) {
	h.Helper()
	h.ok(h.db.SetRules(h.Context(), shop, rules, "test"))
	h.pass(2 * tracking.PollEvery)
}

// stay keeps a visitor among the shoes, a zone that is wide enough for a phone to be certain of.
func (v *visitor) stay(d time.Duration) {
	at := among("shoes")
	for end := v.h.clock.Boot() + d; v.h.clock.Boot() < end; v.h.pass(5 * time.Second) {
		v.at(at)
	}
}

// among is the place in a zone of the ground floor that is farthest from its neighbours, as far as a coarse search finds it.
func among(zone string) (best geofence.LatLng) {
	x, most := indexes()[0], 0
	for i := -40.0; i <= 40; i++ {
		for j := -40.0; j <= 40; j++ {
			if n := roomAt(x, zone, i, j); n > most {
				best, most = frame().LatLng(i, j), n
			}
		}
	}
	return best
}

// roomAt is how many metres around a place are in the zone too.
func roomAt(x *geofence.Index, zone string, i, j float64) int {
	for r := range 10 {
		for _, step := range [][2]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
			at := x.Locate(frame().LatLng(i+step[0]*float64(r), j+step[1]*float64(r)), 0, true)
			if at.N == 0 || at.Zones[0].ID != zone {
				return r
			}
		}
	}
	return 10
}

// A rule raises one alert when its time has come, and not again in the same visit, though somebody settles it.
func TestARuleRaisesOnce(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _ := seeing(h, false)
		h.ruled(`{"rules":[{"id":"long","name":"Long among the shoes","zone":"shoes","dwell":"2m","purpose":"assist","escalate_after":"10m","tell":{"teams":["Tills"]},"priority":"low"}]}`)
		s.v.stay(time.Minute)
		equal(h, "before its time", len(h.ofKind(tracking.Rule)), 0)
		s.v.stay(time.Minute + 20*time.Second)
		raised := h.ofKind(tracking.Rule)
		equal(h, "raised", len(raised), 1)
		a := raised[0]
		equal(h, "patience", a.Patience, 10*time.Minute)
		frames := s.mei.about(a.ID)
		if len(frames) == 0 {
			h.Fatal("the console was not told")
		}
		first := frames[0]["alert"].(map[string]any)
		if _, says := first["topic"]; says || first["quiet"] != true || first["priority"] != "low" {
			h.Fatalf("told of it: %v", first)
		}
		s.mei.claim(s.n, a.ID)
		_, err := s.n.Act(h.Context(), shop, a.ID, tracking.Change{Action: tracking.Resolve, By: tracking.Actor{Shift: "mei"}})
		h.ok(err)
		s.v.stay(3 * time.Minute)
		equal(h, "raised again", len(h.ofKind(tracking.Rule)), 0)
	})
}

// ofKind are the open alerts of a kind.
func (h *house) ofKind(kind tracking.AlertKind) (list []tracking.Alert) {
	h.Helper()
	all, _, err := h.db.Alerts(h.Context(), shop)
	h.ok(err)
	for _, a := range all {
		if a.Kind == kind && !a.Final() {
			list = append(list, a)
		}
	}
	return list
}

// A rule is for those who agreed to its purpose.
func TestARuleLooksAtItsPurposeOnly(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _ := seeing(h, false)
		h.ruled(`{"rules":[{"id":"long","name":"Long","zone":"shoes","dwell":"10s","purpose":"pickup"}]}`)
		s.v.stay(time.Minute)
		equal(h, "raised", len(h.ofKind(tracking.Rule)), 0)
	})
}

// Who has checked in and waits too long is told of once, by whichever node; and not while somebody is with them.
func TestWaitingSinceCheckIn(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _ := seeing(h, false)
		h.start("b")
		h.ruled(`{"waiting":{"after_checkin":"3m","tell":{"roles":["lead"]}}}`)
		arrive := func(topic string) tracking.Alert {
			return must(s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: s.v.hid, Kind: tracking.Arrived, Topic: topic, Purpose: "assist"}))(h)
		}
		first := arrive("pickup")
		s.mei.claim(s.n, first.ID)
		s.v.stay(4 * time.Minute)
		equal(h, "while somebody has it", len(h.ofKind(tracking.Waiting)), 0)
		_, err := s.n.Act(h.Context(), shop, first.ID, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}})
		h.ok(err)
		s.v.stay(20 * time.Second)
		equal(h, "after that", len(h.ofKind(tracking.Waiting)), 1)
		waiting := h.ofKind(tracking.Waiting)[0]
		equal(h, "about the visit", waiting.Visit, s.v.hid)
		s.v.stay(time.Minute)
		equal(h, "once", len(h.ofKind(tracking.Waiting)), 1)
		last := s.mei.got("alert")
		for _, f := range last {
			if a := f["alert"].(map[string]any); a["id"] == waiting.ID && a["state"] == "raised" && a["quiet"] != true {
				h.Fatalf("an advisor is told of what is for leads: %v", a)
			}
		}
	})
}

// Once it has escalated, everybody is told.
func TestAnEscalatedAlertIsForEverybody(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _ := seeing(h, false)
		h.ruled(`{"routes":[{"kind":"help","tell":{"teams":["Nobody"]},"escalate_after":"30s"}]}`)
		a := must(s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: s.v.hid, Kind: tracking.Help, Topic: "size", Purpose: "assist"}))(h)
		s.v.stay(40 * time.Second)
		quiet := map[string]any{}
		for _, f := range s.mei.got("alert") {
			if is := f["alert"].(map[string]any); is["id"] == a.ID {
				quiet[is["state"].(string)] = is["quiet"]
			}
		}
		equal(h, "raised", quiet["raised"] == true, true)
		if q, there := quiet["escalated"]; !there || q != nil {
			h.Fatalf("escalated: %v", quiet)
		}
	})
}

// A priority that follows from where somebody is comes with the place: the alert's own frame is older than that.
func TestThePriorityOfAPlaceComesWithIt(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _ := seeing(h, false)
		h.ruled(`{"routes":[{"kind":"help","zone":"shoes","priority":"high"}]}`)
		a := must(s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: s.v.hid, Kind: tracking.Help, Topic: "size", Purpose: "assist"}))(h)
		s.v.stay(20 * time.Second)
		told := any(nil)
		for _, f := range s.mei.got("live") {
			if f["alert"] == a.ID {
				told = f["priority"]
			}
		}
		equal(h, "priority", told, any("high"))
	})
}
