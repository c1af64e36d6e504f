// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

func TestTheSnapshotComesFirst(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		kim := h.join(s.n, shop, "kim")
		h.pass(time.Second)
		frames := kim.got("")
		equal(h, "the first frame", frames[0]["type"].(string), "snapshot")
		a := frames[0]["alerts"].([]any)[0].(map[string]any)
		equal(h, "alert", a["id"].(string), s.alert)
		equal(h, "version", a["version"].(float64), 2)
		equal(h, "mine", a["mine"].(bool), false)
		equal(h, "presence", a["presence"].(string), "visible")
		equal(h, "word", a["word"].(string), tracking.Word(s.v.hid))
		equal(h, "zone", a["zone"].(map[string]any)["id"].(string), "service")
		equal(h, "snapshots", len(kim.got("snapshot")), 1)
	})
}

// An end that comes while a console is being let in: what it is sent first is made when it is sent.
func TestASnapshotHasNothingThatEndedMeanwhile(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.n.live.once("read", func(next func() error) error {
			err := next() // the desk has read the position and is about to show it
			s.end(consent.EndStore)
			h.log.add("test", "answered")
			return err
		})
		kim := h.join(s.n, shop, "kim")
		h.pass(2 * time.Second)
		answered := h.log.find(0, "test", "answered")
		for _, e := range h.log.all()[answered:] {
			if e.frame != nil && mentions(e.frame, tracking.Word(s.v.hid)) {
				t.Fatalf("after the answer %s was sent %v", e.who, e.frame)
			}
		}
		if p := lastPresence(kim, s.alert); p != "gone" && p != "" {
			t.Fatalf("on the new screen it is %q", p)
		}
	})
}

// The visit has ended here, and the feed has not yet told what became of its request: a snapshot made now does
// not speak of it.
func TestASnapshotLeavesOutAVisitThatIsOver(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		h.pass(29*time.Second + 200*time.Millisecond) // the sweep that finds it silent comes within a lease
		release := s.n.ledger.block("poll")
		h.Cleanup(release)
		for s.v.phone.end() == "" {
			h.pass(50 * time.Millisecond)
		}
		h.pass(50 * time.Millisecond)
		equal(h, "serving", s.n.Serving(), true)
		s.mei.Owe()
		h.pass(time.Millisecond)
		list := s.mei.got("snapshot")
		equal(h, "snapshots", len(list), 2)
		if mentions(list[1], s.alert) {
			h.Fatalf("the snapshot: %v", list[1])
		}
		release()
		h.pass(2 * time.Second)
		equal(h, "in the end", lastPresence(s.mei, s.alert), "off")
	})
}

// A frame that is queued when a visit ends is never written after it.
func TestAQueuedFrameIsNotWrittenAfterTheEnd(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		ben := h.shopper("ben", "assist").enter(s.n)
		other := ben.help()
		h.pass(time.Second)
		release := s.mei.hold()
		must(s.n.Act(h.Context(), shop, other, tracking.Change{Action: tracking.Snooze}))(h) // is being written
		h.pass(time.Millisecond)
		must(s.n.Act(h.Context(), shop, s.alert, tracking.Change{Action: tracking.HandOver, By: tracking.Actor{Shift: "mei"},
			To: tracking.Actor{Shift: "kim", Tag: "Kim"}}))(h) // is queued
		h.pass(time.Millisecond)
		go func() {
			<-time.After(50 * time.Millisecond) // in time, so that the console is not cut
			release()
		}()
		s.end(consent.EndStore)
		h.log.add("test", "answered")
		h.pass(time.Second)
		equal(h, "mei is still connected", s.mei.open(), true)
		for _, f := range s.mei.about(s.alert) {
			if a, ok := f["alert"].(map[string]any); ok && a["version"].(float64) > 2 {
				t.Fatalf("the queued frame was written: %v", f)
			}
		}
		s.toldGone(s.mei, consent.Withdrawn)
		equal(h, "the other alert is untouched", h.alert(other).State, tracking.Snoozed)
	})
}

// A frame that waits behind a slow one is looked at again: meanwhile the lease has run out.
func TestAQueuedFrameIsNotWrittenWithoutALease(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		release := s.mei.hold()
		s.mei.Beat(1)
		h.pass(time.Millisecond)
		must(s.n.Act(h.Context(), shop, s.alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}}))(h)
		s.n.ledger.fail("poll")
		h.pass(tracking.LeaseTime + tracking.FlushEvery)
		from := len(h.log.all())
		release()
		h.pass(time.Second)
		for _, e := range h.log.all()[from:] {
			if e.frame != nil && mentions(e.frame, s.alert) {
				t.Fatalf("written without a lease: %v", e.frame)
			}
		}
		if s.n.Stats.FramesDropped.Load() == 0 {
			t.Fatal("no frame was waiting")
		}
	})
}

