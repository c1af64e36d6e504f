// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/tracking"
)

// seeing is a shopper inside with an alert that nobody has claimed yet.
func seeing(h *house, showMe bool) (s *scene, alert string) {
	s = &scene{house: h, n: h.start("a")}
	s.mei = h.join(s.n, shop, "mei")
	s.ana = h.shopper("ana", "assist")
	s.v = s.ana.enter(s.n)
	a := must(s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: s.v.hid, Kind: tracking.Help, Purpose: "assist", ShowMe: showMe}))(h)
	s.alert = a.ID
	h.pass(1100 * time.Millisecond)
	return s, a.ID
}

func TestALookTakesAClaim(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, false)
		if err := s.mei.Look(h.Context(), alert); !errors.Is(err, tracking.ErrAlertHeld) {
			t.Fatalf("a look without a claim: %v", err)
		}
		if err := s.mei.Look(h.Context(), "another"); !errors.Is(err, tracking.ErrNoAlert) {
			t.Fatalf("a look at nothing: %v", err)
		}
		s.v.at(desk())
		h.pass(time.Second)
		equal(h, "positions", len(s.mei.got("position")), 0)
		equal(h, "journal", h.log.find(0, "journal", ""), -1)
		kim := h.join(s.n, shop, "kim")
		s.mei.claim(s.n, alert)
		h.pass(time.Millisecond)
		if err := kim.Look(h.Context(), alert); !errors.Is(err, tracking.ErrAlertHeld) {
			t.Fatalf("a look at somebody else's: %v", err)
		}
		h.ok(s.mei.Look(h.Context(), alert))
		h.pass(time.Second)
		if len(s.mei.got("position")) == 0 || len(kim.got("position")) != 0 {
			t.Fatal("the claimer sees the dot, and nobody else does")
		}
	})
}

func TestShowMeNeedsNoClaim(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, true)
		h.ok(s.mei.Look(h.Context(), alert))
		h.pass(time.Second)
		equal(h, "positions", len(s.mei.got("position")), 1)
	})
}

// The journal has the look, and the phone knows of it, before the first position is sent.
func TestTheOrderOfALook(t *testing.T) {
	for _, where := range []string{"a", "b"} {
		t.Run("from node "+where, func(t *testing.T) {
			inBubble(t, func(h *house) {
				s, alert := seeing(h, true)
				from := s.mei
				if where == "b" {
					b := h.start("b")
					from = h.join(b, shop, "kim")
					h.pass(1100 * time.Millisecond)
				}
				start := len(h.log.all())
				h.ok(from.Look(h.Context(), alert))
				h.pass(100 * time.Millisecond) // the shopper stands still: no fix comes
				position := h.log.find(start, from.name, "position")
				seen, view := h.log.find(start, "phone", "seen advisor Shoes"), h.log.find(start, "journal", "open "+alert)
				if view < 0 || seen < view || position < seen {
					t.Fatalf("journal %d, phone %d, position %d", view, seen, position)
				}
				x, y := from.got("position")[0]["x"].(float64), from.got("position")[0]["y"].(float64)
				if x*x+y*y > 0.01 {
					t.Fatalf("the dot is at %v, %v", x, y)
				}
				h.pass(5 * time.Second)
				equal(h, "shown again without a new fix", len(from.got("position")), 1)
				s.v.at(frame().LatLng(1, 2))
				h.pass(200 * time.Millisecond)
				equal(h, "positions", len(from.got("position")), 2)
				from.LookAway(alert)
				h.pass(100 * time.Millisecond)
				unseen := h.log.find(position, "phone", "unseen")
				if unseen < 0 {
					t.Fatal("the phone does not know that nobody looks any more")
				}
				s.v.at(frame().LatLng(2, 2))
				h.pass(5 * time.Second)
				equal(h, "positions after looking away", len(from.got("position")), 2)
				views := must(h.ledger.Journal(h.Context(), s.ana.subject))(h)
				equal(h, "views", len(views), 1)
				equal(h, "served", views[0].Count, 2)
			})
		})
	}
}

