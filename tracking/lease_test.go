// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

func TestANodeBootsWithoutALease(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.make("a", h.clock)
		release := n.ledger.block("poll")
		h.run(n)
		h.Cleanup(release)
		h.pass(time.Millisecond)
		equal(h, "serving", n.Serving(), false)
		_, _, err := n.Join(h.Context(), shop, tracking.Person{}, h.screen("lou"))
		if !errors.Is(err, tracking.ErrUnavailable) {
			t.Fatalf("a console was let in: %v", err)
		}
		release()
		h.pass(time.Millisecond)
		select {
		case <-n.Started():
		default:
			t.Fatal("not started after the first answer")
		}
		equal(h, "serving", n.Serving(), true)
	})
}

// The lease runs from when the poll was sent: its answer describes the ledger at some moment after
// that, and perhaps long before it arrived.
func TestALeaseRunsFromTheStartOfThePoll(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		n.ledger.once("poll", func(next func() error) error {
			n.ledger.fail("poll") // there is no other after it
			err := next()
			<-time.After(time.Second)
			return err
		})
		h.pass(tracking.PollEvery) // it is sent
		h.pass(time.Second + 150*time.Millisecond)
		equal(h, "serving before the time", n.Serving(), true)
		h.pass(100 * time.Millisecond)
		equal(h, "serving", n.Serving(), false)
	})
}

// A poll reply that left before an end was committed, and arrives late, renews nothing that matters.
func TestALateReplyCoversNoEnd(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, _ := pair(h)
		reply := make(chan struct{})
		s.n.ledger.once("poll", func(next func() error) error {
			s.n.ledger.fail("poll") // there is no other after it
			err := next()           // before the commit
			<-reply
			return err
		})
		h.pass(tracking.PollEvery)
		sent := h.clock.Boot()
		_, _, err := s.stopAt(b, s.ana.stop(consent.EndStore))
		h.ok(err)
		if since := h.clock.Boot() - sent; since < tracking.LeaseTime {
			t.Fatalf("answered %v after the poll was sent", since)
		}
		close(reply)
		h.pass(time.Millisecond)
		equal(h, "serving, by a reply from before the answer", s.n.Serving(), false)
	})
}

// A reply with less knowledge than the node already has is discarded.
func TestKnowledgeOnlyGrows(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.n.ledger.oldest.Store(true) // every poll is answered as if nothing had happened yet
		h.pass(tracking.LeaseTime + tracking.PollEvery)
		equal(h, "serving", s.n.Serving(), false)
		s.n.ledger.oldest.Store(false)
		h.pass(tracking.PollEvery)
		equal(h, "serving again", s.n.Serving(), true)
	})
}

// The machine sleeps: Go's monotonic clock would not have noticed.
func TestALeaseDoesNotOutliveTheMachinesSleep(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		release := s.n.ledger.block("poll")
		h.Cleanup(release)
		h.clock.slept.Add(int64(10 * time.Second))
		equal(h, "serving", s.n.Serving(), false)
		from := len(h.log.all())
		s.mei.Beat(3)
		h.pass(2 * tracking.FlushEvery)
		equal(h, "accepted", s.v.at(desk()).Accepted, false)
		beat := s.mei.got("beat")
		equal(h, "the beat's word", beat[len(beat)-1]["serving"].(bool), false)
		for _, e := range h.log.all()[from:] {
			if e.frame != nil && mentions(e.frame, s.alert) {
				t.Fatalf("sent without a lease: %v", e.frame)
			}
		}
	})
}

// Without a lease a console is told so, and nothing about visits; with it, what it has missed.
func TestAConsoleWithoutALease(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.n.ledger.fail("poll")
		h.pass(tracking.LeaseTime + tracking.FlushEvery)
		from := len(h.log.all())
		must(s.n.Act(h.Context(), shop, s.alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}}))(h)
		s.mei.Beat(9)
		h.pass(3 * time.Second)
		for _, e := range h.log.all()[from:] {
			if e.frame != nil && mentions(e.frame, s.alert) {
				t.Fatalf("sent without a lease: %v", e.frame)
			}
		}
		beat := s.mei.got("beat")
		equal(h, "beat", beat[len(beat)-1]["n"].(float64), 9)
		equal(h, "serving", beat[len(beat)-1]["serving"].(bool), false)
		s.n.ledger.around("poll", nil)
		h.pass(3 * time.Second)
		snapshots := s.mei.got("snapshot")
		equal(h, "snapshots", len(snapshots), 2)
		a := snapshots[1]["alerts"].([]any)[0].(map[string]any)
		equal(h, "version", a["version"].(float64), 3)
		equal(h, "state", a["state"].(string), string(tracking.Raised))
	})
}

