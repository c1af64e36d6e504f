// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// isOver checks what must be true after any end, and stays true.
func (s *scene) isOver(reason consent.Reason, stays bool) {
	s.Helper()
	equal(s.house, "the phone's reason", s.v.phone.end(), reason)
	equal(s.house, "state", s.v.phone.closed.State, tracking.StateEnded)
	equal(s.house, "sessions", s.n.Sessions(), 0)
	equal(s.house, "tombstone", s.v.tombstone(), true)
	equal(s.house, "position", string(s.v.payload()), "")
	if stays {
		a := s.house.alert(s.alert)
		equal(s.house, "the request", a.State, tracking.Claimed)
		equal(s.house, "location off", a.Off, true)
		equal(s.house, "on screen", lastPresence(s.mei, s.alert), "off")
		equal(s.house, "gone frames", len(s.mei.got("gone")), 0)
	} else {
		a := s.house.alert(s.alert)
		equal(s.house, "the alert", a.State, tracking.Gone)
		equal(s.house, "its reason", a.Reason, string(reason))
		s.toldGone(s.mei, reason)
	}
	if n := len(s.lea.about(s.alert)); n != 0 {
		s.Fatalf("the other store's console was sent %d frames", n)
	}
	s.viewClosed()
	s.nothingMore()
}

// toldGone checks the one signed frame.
func (s *scene) toldGone(c *screen, reason consent.Reason) {
	s.Helper()
	frames := c.got("gone")
	equal(s.house, "gone frames", len(frames), 1)
	f := frames[0]
	equal(s.house, "alert", f["alert"].(string), s.alert)
	equal(s.house, "reason", f["reason"].(string), string(reason))
	if want := proof(s.alert, int64(f["offset"].(float64))); f["proof"] != want || f["offset"].(float64) == 0 {
		s.Fatalf("proof: %v, want %q", f["proof"], want)
	}
}

func (s *scene) viewClosed() {
	s.Helper()
	views := must(s.ledger.Journal(s.Context(), s.ana.subject))(s.house)
	equal(s.house, "views", len(views), 1)
	if v := views[0]; v.ClosedAt.IsZero() || v.Count == 0 || v.Reader != "mei" {
		s.Fatalf("the view is not settled: %+v", v)
	}
}

// nothingMore lets everything happen that might still say something, and listens.
func (s *scene) nothingMore() {
	s.Helper()
	from := len(s.log.all())
	s.publish(tracking.Position{T: 1, Lat: 54, Lng: 3, AccuracyM: 5}) // a position that was under way
	if r := s.v.at(desk()); !r.Over || r.Accepted {
		s.Fatalf("a fix after the end: %+v", r)
	}
	if err := s.v.Ask(s.Context(), tracking.Alert{Kind: tracking.Help}); !errors.Is(err, tracking.ErrOver) {
		s.Fatalf("a call after the end: %v", err)
	}
	s.mei.Beat(1)
	s.pass(5 * time.Second)
	for _, e := range s.log.all()[from:] {
		if e.who == "phone" || e.frame != nil && (mentions(e.frame, s.alert) || mentions(e.frame, tracking.Word(s.v.hid))) {
			s.Fatalf("after the end, %s was sent %s %v", e.who, e.what, e.frame)
		}
	}
	equal(s.house, "position", string(s.v.payload()), "")
}

// What a node has to remember of what is over, so that nothing late undoes it, it forgets when nothing can come any more.
func TestWhatIsOverIsForgotten(t *testing.T) {
	inBubble(t, func(h *house) {
		s := newScene(h)
		s.end(consent.EndStore)
		ended, waits, alerts := s.n.Remembered(shop)
		if ended != 1 || waits != 0 || alerts == 0 {
			t.Fatalf("after the end: %d visits, %d waits, %d alerts", ended, waits, alerts)
		}
		h.pass(2*tracking.FenceLife + 2*time.Second)
		ended, waits, alerts = s.n.Remembered(shop)
		if ended != 0 || waits != 0 || alerts != 0 {
			t.Errorf("later on: %d visits, %d waits, %d alerts", ended, waits, alerts)
		}
	})
}
