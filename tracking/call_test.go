// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/tracking"
)

// Staff say that the desk is ready: the phone is told, whichever node it is at, once; staff see how whoever was called comes
// nearer; and nobody is called to where nobody looks.
func TestACall(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _ := seeing(h, false)
		b := h.start("b")
		_, err := h.db.KeepBookings(h.Context(), shop, []tracking.Booking{{Ref: "B1", Kind: "pickup", At: h.clock.Now(), Desk: "shoes"}}, "test")
		h.ok(err)
		s.v.at(desk())
		h.ok(s.v.Ask(h.Context(), tracking.Alert{ID: uuid.NewString(), Kind: tracking.Arrived, Topic: "pickup", Ref: "B1"}))
		arrived := h.ofKind(tracking.Arrived)[0]
		equal(h, "the booking", arrived.Booked.Case, tracking.OnTime)
		for desk, want := range map[string]error{"toilets": tracking.ErrNoDesk, "nowhere": tracking.ErrNoDesk} {
			if _, err := b.Call(h.Context(), shop, arrived.ID, desk, "k"); !errors.Is(err, want) {
				h.Fatalf("called to %s: %v", desk, err)
			}
		}
		if _, err := b.Call(h.Context(), shop, "another", "shoes", "k"); !errors.Is(err, tracking.ErrNoAlert) {
			h.Fatalf("somebody who is not there: %v", err)
		}
		call := must(b.Call(h.Context(), shop, arrived.ID, "", "k"))(h)
		equal(h, "the same call", must(s.n.Call(h.Context(), shop, arrived.ID, "", "k"))(h).ID, call.ID)
		equal(h, "to the booking's desk", call.Desk, "shoes")
		h.pass(time.Second)
		equal(h, "the phone is told", h.log.find(0, "phone", "call "+call.ID+" Shoes") >= 0, true)
		equal(h, "once", h.log.find(1+h.log.find(0, "phone", "call"), "phone", "call"), -1)
		s.v.stay(20 * time.Second)
		stands := ""
		for _, f := range s.mei.got("live") {
			if near, _ := f["at_desk"].(string); f["alert"] == call.ID && near != "" && near != stands {
				stands = near
			}
		}
		equal(h, "stands", stands, "at")
		s.v.stay(tracking.CallPatience - 30*time.Second)
		equal(h, "waits for them", h.alert(call.ID).State, tracking.Raised)
		s.v.stay(40 * time.Second)
		equal(h, "then", h.alert(call.ID).State, tracking.Escalated)
	})
}

// A phone that was away hears what it missed: how far help is, and the desk that is ready.
func TestAPhoneThatComesBackHearsWhatItMissed(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, false)
		s.v.Detach(s.v.phone)
		s.mei.claim(s.n, alert)
		call := must(s.n.Call(h.Context(), shop, alert, "shoes", "k"))(h)
		h.pass(time.Second)
		equal(h, "told while away", h.log.find(0, "phone", "help"), -1)
		back := &phone{log: h.log}
		h.ok(s.v.Attach(back))
		equal(h, "help", h.log.find(0, "phone", "help "+alert+" coming") >= 0, true)
		equal(h, "the desk", h.log.find(0, "phone", "call "+call.ID) >= 0, true)
	})
}
