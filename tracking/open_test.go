// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

func TestOpenIsRefused(t *testing.T) {
	cases := map[string]struct {
		make func(h *house, n *node) tracking.Opening
		want error
	}{
		"without a grant": {func(h *house, n *node) tracking.Opening {
			h.join(n, shop, "mei")
			return h.shopper("ana").opening()
		}, tracking.ErrNotGranted},
		"for a purpose that was not granted": {func(h *house, n *node) tracking.Opening {
			h.join(n, shop, "mei")
			o := h.shopper("ana", "assist").opening()
			o.Purposes = append(o.Purposes, "pickup")
			return o
		}, tracking.ErrNotGranted},
		"for no purpose": {func(h *house, n *node) tracking.Opening {
			h.join(n, shop, "mei")
			s := h.shopper("ana", "assist")
			return tracking.Opening{Scope: s.scope, Subject: s.subject}
		}, tracking.ErrNotGranted},
		"for somebody else on the same phone": {func(h *house, n *node) tracking.Opening {
			h.join(n, shop, "mei")
			o := h.shopper("ana", "assist").opening()
			o.Subject = h.shopper("ben", "assist").subject
			return o
		}, tracking.ErrNotGranted},
		"with nobody on duty": {func(h *house, _ *node) tracking.Opening {
			return h.shopper("ana", "assist").opening()
		}, tracking.ErrNobodyOnDuty},
		"with somebody on duty elsewhere": {func(h *house, n *node) tracking.Opening {
			h.join(n, annex, "mei")
			return h.shopper("ana", "assist").opening()
		}, tracking.ErrNobodyOnDuty},
		"in a store that is not served": {func(h *house, n *node) tracking.Opening {
			h.join(n, shop, "mei")
			o := h.shopper("ana", "assist").opening()
			o.Scope.Store = "nowhere"
			return o
		}, tracking.ErrNoStore},
		"when the ledger cannot be asked": {func(h *house, n *node) tracking.Opening {
			h.join(n, shop, "mei")
			n.ledger.fail("admit")
			return h.shopper("ana", "assist").opening()
		}, tracking.ErrUnavailable},
		"when the live state cannot be asked": {func(h *house, n *node) tracking.Opening {
			h.join(n, shop, "mei")
			n.live.fail("register")
			return h.shopper("ana", "assist").opening()
		}, tracking.ErrUnavailable},
		"without a lease": {func(h *house, n *node) tracking.Opening {
			h.join(n, shop, "mei")
			n.ledger.fail("poll")
			h.pass(tracking.LeaseTime + tracking.PollEvery)
			return h.shopper("ana", "assist").opening()
		}, tracking.ErrUnavailable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(h *house) {
				n := h.start("a")
				o := c.make(h, n)
				p := &phone{log: h.log}
				if _, err := n.Open(h.Context(), o, p); !errors.Is(err, c.want) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				equal(h, "sessions", n.Sessions(), 0)
				equal(h, "the caller answers the phone, not the session", p.end(), consent.Reason(""))
			})
		})
	}
}

func TestANodeThatHasNotStartedOpensNothing(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.make("a", h.clock)
		h.ok(h.ledger.SetDuty(h.Context(), "elsewhere", shop, []string{consent.EveryPurpose}, h.clock.Now().Add(time.Hour)))
		_, err := n.Open(h.Context(), h.shopper("ana", "assist").opening(), &phone{log: h.log})
		if !errors.Is(err, tracking.ErrUnavailable) {
			t.Fatalf("it boots without a lease, and answered %v", err)
		}
	})
}

// An end that is applied at any moment of an opening leaves no session that takes anything.
func TestAnEndWhileOpening(t *testing.T) {
	for _, op := range []string{"admit", "register", "enter", "after admit", "after register", "after enter"} {
		for _, kind := range []consent.EndKind{consent.EndGrant, consent.EndStore, consent.EndAll} {
			t.Run(op+" "+string(kind), func(t *testing.T) {
				inBubble(t, func(h *house) { endWhileOpening(h, op, kind) })
			})
		}
	}
}

