// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"doorstep/tracking"
)

// three is as many shoppers who have called, and two consoles of one person.
func three(h *house, showMe bool) (n *node, alerts []string, left, right *screen) {
	h.Helper()
	n = h.start("a")
	left, right = h.join(n, shop, "mei"), h.join(n, shop, "mei")
	for i := range tracking.LooksMost + 1 {
		v := h.shopper(fmt.Sprint("shopper ", i), "assist").enter(n)
		a := must(n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: v.hid, Kind: tracking.Help, Purpose: "assist", ShowMe: showMe}))(h)
		alerts = append(alerts, a.ID)
	}
	h.pass(time.Second)
	return n, alerts, left, right
}

func TestTwoLooksAPersonOnHoweverManyConsoles(t *testing.T) {
	inBubble(t, func(h *house) {
		n, alerts, left, right := three(h, true)
		h.ok(left.Look(h.Context(), alerts[0]))
		h.ok(right.Look(h.Context(), alerts[1]))
		for _, c := range []*screen{left, right} {
			if err := c.Look(h.Context(), alerts[2]); !errors.Is(err, tracking.ErrTooManyLooks) {
				t.Fatalf("a third look: %v", err)
			}
		}
		equal(h, "journalled", h.log.find(0, "journal", "open "+alerts[2]), -1)
		h.ok(h.join(n, shop, "kim").Look(h.Context(), alerts[2])) // somebody else's are not counted
		left.LookAway(alerts[0])
		h.ok(right.Look(h.Context(), alerts[2]))
		if err := left.Look(h.Context(), alerts[0]); !errors.Is(err, tracking.ErrTooManyLooks) {
			t.Fatalf("a third look, again: %v", err)
		}
	})
}

func TestTwoClaimsAPerson(t *testing.T) {
	inBubble(t, func(h *house) {
		n, alerts, mei, _ := three(h, false)
		other := h.start("b")
		act := func(n *node, who string, alert string, action tracking.Action) error {
			_, err := n.Act(h.Context(), shop, alert, tracking.Change{Action: action, By: tracking.Actor{Shift: who, Tag: who}})
			return err
		}
		mei.claim(n, alerts[0])
		mei.claim(n, alerts[1])
		for _, at := range []*node{n, other} {
			if err := act(at, "mei", alerts[2], tracking.Claim); !errors.Is(err, tracking.ErrTooManyLooks) {
				t.Fatalf("a third claim: %v", err)
			}
		}
		equal(h, "the third", h.alert(alerts[2]).State, tracking.Raised)
		h.ok(act(n, "mei", alerts[0], tracking.Release))
		h.ok(act(n, "mei", alerts[2], tracking.Claim))
		h.ok(act(n, "kim", alerts[0], tracking.Claim)) // hers, and not one of mei's
		equal(h, "the holder", h.alert(alerts[2]).Holder, "mei")
	})
}
