// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// pair is a scene with a second node, at which kim is on duty for the same store.
func pair(h *house) (s *scene, b *node, kim *screen) {
	h.Helper()
	s = newScene(h)
	b = h.start("b")
	kim = h.join(b, shop, "kim")
	h.pass(time.Second)
	if len(kim.about(s.alert)) == 0 {
		h.Fatal("the second node's console does not know of the alert")
	}
	return s, b, kim
}

// stopAt withdraws at a node and measures how long the answer took.
func (s *scene) stopAt(n *node, r consent.EndRequest) (a tracking.Answer, took time.Duration, err error) {
	start := s.clock.Boot()
	a, err = n.End(s.Context(), r)
	s.log.add("test", "answered")
	return a, s.clock.Boot() - start, err
}

// Without a fault: gone on every console, then the answer; the position was erased before it.
func TestAWithdrawalAtAnotherNode(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, kim := pair(h)
		b.live.around("purge", func(next func() error) error {
			err := next()
			h.log.add("live", "purged")
			return err
		})
		a, took, err := s.stopAt(b, s.ana.stop(consent.EndStore))
		h.ok(err)
		equal(h, "nodes", a.Nodes, 2)
		equal(h, "consoles", a.Consoles, 2)
		equal(h, "the phone's reason", s.v.phone.end(), consent.Withdrawn)
		if took > 100*time.Millisecond || a.Took != took {
			t.Fatalf("answered after %v; says %v", took, a.Took)
		}
		answered := h.log.find(0, "test", "answered")
		for _, who := range []string{"mei", "kim"} {
			if i := h.log.find(0, who, "gone"); i < 0 || i > answered {
				h.until("gone", func() bool { return h.log.find(0, who, "gone") >= 0 })
				t.Fatalf("%s was told after the answer", who)
			}
		}
		gone, purged := h.log.find(0, "kim", "gone"), h.log.find(0, "live", "purged")
		if gone > purged || purged > answered || purged < 0 {
			t.Fatalf("gone %d, purged %d, answered %d", gone, purged, answered)
		}
		s.toldGone(s.mei, consent.Withdrawn)
		s.toldGone(kim, consent.Withdrawn)
		s.nothingMore()
	})
}

// The hints are lost: the poll brings the end, and the ledger the acknowledgement.
func TestAWithdrawalWithoutHints(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, _ := pair(h)
		s.n.live.fail("publish")
		b.live.fail("publish")
		a, took, err := s.stopAt(b, s.ana.stop(consent.EndAll))
		h.ok(err)
		equal(h, "nodes", a.Nodes, 2)
		equal(h, "the phone's reason", s.v.phone.end(), consent.Withdrawn)
		if took > tracking.PollEvery+tracking.PollEvery/2 {
			t.Fatalf("answered after %v", took)
		}
	})
}

// A node that does not hear of the end has no lease any more when the answer is given, and not before.
func TestANodeThatIsCutOffFromTheLedger(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, _ := pair(h)
		release := s.n.ledger.block("poll")
		h.Cleanup(release)
		h.pass(tracking.PollEvery) // its next poll is held back, its lease still runs
		equal(h, "a lease at first", s.n.Serving(), true)
		a, took, err := s.stopAt(b, s.ana.stop(consent.EndStore))
		h.ok(err)
		equal(h, "nodes", a.Nodes, 1)
		equal(h, "a lease at the answer", s.n.Serving(), false)
		if took <= tracking.LeaseTime || took > tracking.LeaseTime+tracking.PollEvery {
			t.Fatalf("answered after %v", took)
		}
		from := h.log.find(0, "test", "answered")
		if r := s.v.at(desk()); r.Accepted {
			t.Fatal("it accepted a position")
		}
		s.mei.Beat(7)
		h.pass(2 * time.Second)
		for _, e := range h.log.all()[from:] {
			if e.frame != nil && mentions(e.frame, s.alert) {
				t.Fatalf("%s was sent %s after the answer", e.who, e.what)
			}
		}
		equal(h, "position", string(s.v.payload()), "")
		release()
		h.pass(2 * tracking.PollEvery)
		equal(h, "the phone's reason", s.v.phone.end(), consent.Withdrawn)
		s.toldGone(s.mei, consent.Withdrawn)
	})
}

// A node reads in one go what happened while it was cut off: every entry about an alert shows it as it is now, so the
// first already says that it is over, and the end comes behind it. Its console is told all the same, with proof.
func TestAnAlertThatIsReadAsOverBeforeItsEnd(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, _ := pair(h)
		release := s.n.ledger.block("poll")
		h.Cleanup(release)
		h.pass(tracking.PollEvery)
		must(b.Act(h.Context(), shop, s.alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}}))(h)
		s.stopAt(b, s.ana.stop(consent.EndStore))
		release()
		h.pass(2 * tracking.PollEvery)
		s.toldGone(s.mei, consent.Withdrawn)
	})
}

// What is answered to a phone and the lease are never apart, not even until the next flush.
func TestNothingIsAcceptedPastTheLease(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, _ := pair(h)
		h.pass(tracking.FlushEvery / 3) // a lease that does not end with a flush
		must(b.Act(h.Context(), shop, s.alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}}))(h)
		h.pass(time.Nanosecond)
		release := s.n.ledger.block("poll")
		h.Cleanup(release)
		for s.n.Serving() {
			equal(h, "accepted under the lease", s.v.at(desk()).Accepted, true)
			h.pass(tracking.FlushEvery / 7)
		}
		equal(h, "accepted past it", s.v.at(desk()).Accepted, false)
	})
}