// The feed tells of something about a visit after its end was carried out here: it stays unsaid.
func TestWhatTheFeedSaysOfAnEndedVisitIsDropped(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		release := s.n.ledger.block("poll") // the node knows of nothing that others commit
		ctx := h.Context()
		_, err := h.db.ChangeAlert(ctx, shop, s.alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}, Now: h.clock.Now()})
		h.ok(err)
		h.pass(time.Millisecond)
		s.v.Bye() // carried out by this node itself, which had no need to poll for it
		h.pass(100 * time.Millisecond)
		equal(h, "gone frames", len(s.mei.got("gone")), 1)
		from := len(h.log.all())
		release()
		h.pass(time.Second)
		for _, e := range h.log.all()[from:] {
			if e.frame != nil && mentions(e.frame, s.alert) {
				t.Fatalf("after gone: %v", e.frame)
			}
		}
	})
}

// The same for a request that outlives its visit: what came before the end is not said after it.
func TestWhatTheFeedSaysOfARequestThatOutlivesItsVisit(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		h.pass(29*time.Second + 200*time.Millisecond) // the sweep that finds it silent comes within a lease
		release := s.n.ledger.block("poll")
		_, err := h.db.ChangeAlert(h.Context(), shop, s.alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}, Now: h.clock.Now()})
		h.ok(err)
		for s.v.phone.end() == "" {
			h.pass(50 * time.Millisecond)
		}
		h.pass(50 * time.Millisecond)
		equal(h, "serving", s.n.Serving(), true)
		from := len(h.log.all())
		release()
		h.pass(2 * time.Second)
		for _, e := range h.log.all()[from:] {
			if e.frame == nil || !mentions(e.frame, s.alert) {
				continue
			}
			a, _ := e.frame["alert"].(map[string]any)
			if e.what != "alert" || a["presence"] != "off" {
				t.Fatalf("about the visit that is over: %v", e.frame)
			}
		}
		equal(h, "on screen", lastPresence(s.mei, s.alert), "off")
	})
}

// A read that was under way when a visit was hidden does not bring it back.
func TestAStaleReadDoesNotUndoAHiding(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		h.pass(10 * time.Second)
		from := 0
		s.n.live.once("read", func(next func() error) error {
			err := next()
			from = len(h.log.all())
			s.v.at(away(20))
			return err
		})
		h.pass(1100 * time.Millisecond)
		if from == 0 {
			t.Fatal("nothing was read")
		}
		for _, e := range h.log.all()[from:] {
			if e.who == "mei" && (e.what == "live" || e.what == "position" || e.frame["presence"] == "visible") {
				t.Fatalf("shown while hidden: %v", e.frame)
			}
		}
		equal(h, "on screen", lastPresence(s.mei, s.alert), "hidden")
	})
}

// Hidden drops the dot that waits, and the zone; coming back shows them again.
func TestHiddenAndBack(t *testing.T) {
	inBubble(t, func(h *house) {
		s, _, kim := pair(h)
		h.pass(10 * time.Second)
		from := len(h.log.all())
		s.v.at(away(20))
		h.pass(100 * time.Millisecond)
		equal(h, "mei sees", lastPresence(s.mei, s.alert), "hidden")
		equal(h, "kim, at another node, sees", lastPresence(kim, s.alert), "hidden")
		h.pass(3 * time.Second)
		for _, e := range h.log.all()[from:] {
			if e.what == "position" || e.what == "live" {
				t.Fatalf("%s was sent %v of somebody hidden", e.who, e.frame)
			}
		}
		v := s.v
		v.at(frame().LatLng(40, 0))
		h.pass(time.Second)
		v.at(frame().LatLng(38, 0))
		h.pass(1100 * time.Millisecond)
		equal(h, "mei sees", lastPresence(s.mei, s.alert), "visible")
		equal(h, "kim sees", lastPresence(kim, s.alert), "visible")
	})
}

// A console that does not read is cut; the others notice nothing.
func TestASlowConsoleIsCut(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		kim := h.join(s.n, shop, "kim")
		h.pass(time.Second)
		defer kim.hold()()
		for i := range 3000 {
			kim.Tell("test", "", fmt.Sprint(i))
		}
		start := h.clock.Boot()
		must(s.n.Act(h.Context(), shop, s.alert, tracking.Change{Action: tracking.Release, By: tracking.Actor{Shift: "mei"}}))(h)
		h.pass(time.Millisecond)
		equal(h, "kim is still connected", kim.open(), false)
		equal(h, "mei is still connected", s.mei.open(), true)
		equal(h, "cut", s.n.Stats.ConsolesCut.Load(), 1)
		frames := s.mei.got("alert")
		a := frames[len(frames)-1]["alert"].(map[string]any)
		if a["version"].(float64) != 3 || h.clock.Boot()-start > 10*time.Millisecond {
			t.Fatalf("mei was held up: %v", a)
		}
	})
}

