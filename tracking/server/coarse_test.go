// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// place reports the service desk, precisely or not.
func (s *handset) place(precise bool) {
	s.seq++
	at := s.h.index.Site().Frame().LatLng(0, 0)
	s.say(map[string]any{"type": "fix", "seq": s.seq, "t": time.Now().UnixMilli(), "lat": at.Lat, "lng": at.Lng,
		"accuracy_m": 5, "app_state": "foreground", "precise": precise})
}

// Whoever has approximate locations only is told at once, has ten seconds to allow precise ones, and is sent away then. What they asked
// for is not taken back: its location is off.
func TestApproximateLocationsOnly(t *testing.T) {
	for name, c := range map[string]struct {
		after   []time.Duration // of each approximate fix, since the one before
		precise int             // of these, one before this one; 0 for none
		code    int
	}{
		"for ten seconds":         {[]time.Duration{0, 5 * time.Second, 5 * time.Second}, 0, 0},
		"for longer":              {[]time.Duration{0, 5 * time.Second, 5*time.Second + time.Millisecond}, 0, 4505},
		"and a precise one again": {[]time.Duration{0, 9 * time.Second, 9 * time.Second}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				mei := h.atConsole("desk")
				s := h.granted("ana", 10*time.Minute).session()
				s.enter()
				help := uuid.NewString()
				s.say(map[string]any{"type": "help", "id": help, "topic": "size", "show_me": false})
				h.pass(time.Second)
				for i, wait := range c.after {
					if i > 0 && i == c.precise {
						s.place(true)
					}
					h.pass(wait)
					s.place(false)
				}
				h.pass(time.Second)
				told := 0
				for _, f := range s.got("error") {
					if f["code"] == "approximate" {
						told++
					}
				}
				h.want("told", told, len(c.after))
				code, _ := s.closed()
				h.want("closed", code, c.code)
				if code == 0 {
					return
				}
				states := s.got("state")
				end := states[len(states)-1]
				for member, want := range map[string]any{"state": "ended", "reason": "approximate", "code": 4505.0, "restart": "permission"} {
					h.want(member, end[member], want)
				}
				alerts := mei.got("alert")
				stands := alerts[len(alerts)-1]["alert"].(map[string]any)
				h.want("request", stands["id"], any(help))
				h.want("presence", stands["presence"], any("off"))
			})
		})
	}
}

// Fixes that come faster than min_ms again and again have the phone told to slow down, once in a spell; those that come in time, or nearly, have not.
func TestAHurriedPhoneIsSlowedDown(t *testing.T) {
	for every, most := range map[time.Duration]int{time.Second: 0, 700 * time.Millisecond: 0, 600 * time.Millisecond: 2} {
		t.Run(every.String(), func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				h.onDuty()
				s := h.granted("ana", 10*time.Minute).session()
				h.pass(time.Until(time.Now().Truncate(spell).Add(spell)))
				for end := time.Now().Add(2 * spell); time.Now().Before(end); h.pass(every) {
					s.place(true)
				}
				slowed := s.got("throttle")
				h.want("told", len(slowed), most)
				for _, f := range slowed {
					h.want("least between fixes", f["min_ms"], any(2000.0))
					h.want("for", f["for_ms"], any(60000.0))
				}
				if code, _ := s.closed(); code != 0 || !s.told("active") {
					h.Errorf("closed with %d, states %v", code, s.states())
				}
			})
		})
	}
}

const spell = 15 * time.Second