// An acknowledgement is owed by a node whatever it does with its consoles: one that cannot get rid of a
// frame cuts the connection first.
func TestAConsoleThatDoesNotReadIsCutBeforeTheAnswer(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, kim := pair(h)
		release := kim.hold()
		defer release()
		must(s.n.Act(h.Context(), shop, s.alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}}))(h)
		h.pass(tracking.PollEvery) // kim's connection is busy with that
		a, took, err := s.stopAt(b, s.ana.stop(consent.EndStore))
		h.ok(err)
		equal(h, "nodes", a.Nodes, 2)
		equal(h, "kim is still connected", kim.open(), false)
		equal(h, "mei is still connected", s.mei.open(), true)
		if took > 300*time.Millisecond {
			t.Fatalf("answered after %v", took)
		}
		s.toldGone(s.mei, consent.Withdrawn)
	})
}

// Without a confirmed purge there is no success; the same id asks again.
func TestAPurgeThatFails(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, _ := pair(h)
		b.live.fail("purge")
		r := s.ana.stop(consent.EndStore)
		first, _, err := s.stopAt(b, r)
		if !errors.Is(err, tracking.ErrNotComplete) {
			t.Fatalf("answered %v", err)
		}
		h.pass(100 * time.Millisecond)
		equal(h, "the phone's reason", s.v.phone.end(), consent.Withdrawn)
		if v := s.v.payload(); v == nil {
			t.Fatal("nothing was there to purge: this shows nothing")
		}
		if _, _, err := s.stopAt(b, r); !errors.Is(err, tracking.ErrNotComplete) {
			t.Fatalf("answered %v", err)
		}
		b.live.around("purge", nil)
		again, _, err := s.stopAt(b, r)
		h.ok(err)
		equal(h, "repeated", again.Ending.Repeated, true)
		equal(h, "one event", again.Ending.Change, first.Ending.Change)
		equal(h, "consoles", again.Consoles >= 1, true)
		equal(h, "position", string(s.v.payload()), "")
	})
}

// A purge that could not be confirmed is repeated by itself.
func TestAPurgeIsRepeated(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.n.live.fail("purge")
		if _, _, err := s.stopAt(s.n, s.ana.stop(consent.EndStore)); !errors.Is(err, tracking.ErrNotComplete) {
			t.Fatalf("answered %v", err)
		}
		s.n.live.around("purge", nil)
		h.pass(3 * time.Second)
		equal(h, "tombstone", s.v.tombstone(), true)
	})
}

// With the live state out of reach for good, time does it: after T_L + D + T_P nothing can be left.
func TestAnEndIsCompleteWhenNothingCanBeLeft(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.n.live.fail("purge")
		r := s.ana.stop(consent.EndStore)
		limit := tracking.LeaseTime + tracking.WriteDeadline + tracking.PositionLife
		committed := h.clock.Boot()
		for {
			_, _, err := s.stopAt(s.n, r)
			since := h.clock.Boot() - committed
			if err == nil && since < limit {
				t.Fatalf("answered after %v, without a purge", since)
			}
			if err == nil {
				break
			}
			if since > limit+time.Second {
				t.Fatalf("not complete after %v", since)
			}
			h.pass(500 * time.Millisecond)
		}
		equal(h, "position", string(s.v.payload()), "")
	})
}

// The wall clocks are an hour apart: nothing in the barrier or in a lease takes notice.
func TestWallClocksAnHourOff(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			inBubble(t, func(h *house) {
				s := newScene(h)
				s.n.live.fail("purge")
				r := s.ana.stop(consent.EndStore)
				if _, _, err := s.stopAt(s.n, r); !errors.Is(err, tracking.ErrNotComplete) {
					t.Fatal(err)
				}
				h.clock.skew.Store(int64(skew))
				equal(h, "a lease", s.n.Serving(), true)
				h.pass(2 * tracking.LeaseTime)
				equal(h, "a lease, later", s.n.Serving(), true)
				if _, _, err := s.stopAt(s.n, r); !errors.Is(err, tracking.ErrNotComplete) {
					t.Fatalf("the wall clock made it complete: %v", err)
				}
			})
		})
	}
}

// Whoever asked may hang up: what was begun is carried to its end.
func TestTheCallerGoes(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		ctx, cancel := context.WithCancel(h.Context())
		cancel()
		a, err := s.n.End(ctx, s.ana.stop(consent.EndStore))
		h.ok(err)
		equal(h, "ends", len(a.Ending.Ends), 1)
		equal(h, "the phone's reason", s.v.phone.end(), consent.Withdrawn)
	})
}

// A refusal by the ledger's rules is not doubt: nothing is done.
func TestARefusalByTheLedgerStopsNothing(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		r := s.ana.stop(consent.EndStore)
		r.ID = "not an id"
		_, err := s.n.End(h.Context(), r)
		if !errors.Is(err, consent.ErrRequest) || errors.Is(err, tracking.ErrUnavailable) {
			t.Fatalf("answered %v", err)
		}
		equal(h, "the phone's reason", s.v.phone.end(), consent.Reason(""))
		equal(h, "accepted", s.v.at(desk()).Accepted, true)
	})
}

// The end of a visit whose ledger is out of reach is carried out when it is back.
func TestTheLedgerIsAwayWhenAVisitEnds(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.n.ledger.fail("end")
		s.v.Bye()
		h.pass(time.Second)
		equal(h, "the phone's reason", s.v.phone.end(), consent.Bye)
		equal(h, "tombstone, before the commit", s.v.tombstone(), true)
		equal(h, "on screen", lastPresence(s.mei, s.alert), "hidden")
		s.n.ledger.around("end", nil)
		h.pass(5 * time.Second)
		s.isOver(consent.Bye, false)
		if s.n.Stats.EndRetried.Load() == 0 {
			t.Fatal("it was not tried before")
		}
	})
}