// Versions of an alert never go back on a screen, however the feed and the node's own word cross.
func TestVersionsNeverGoBack(t *testing.T) {
	inBubble(t, func(h *house) {
		s, b, kim := pair(h)
		mei, zoe := tracking.Actor{Shift: "mei"}, tracking.Actor{Shift: "zoe"}
		for i := range 6 {
			n, c := s.n, tracking.Change{Action: tracking.HandOver, By: mei, To: zoe}
			if i%2 == 1 {
				n, c = b, tracking.Change{Action: tracking.HandOver, By: zoe, To: mei}
			}
			must(n.Act(h.Context(), shop, s.alert, c))(h)
			if i%3 == 0 {
				h.pass(300 * time.Millisecond)
			}
		}
		h.pass(time.Second)
		for _, c := range []*screen{s.mei, kim} {
			last := 0.0
			for _, f := range c.got("") {
				list, _ := f["alerts"].([]any)
				if a, ok := f["alert"].(map[string]any); ok {
					list = append(list, a)
				}
				for _, a := range list {
					v := a.(map[string]any)["version"].(float64)
					if v < last {
						t.Fatalf("%s saw version %v after %v", c.name, v, last)
					}
					last = v
				}
			}
			equal(h, "the last version", last, float64(h.alert(s.alert).Version))
		}
	})
}

// A console that comes back is told what is, whatever it missed.
func TestAReconnect(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.mei.Close("lost")
		h.pass(time.Second)
		must(s.n.Act(h.Context(), shop, s.alert, tracking.Change{Action: tracking.Resolve, By: tracking.Actor{Shift: "mei"}}))(h)
		again := h.join(s.n, shop, "again")
		h.pass(time.Second)
		first := again.got("")[0]
		equal(h, "type", first["type"].(string), "snapshot")
		a := first["alerts"].([]any)[0].(map[string]any)
		equal(h, "state", a["state"].(string), string(tracking.Resolved))
		equal(h, "presence", a["presence"].(string), "gone")
		if _, ok := a["word"]; ok {
			t.Fatal("a word of an alert that is over")
		}
	})
}

func TestJoiningIsRefused(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		if _, _, err := n.Join(h.Context(), "nowhere", tracking.Person{}, h.screen("lou")); !errors.Is(err, tracking.ErrNoStore) {
			t.Fatalf("joined: %v", err)
		}
		n.ledger.fail("poll")
		h.pass(2 * tracking.LeaseTime)
		if _, _, err := n.Join(h.Context(), shop, tracking.Person{}, h.screen("lou")); !errors.Is(err, tracking.ErrUnavailable) {
			t.Fatalf("joined without a lease: %v", err)
		}
	})
}

// Each position carries the beat that the page sent last: by it the page tells how old the news is.
func TestAPositionCarriesTheLastBeat(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		for _, beat := range []int64{7, 8} {
			s.mei.Beat(beat)
			h.pass(tracking.BeatEvery)
			s.v.at(frame().LatLng(float64(beat), 1))
			h.pass(time.Second)
			shown := s.mei.got("position")
			equal(h, "beat of the last position", shown[len(shown)-1]["n"].(float64), float64(beat))
		}
	})
}

// A console that comes when a visit has just gone hears that it is, and nothing more of what was asked
// for or of who had it.
func TestWhoComesAfterTheEndIsToldNoMoreThanThat(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		a := must(s.n.Raise(h.Context(), tracking.Alert{Store: shop, Visit: s.v.hid, Kind: tracking.Arrived, Topic: "pickup", Ref: "order-7", Purpose: "assist"}))(h)
		s.mei.claim(s.n, a.ID)
		h.pass(time.Second)
		s.end(consent.EndStore)
		late := h.join(s.n, shop, "kim")
		h.pass(time.Second)
		snapshots := late.got("snapshot")
		if len(snapshots) == 0 || !mentions(snapshots[0], a.ID) || !mentions(snapshots[0], "gone") {
			t.Fatalf("the snapshot does not tell of the end: %v", snapshots)
		}
		for _, word := range []string{"pickup", "order-7", "mei", "MEI", s.v.hid} {
			if mentions(snapshots[0], word) {
				t.Errorf("the snapshot still holds %q", word)
			}
		}
	})
}
