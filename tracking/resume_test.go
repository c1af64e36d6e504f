// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"slices"
	"testing"
	"time"

	"doorstep/tracking"
)

// back rejoins a person's console with a screen of its own.
func (h *house) back(n *node, name string, seen tracking.Seen) *screen {
	h.Helper()
	s := h.screen(name)
	var err error
	s.Console, s.leave, err = n.Rejoin(h.Context(), shop, tracking.Person{Actor: tracking.Actor{Shift: name, Tag: name}, Role: "advisor"}, s, seen)
	h.ok(err)
	h.Cleanup(s.leave)
	h.pass(time.Second)
	return s
}

// ids are those of a frame's alerts, with their states.
func ids(f map[string]any) (list []string) {
	for _, a := range f["alerts"].([]any) {
		a := a.(map[string]any)
		list = append(list, a["id"].(string)+" "+a["state"].(string))
	}
	slices.Sort(list)
	return list
}

// A console that comes back, to whichever node, is told what changed meanwhile and nothing else; of another epoch, or without one, it is
// told everything.
func TestAConsoleComesBack(t *testing.T) {
	inBubble(t, func(h *house) {
		s, still := seeing(h, false)
		b := h.start("b")
		raise := func(v *visitor, topic string) string {
			return must(s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: v.hid, Kind: tracking.Help, Topic: topic, Purpose: "assist"}))(h).ID
		}
		claimed := raise(s.v, "claimed")
		ben := h.shopper("ben", "assist").enter(s.n)
		goes := raise(ben, "goes")
		h.pass(time.Second)
		epoch := must(h.db.AlertEpoch(h.Context()))(h)
		_, offset, err := h.db.Alerts(h.Context(), shop)
		h.ok(err)
		kim := h.join(b, shop, "kim") // so that the desk is there when it comes back
		kim.claim(b, claimed)
		ben.Bye()
		fresh := raise(s.v, "fresh")
		s.v.stay(130 * time.Second) // and kim's desk has forgotten the one that is gone
		told := len(kim.got("alert"))
		mei := h.back(b, "mei again", tracking.Seen{Offset: offset, Epoch: epoch})
		equal(h, "snapshots", len(mei.got("snapshot")), 0)
		resumed := mei.got("resumed")
		equal(h, "resumed", len(resumed), 1)
		got := ids(resumed[0])
		for _, want := range []string{claimed + " claimed", goes + " gone"} {
			if !slices.Contains(got, want) {
				h.Errorf("%q is not in %v", want, got)
			}
		}
		equal(h, "of them", len(got), 4) // those, what is fresh, and what escalated meanwhile
		equal(h, "open", len(resumed[0]["open"].([]any)), 3)
		equal(h, "twice", len(mei.got("alert")), 0)
		equal(h, "kim is told nothing again", len(kim.got("alert")), told)

		_, offset, err = h.db.Alerts(h.Context(), shop)
		h.ok(err)
		again := h.back(b, "mei once more", tracking.Seen{Offset: offset, Epoch: epoch})
		resumed = again.got("resumed")
		equal(h, "nothing changed", len(resumed) == 1 && len(ids(resumed[0])) == 0, true)
		if len(again.got("live")) == 0 {
			h.Error("of what did not change, nothing is joined live")
		}
		for name, seen := range map[string]tracking.Seen{"another epoch": {Offset: offset, Epoch: "other"}, "none": {Offset: offset}, "the future": {Offset: offset + 1000, Epoch: epoch}} {
			if c := h.back(b, "mei, "+name, seen); len(c.got("snapshot")) != 1 || len(c.got("resumed")) != 0 {
				h.Errorf("%s: no snapshot", name)
			}
		}
		equal(h, "the first", h.alert(still).State, tracking.Escalated)
		equal(h, "the last", h.alert(fresh).Final(), false)
	})
}