// Where the phone cannot be told, nobody is shown.
func TestWithoutThePhoneNobodyIsShown(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, true)
		s.v.Detach(s.v.phone)
		h.ok(s.mei.Look(h.Context(), alert))
		h.pass(3 * time.Second)
		equal(h, "positions", len(s.mei.got("position")), 0)
		p := &phone{log: h.log}
		h.ok(s.v.Attach(p))
		start := len(h.log.all())
		h.pass(3 * time.Second)
		seen, position := h.log.find(start, "phone", "seen"), h.log.find(start, "mei", "position")
		if seen < 0 || position < seen {
			t.Fatalf("phone %d, position %d", seen, position)
		}
	})
}

func TestNoLookWithoutTheJournal(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, true)
		s.n.ledger.fail("view")
		if err := s.mei.Look(h.Context(), alert); !errors.Is(err, errTapped) {
			t.Fatalf("looked: %v", err)
		}
		s.v.at(desk())
		h.pass(2 * time.Second)
		equal(h, "positions", len(s.mei.got("position")), 0)
		equal(h, "the phone was told", h.log.find(0, "phone", "seen"), -1)
	})
}

func TestTwoLooksAtMost(t *testing.T) {
	inBubble(t, func(h *house) {
		s, first := seeing(h, true)
		alerts := []string{first}
		for _, name := range []string{"ben", "cem"} {
			v := h.shopper(name, "assist").enter(s.n)
			a := must(s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: v.hid, Kind: tracking.Help, Purpose: "assist", ShowMe: true}))(h)
			alerts = append(alerts, a.ID)
		}
		h.pass(time.Second)
		h.ok(s.mei.Look(h.Context(), alerts[0]))
		h.ok(s.mei.Look(h.Context(), alerts[0])) // the same look
		h.ok(s.mei.Look(h.Context(), alerts[1]))
		if err := s.mei.Look(h.Context(), alerts[2]); !errors.Is(err, tracking.ErrTooManyLooks) {
			t.Fatalf("a third look: %v", err)
		}
		s.mei.LookAway(alerts[0])
		h.ok(s.mei.Look(h.Context(), alerts[2]))
		equal(h, "views", len(must(h.ledger.Journal(h.Context(), s.ana.subject))(h)), 1)
	})
}

// The claim passes on, or the visit ends, while the look is being journalled.
func TestALookThatCameTooLate(t *testing.T) {
	cases := map[string]struct {
		meanwhile func(s *scene)
		want      error
	}{
		"the alert was handed over": {func(s *scene) {
			must(s.n.Act(s.Context(), shop, s.alert, tracking.Change{Action: tracking.HandOver,
				By: tracking.Actor{Shift: "mei"}, To: tracking.Actor{Shift: "kim"}}))(s.house)
		}, tracking.ErrAlertHeld},
		"the visit has ended": {func(s *scene) { s.end("store") }, tracking.ErrNoAlert},
		"the console is gone": {func(s *scene) { s.mei.leave() }, tracking.ErrNoAlert},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(h *house) {
				s, alert := seeing(h, false)
				kim := h.join(s.n, shop, "kim")
				s.mei.claim(s.n, alert)
				h.pass(time.Millisecond)
				s.n.ledger.once("view", func(next func() error) error {
					err := next()
					c.meanwhile(s)
					return err
				})
				if err := s.mei.Look(h.Context(), alert); !errors.Is(err, c.want) {
					t.Fatalf("looked: %v, want %v", err, c.want)
				}
				s.v.at(desk())
				h.pass(3 * time.Second)
				equal(h, "positions", len(s.mei.got("position"))+len(kim.got("position")), 0)
				equal(h, "the phone was told", h.log.find(0, "phone", "seen"), -1)
				views := must(h.ledger.Journal(h.Context(), s.ana.subject))(h)
				equal(h, "views", len(views), 1)
				equal(h, "open", views[0].ClosedAt.IsZero(), false)
				equal(h, "served", views[0].Count, 0)
			})
		})
	}
}

