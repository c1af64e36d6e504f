// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"doorstep/tracking"
)

// A store is on duty for a moment after its last console, so that a page can be loaded anew, and no longer.
func TestDutyEndsSoonAfterTheLastConsole(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		ana := h.shopper("ana", "assist")
		mei, kim := h.join(n, shop, "mei"), h.join(n, shop, "kim")
		open := func(when string, want error) {
			h.Helper()
			if err := n.MayOpen(h.Context(), ana.opening()); !errors.Is(err, want) {
				t.Fatalf("%s: %v, want %v", when, err, want)
			}
		}
		mei.leave()
		h.pass(2 * tracking.DutyGrace)
		open("one of two has left", nil)
		kim.leave()
		h.pass(tracking.DutyGrace - time.Second)
		open("within the grace", nil)
		lou := h.join(n, shop, "lou")
		h.pass(2 * tracking.DutyGrace)
		open("somebody came in time", nil)
		lou.leave()
		h.pass(tracking.DutyGrace + time.Second)
		open("after the grace", tracking.ErrNobodyOnDuty)
	})
}

// Whoever is there for a purpose is there for no other: nobody is tracked for what nobody is there for, and each purpose is
// off duty once the last of its own has left.
func TestDutyIsForAPurpose(t *testing.T) {
	inBubble(t, func(h *house) {
		n, other := h.start("a"), h.start("b")
		ana := h.shopper("ana", "assist", "pickup", "pocket")
		open := func(when, want string) {
			h.Helper()
			got := ""
			for _, list := range []string{"assist", "pickup", "assist pickup", "assist pocket"} {
				o := ana.opening()
				o.Purposes = strings.Fields(list)
				err := n.MayOpen(h.Context(), o)
				if err == nil {
					got += list + "; "
				} else if !errors.Is(err, tracking.ErrNobodyOnDuty) {
					t.Fatalf("%s: %s: %v", when, list, err)
				}
			}
			if got != want {
				t.Errorf("%s: %q may open, want %q", when, got, want)
			}
		}
		open("nobody is there", "")
		counter := h.join(n, shop, "kim", "pickup")
		open("at the counter", "pickup; ")
		floor := h.join(other, shop, "mei", "assist")
		open("one for each, at two nodes", "assist; pickup; assist pickup; assist pocket; ")
		counter.leave()
		h.pass(2 * tracking.DutyGrace)
		open("nobody is at the counter any more", "assist; assist pocket; ")
		h.join(n, shop, "lou")
		floor.leave()
		h.pass(2 * tracking.DutyGrace)
		open("somebody for everything", "assist; pickup; assist pickup; assist pocket; ")
		h.pass(5 * time.Minute)
		open("and stays", "assist; pickup; assist pickup; assist pocket; ")
	})
}

// The end of duty waits behind other work until somebody is back: then it is not recorded any more.
func TestDutyThatEndsLateDoesNotEndThatOfWhoeverCameBack(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		visitors, _ := crowd(h, s.n)
		release := s.n.ledger.block("end")
		h.Cleanup(release)
		for _, v := range visitors {
			v.Bye()
		}
		h.pass(time.Second)
		s.mei.leave()
		h.pass(time.Second)
		h.join(s.n, shop, "mei")
		release()
		h.pass(tracking.DutyGrace)
		h.ok(s.n.MayOpen(h.Context(), s.ana.opening()))
	})
}