// The ledger does not know the node any more, or is an older copy of itself: everything is closed, and
// the node starts over.
func TestStartingOver(t *testing.T) {
	cases := map[string]func(s *scene){
		"struck off the table": func(s *scene) { s.ok(s.ledger.Leave(s.Context(), "a")) },
		"an older ledger":      func(s *scene) { s.n.ledger.once("poll", func(func() error) error { return consent.ErrBehind }) },
	}
	for name, lose := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(h *house) {
				s := newScene(h)
				lose(s)
				h.pass(tracking.PollEvery)
				equal(h, "the phone's reason", s.v.phone.end(), consent.Reason("unavailable"))
				equal(h, "state: the visit has not ended", s.v.phone.closed.State, tracking.StateSuspended)
				equal(h, "the console is still there", s.mei.open(), false)
				equal(h, "sessions", s.n.Sessions(), 0)
				equal(h, "serving, by what it knew before", s.n.Serving(), false)
				h.pass(2 * tracking.PollEvery)
				equal(h, "serving again", s.n.Serving(), true)
				mei := h.join(s.n, shop, "mei")
				v := s.ana.enter(s.n)
				equal(h, "the visit goes on", v.hid, s.v.hid)
				equal(h, "the alert is on screen", lastPresence(mei, s.alert), "visible")
				must(s.n.End(h.Context(), s.ana.stop(consent.EndStore)))(h)
				equal(h, "gone frames", len(mei.got("gone")), 1)
			})
		})
	}
}

// A page of the feed after which there is more says nothing of what is on the next: it renews no lease, however many such
// pages there are.
func TestAPageOfManyRenewsNothing(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.make("a", h.clock)
		var behind atomic.Bool
		n.ledger.mangle = func(f *consent.Feed) { f.More = behind.Load() }
		h.run(n)
		<-n.Started()
		var whole atomic.Int64 // the boot time at which the last whole answer was asked for
		gate := make(chan struct{})
		release := sync.OnceFunc(func() { close(gate) })
		defer release()
		pages := 0
		n.ledger.around("poll", func(next func() error) error {
			switch {
			case !behind.Load():
				whole.Store(int64(h.clock.Boot()))
			case pages == 2:
				<-gate
			default:
				pages++
			}
			return next()
		})
		h.pass(2 * tracking.PollEvery)
		behind.Store(true)
		h.pass(tracking.PollEvery) // two pages have come, the third is waited for
		equal(h, "serving, by the last whole answer", n.Serving(), true)
		h.pass(time.Duration(whole.Load()) + tracking.LeaseTime - h.clock.Boot())
		equal(h, "serving, by pages", n.Serving(), false)
		behind.Store(false)
		release()
		h.pass(2 * tracking.PollEvery)
		equal(h, "serving again", n.Serving(), true)
	})
}

// What waits for the ledger, or for other nodes, does not hold up the silence of anybody.
func TestASlowLedgerHoldsUpNoSilence(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		h.Cleanup(s.n.ledger.block("due"))
		h.pass(32 * time.Second)
		equal(h, "the phone's reason", s.v.phone.end(), consent.Reason("silent"))
	})
}

// A node that stops lets its sessions go on elsewhere, and takes no more.
func TestAShutdown(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, kim := pair(h)
		s.n.stop()
		equal(h, "the phone's reason", s.v.phone.end(), consent.Reason("shutting_down"))
		equal(h, "mei is still connected", s.mei.open(), false)
		if _, err := s.n.Open(h.Context(), s.ana.opening(), &phone{log: h.log}); !errors.Is(err, tracking.ErrShuttingDown) {
			t.Fatalf("opened: %v", err)
		}
		if _, _, err := s.n.Join(h.Context(), shop, tracking.Person{}, h.screen("lou")); !errors.Is(err, tracking.ErrShuttingDown) {
			t.Fatalf("joined: %v", err)
		}
		views := must(h.ledger.Journal(h.Context(), s.ana.subject))(h)
		equal(h, "the view is closed", views[0].ClosedAt.IsZero(), false)
		v := s.ana.enter(b)
		equal(h, "the visit goes on", v.hid, s.v.hid)
		a := must(b.End(h.Context(), s.ana.stop(consent.EndStore)))(h)
		equal(h, "nodes", a.Nodes, 1)
		equal(h, "gone frames", len(kim.got("gone")), 1)
	})
}

// A session that is placed while the node drains is not left behind.
func TestOpeningDuringAShutdown(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.ok(h.ledger.SetDuty(h.Context(), "elsewhere", shop, []string{consent.EveryPurpose}, h.clock.Now().Add(time.Hour)))
		ana := h.shopper("ana", "assist")
		n.ledger.once("admit", func(next func() error) error { n.stop(); return next() })
		if _, err := n.Open(h.Context(), ana.opening(), &phone{log: h.log}); err == nil {
			t.Fatal("opened on a node that is gone")
		}
		equal(h, "sessions", n.Sessions(), 0)
	})
}
