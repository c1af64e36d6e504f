// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
)

const why = "She does not answer, and her colleague saw her fall"

func person(name, role string) tracking.Person {
	return tracking.Person{Actor: tracking.Actor{Shift: name, Tag: strings.ToTitle(name)}, Role: role, Team: "Shoes"}
}

// broken is an alert that kim has, whose glass mei has asked to break and lea, who leads, has broken.
func broken(h *house) (s *scene, emergency tracking.Alert) {
	s, alert := seeing(h, false)
	kim := h.join(s.n, shop, "kim")
	kim.claim(s.n, alert)
	h.pass(time.Millisecond)
	id := uuid.NewString()
	h.ok(s.n.AskGlass(h.Context(), shop, id, person("mei", "advisor"), alert, why))
	return s, must(s.n.BreakGlass(h.Context(), shop, id, person("lea", "lead")))(h)
}

// Two people, one of them in charge, let one of them look at somebody without a claim: the journal has it with its
// reason, the phone is told what it is, and it is over soon.
func TestBreakingTheGlass(t *testing.T) {
	inBubble(t, func(h *house) {
		s, emergency := broken(h)
		views := must(h.ledger.Journal(h.Context(), s.ana.subject))(h)
		equal(h, "entries before anybody looks", len(views), 1)
		if e := views[0]; e.Kind != consent.BreakGlassRead || e.Reason != why || e.People != 2 || e.ClosedAt.IsZero() {
			h.Fatalf("the entry is %+v", e)
		}
		start := len(h.log.all())
		h.ok(s.mei.Look(h.Context(), emergency.ID))
		h.pass(3 * time.Second)
		seen, position := h.log.find(start, "phone", "seen advisor Shoes in an emergency"), h.log.find(start, "mei", "position")
		if seen < 0 || position < seen {
			h.Fatalf("the phone was told at %d, the dot shown at %d", seen, position)
		}
		kim := h.join(s.n, shop, "lea")
		if err := kim.Look(h.Context(), emergency.ID); !errors.Is(err, tracking.ErrAlertHeld) {
			h.Fatalf("who approved looks too: %v", err)
		}
		due, over := emergency.Due(emergency.RaisedAt.Add(tracking.GlassLife))
		if _, before := emergency.Due(emergency.RaisedAt.Add(tracking.GlassLife - time.Millisecond)); before || !over || due.Action != tracking.Expire {
			h.Fatalf("it expires too soon, or not after %v: %v, %+v", tracking.GlassLife, before, due)
		}
		due.Expect = emergency.Version
		must(s.n.Act(h.Context(), shop, emergency.ID, due))(h)
		start = len(h.log.all())
		s.v.at(desk())
		h.pass(2 * time.Second)
		equal(h, "positions after it", h.log.find(start, "mei", "position"), -1)
	})
}

// It is over with the visit, like everything else.
func TestABrokenGlassEndsWithTheVisit(t *testing.T) {
	inBubble(t, func(h *house) {
		s, emergency := broken(h)
		h.ok(s.mei.Look(h.Context(), emergency.ID))
		h.pass(time.Second)
		s.end("store")
		h.pass(time.Second)
		equal(h, "state", h.alert(emergency.ID).State, tracking.Gone)
		if err := s.mei.Look(h.Context(), emergency.ID); !errors.Is(err, tracking.ErrNoAlert) {
			h.Fatalf("looked: %v", err)
		}
	})
}

// A broken glass is its asker's alone, and can only be put back.
func TestABrokenGlassIsNobodyElses(t *testing.T) {
	for _, action := range actions {
		a := tracking.Alert{Kind: tracking.Emergency, State: tracking.Claimed, Holder: "mei", Version: 1}
		_, err := a.Next(tracking.Change{Action: action, By: tracking.Actor{Shift: "mei"}, To: tracking.Actor{Shift: "kim"}, Now: time.Unix(1000, 0)})
		allowed := action == tracking.Resolve || action == tracking.Expire || action == tracking.Vanish
		if (err == nil) != allowed {
			t.Errorf("%s: %v", action, err)
		}
	}
}

// What is refused about a glass changes nothing, and is journalled with who tried; the shopper is not told of it.
func TestWhoMayBreakTheGlass(t *testing.T) {
	inBubble(t, func(h *house) {
		s, alert := seeing(h, false)
		ask := func() string {
			id := uuid.NewString()
			h.ok(s.n.AskGlass(h.Context(), shop, id, person("mei", "lead"), alert, why))
			return id
		}
		refused := func(want error, store, id string, p tracking.Person) {
			h.Helper()
			if _, err := s.n.BreakGlass(h.Context(), store, id, p); !errors.Is(err, want) {
				h.Fatalf("%v, want %v", err, want)
			}
		}
		id := ask()
		refused(consent.ErrSamePerson, shop, id, person("mei", "lead"))
		refused(tracking.ErrRole, shop, id, person("kim", "floor"))
		refused(consent.ErrNoMotion, shop, uuid.NewString(), person("lea", "lead"))
		refused(consent.ErrNoMotion, annex, id, person("lea", "lead"))
		if err := s.n.AskGlass(h.Context(), shop, id, person("kim", "lead"), alert, why); !errors.Is(err, consent.ErrIDTaken) {
			h.Fatalf("the id of another's: %v", err)
		}
		if err := s.n.AskGlass(h.Context(), shop, uuid.NewString(), person("mei", "lead"), alert, "because"); !errors.Is(err, consent.ErrRequest) {
			h.Fatalf("without a reason: %v", err)
		}
		first := must(s.n.BreakGlass(h.Context(), shop, id, person("lea", "lead")))(h)
		again := must(s.n.BreakGlass(h.Context(), shop, id, person("lea", "lead")))(h)
		equal(h, "approved twice", again.ID+again.Holder, first.ID+"mei")
		refused(consent.ErrMotionOver, shop, id, person("ann", "admin"))
		refused(tracking.ErrAlertHeld, shop, ask(), person("lea", "lead"))
		late := ask()
		h.clock.skew.Add(int64(consent.GlassWait))
		refused(consent.ErrMotionOver, shop, late, person("lea", "lead"))
		equal(h, "waiting", len(must(s.n.GlassesAsked(h.Context(), shop))(h)), 0)
		equal(h, "entries", len(must(h.ledger.Journal(h.Context(), s.ana.subject))(h)), 1)
		equal(h, "refusals journalled", h.refusals(), "alert_held motion_over motion_over no_motion no_motion role same_person")
	})
}
