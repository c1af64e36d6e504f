// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// A stop is answered even when the ledger cannot be reached: with an error, and with tracking stopped here.
func TestDoubtStops(t *testing.T) {
	for _, kind := range []consent.EndKind{consent.EndGrant, consent.EndStore, consent.EndAll} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, func(h *house) {
				s := newScene(h)
				s.v.at(frame().LatLng(0, 1)) // accepted, and not written yet
				s.n.ledger.fail("end")
				r := s.ana.stop(kind)
				_, err := s.n.End(h.Context(), r)
				if !errors.Is(err, tracking.ErrUnavailable) || !errors.Is(err, errTapped) {
					t.Fatalf("the answer: %v", err)
				}
				equal(h, "the phone's reason", s.v.phone.end(), consent.Reason("unavailable"))
				h.pass(2 * time.Second)
				equal(h, "position", string(s.v.payload()), "")
				equal(h, "on screen", lastPresence(s.mei, s.alert), "hidden")
				if _, err := s.n.Open(h.Context(), s.ana.opening(), &phone{log: h.log}); !errors.Is(err, tracking.ErrUnavailable) {
					h.Fatalf("opened while it is in doubt whether it ended: %v", err)
				}
				s.n.ledger.around("end", nil)
				a := must(s.n.End(h.Context(), r))(h)
				equal(h, "ends", len(a.Ending.Ends), 1)
				s.toldGone(s.mei, consent.Withdrawn)
			})
		})
	}
}

// A position that was accepted right before its connection was let go of is not written any more.
func TestNothingIsWrittenOfASessionThatIsClosed(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		before := len(s.n.live.writes(s.v.hid))
		s.v.at(frame().LatLng(0, 1))
		s.n.ledger.fail("end")
		s.n.live.fail("purge") // nothing but the session's own state is in the way
		_, err := s.n.End(h.Context(), s.ana.stop(consent.EndStore))
		if err == nil || !strings.Contains(err.Error(), errTapped.Error()) {
			t.Fatal(err)
		}
		h.pass(time.Second)
		equal(h, "writes tried", len(s.n.live.writes(s.v.hid)), before)
	})
}

// Nobody asks again, and nothing was committed: the shopper may come back once the tombstone's life is over.
func TestDoubtPasses(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		ana := h.shopper("ana", "assist")
		v := ana.enter(n)
		n.ledger.fail("end")
		if _, err := n.End(h.Context(), ana.stop(consent.EndStore)); !errors.Is(err, tracking.ErrUnavailable) {
			h.Fatal(err)
		}
		n.ledger.around("end", nil)
		h.pass(tracking.LeaseTime + tracking.WriteDeadline + tracking.PositionLife + tracking.FenceLife)
		again := ana.enter(n)
		equal(h, "back", again.phone.end(), consent.Reason(""))
		equal(h, "the visit goes on", again.hid, v.hid)
	})
}

// It is in doubt whether another purpose has ended: the visit does not rest on that, and goes on. If the end
// has happened after all, the feed says so.
func TestDoubtAboutAnotherPurpose(t *testing.T) {
	for _, happened := range []bool{false, true} {
		t.Run(fmt.Sprint("it has happened: ", happened), func(t *testing.T) {
			inBubble(t, func(h *house) {
				s := newScene(h)
				s.ana.grant("pickup", consent.ForATerm)
				s.n.ledger.around("end", func(next func() error) error {
					if happened {
						h.ok(next())
					}
					return errTapped
				})
				r := s.ana.stop(consent.EndGrant)
				r.Purpose = "pickup"
				if _, err := s.n.End(h.Context(), r); !errors.Is(err, tracking.ErrUnavailable) {
					h.Fatal(err)
				}
				if !happened {
					equal(h, "the phone's reason", s.v.phone.end(), consent.Reason(""))
					equal(h, "accepted", s.v.at(desk()).Accepted, true)
					h.pass(2 * time.Second)
					equal(h, "tombstone", s.v.tombstone(), false)
					return
				}
				h.pass(tracking.PollEvery)
				equal(h, "the phone's reason", s.v.phone.end(), consent.Reason("ticket"))
				equal(h, "back", s.ana.enter(s.n).phone.end(), consent.Reason(""))
			})
		})
	}
}