// Whoever gives the claim away sees nothing more.
func TestALookEndsWithTheClaim(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, false)
		s.mei.claim(s.n, alert)
		h.ok(s.mei.Look(h.Context(), alert))
		h.pass(time.Second)
		must(s.n.Act(h.Context(), shop, alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}}))(h)
		start := len(h.log.all())
		s.v.at(frame().LatLng(1, 1))
		h.pass(2 * time.Second)
		equal(h, "positions after it", h.log.find(start, "mei", "position"), -1)
		if h.log.find(0, "phone", "unseen") < 0 {
			t.Fatal("the phone was not told")
		}
	})
}

// A node that looks goes away without a word: its look runs out.
func TestALookIsNotRepeated(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, true)
		b := h.start("b")
		kim := h.join(b, shop, "kim")
		h.pass(1100 * time.Millisecond)
		h.ok(kim.Look(h.Context(), alert))
		h.pass(time.Second)
		b.live.fail("publish")
		h.pass(6 * time.Second)
		if h.log.find(0, "phone", "unseen") < 0 {
			t.Fatal("the phone still says that somebody looks")
		}
		list := s.n.live.writes(s.v.hid)
		s.v.at(desk())
		h.pass(time.Second)
		now := s.n.live.writes(s.v.hid)
		if len(now) == len(list) || now[len(now)-1].Show {
			t.Fatal("the position is published although nobody looks")
		}
	})
}

// A look that is refused shows nothing and is journalled, with who tried and why not; the shopper's journal does not have it.
func TestARefusedLookIsJournalled(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, false)
		kim := h.join(s.n, shop, "kim")
		kim.claim(s.n, alert)
		h.pass(time.Millisecond)
		for _, other := range []string{alert, uuid.NewString()} { // somebody else's, and none of this store
			if err := s.mei.Look(h.Context(), other); err == nil {
				t.Fatal("looked")
			}
		}
		equal(h, "refusals journalled", h.refusals(), "alert_held no_alert")
		s.end("store")
		if err := kim.Look(h.Context(), alert); err == nil {
			t.Fatal("looked at what is over")
		}
		equal(h, "and one more", h.refusals(), "alert_held no_alert no_alert")
		equal(h, "the shopper's journal", len(must(h.ledger.Journal(h.Context(), s.ana.subject))(h)), 0)
		s.n.ledger.fail("refuse") // still refused
		if err := s.mei.Look(h.Context(), alert); !errors.Is(err, tracking.ErrNoAlert) {
			t.Fatalf("looked: %v", err)
		}
	})
}

// Nobody sees anything while the journal takes its time, and whoever asked is refused when it takes too long.
func TestASlowJournalShowsNobody(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, true)
		release := s.n.ledger.block("view")
		h.Cleanup(release)
		looked := make(chan error, 1)
		go func() { looked <- s.mei.Look(h.Context(), alert) }()
		for range 5 {
			s.v.at(desk())
			h.pass(time.Second)
		}
		equal(h, "positions before it is written", len(s.mei.got("position")), 0)
		equal(h, "the phone was told", h.log.find(0, "phone", "seen"), -1)
		release()
		h.ok(<-looked)
		h.pass(2 * time.Second)
		if len(s.mei.got("position")) == 0 {
			t.Fatal("no position once it is written: this test would see nothing")
		}
	})
}

// Nobody is looked at for a purpose that is not granted any more, whatever else is.
func TestALookNeedsItsPurpose(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _ := seeing(h, true)
		a := must(s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: s.v.hid, Kind: tracking.Arrived, Purpose: "pickup", ShowMe: true}))(h)
		h.pass(time.Second)
		if err := s.mei.Look(h.Context(), a.ID); !errors.Is(err, tracking.ErrNoVisit) {
			t.Fatalf("looked: %v", err)
		}
		equal(h, "the shopper's journal", len(must(h.ledger.Journal(h.Context(), s.ana.subject))(h)), 0)
		equal(h, "refusals journalled", h.refusals(), "no_visit")
	})
}