func endWhileOpening(h *house, op string, kind consent.EndKind) {
	n := h.start("a")
	h.join(n, shop, "mei")
	ana := h.shopper("ana")
	ana.grant("assist", consent.ThisVisit)
	end := func() {
		if a, err := n.End(h.Context(), ana.stop(kind)); err != nil || len(a.Ending.Ends) != 1 {
			h.Errorf("the end: %+v, %v", a, err)
		}
	}
	switch op {
	case "admit", "register", "enter":
		n.tapFor(op).once(op, func(next func() error) error { end(); return next() })
	default:
		op = op[len("after "):]
		n.tapFor(op).once(op, func(next func() error) error { err := next(); end(); return err })
	}
	p := &phone{log: h.log}
	if _, err := n.Open(h.Context(), ana.opening(), p); !errors.Is(err, tracking.ErrNotGranted) {
		h.Fatalf("opened although it had ended: %v", err)
	}
	equal(h, "sessions", n.Sessions(), 0)
	h.pass(time.Second)
	for _, k := range h.memory.Keys() {
		if k.HasPosition {
			h.Fatal("a position is held of a visit that has ended")
		}
	}
}

func (n *node) tapFor(op string) *tap {
	if op == "register" {
		return n.live.tap
	}
	return n.ledger.tap
}

// Another node ends the visit after this one has asked the ledger, and this one has not heard of it: the
// tombstone is what refuses the registration.
func TestAnEndElsewhereWhileOpening(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		ana := h.shopper("ana", "assist")
		n.live.once("register", func(next func() error) error {
			e := must(h.ledger.End(h.Context(), ana.stop(consent.EndStore)))(h)
			h.ok(h.live.Purge(h.Context(), shop, []string{e.Ends[0].Visit}))
			return next()
		})
		if _, err := n.Open(h.Context(), ana.opening(), &phone{log: h.log}); !errors.Is(err, tracking.ErrNotGranted) {
			h.Fatalf("opened although it had ended: %v", err)
		}
	})
}

// The newest connection of an installation has the visit; the one before is told and can write no more.
func TestASecondConnectionReplacesTheFirst(t *testing.T) {
	for _, where := range []string{"a", "b"} {
		t.Run("at node "+where, func(t *testing.T) {
			inBubble(t, func(h *house) {
				nodes := map[string]*node{"a": h.start("a"), "b": h.start("b")}
				h.join(nodes["a"], shop, "mei")
				ana := h.shopper("ana", "assist")
				first := ana.enter(nodes["a"])
				nodes["b"].live.fail("publish") // the first is told of the other by nothing but what becomes of its own writes
				second := ana.enter(nodes[where])
				equal(h, "the visit goes on", second.Visit(), first.Visit())
				if where == "a" {
					equal(h, "what the first was told, at once", first.phone.end(), consent.Replaced)
				}
				written := string(second.payload())
				first.at(frame().LatLng(3, 3)) // at another node, this is where it learns of the other
				h.pass(time.Second)
				equal(h, "what the first was told", first.phone.end(), consent.Replaced)
				equal(h, "what the second was told", second.phone.end(), consent.Reason(""))
				equal(h, "the position", string(second.payload()), written)
				if r := first.at(desk()); !r.Over || r.Accepted {
					h.Fatalf("the first connection's fix: %+v", r)
				}
				equal(h, "tombstone", second.tombstone(), false)
			})
		})
	}
}

// A phone comes back while its first opening is still under way: the second one is registered last, and goes on.
func TestTwoOpeningsTakeTurns(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.v.Bye()
		h.pass(time.Second)
		gate := make(chan struct{})
		s.n.live.once("register", func(next func() error) error {
			<-gate
			return next()
		})
		first, second := &phone{log: h.log}, &phone{log: h.log}
		go func() { _, _ = s.n.Open(h.Context(), s.ana.opening(), first) }()
		synctest.Wait()
		opened := make(chan *tracking.Session)
		go func() {
			session, err := s.n.Open(h.Context(), s.ana.opening(), second)
			h.ok(err)
			opened <- session
		}()
		synctest.Wait()
		close(gate)
		v := &visitor{Session: <-opened, h: h, n: s.n, phone: second}
		for range 3 {
			v.at(desk())
			h.pass(time.Second)
		}
		equal(h, "the first is told", first.end(), consent.Replaced)
		equal(h, "the second is told", second.end(), consent.Reason(""))
		equal(h, "sessions", s.n.Sessions(), 1)
	})
}
