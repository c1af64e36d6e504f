// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"testing"
	"time"
)

// closedWithin wants the socket to be closed with a code, after a moment and at most a second late.
func (s *handset) closedWithin(code int, from time.Time) {
	s.h.Helper()
	got, at := s.closed()
	if late := at.Sub(from); got != code || late <= 0 || late > time.Second {
		s.h.Fatalf("closed with %d, %v after it was due; want %d", got, late, code)
	}
}

func (s *handset) stillOpen() {
	s.h.Helper()
	if code, _ := s.closed(); code != 0 {
		s.h.Fatalf("closed with %d", code)
	}
}

// A token ends under an open socket: the app is told a minute before, and the socket is renewed with a ticket
// of the same shopper, on the same phone, or closed within a second.
func TestATokenThatEnds(t *testing.T) {
	for name, c := range map[string]struct {
		ticket func(ana *app) string
		renews bool
	}{
		"the same shopper's":         {(*app).ticket, true},
		"no ticket":                  {func(*app) string { return "" }, false},
		"a ticket that never was":    {func(*app) string { return "AAAA" }, false},
		"another shopper's":          {func(ana *app) string { return ana.h.granted("ben", time.Hour/4).ticket() }, false},
		"the same one's, of a phone": {func(ana *app) string { return ana.h.granted("ana", time.Hour/4).ticket() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				h.onDuty()
				ana := h.granted("ana", 2*time.Minute)
				s := ana.session()
				until := time.UnixMilli(int64(s.got("welcome")[0]["auth_until"].(float64)))
				s.stay(time.Until(until) - 62*time.Second)
				if len(s.got("auth_due")) != 0 {
					h.Fatal("told too soon")
				}
				s.stay(5 * time.Second)
				if due := s.got("auth_due"); len(due) != 1 || int64(due[0]["by"].(float64)) != until.UnixMilli() {
					h.Fatalf("told of the end by %v", due)
				}
				if ticket := c.ticket(ana); ticket != "" {
					s.say(map[string]any{"type": "auth", "ticket": ticket})
					s.stay(time.Second)
					if refused := len(s.got("error")) == 1; refused == c.renews {
						h.Fatalf("answered %v", s.got("error"))
					}
				}
				s.stay(time.Until(until) + 2*time.Second)
				if !c.renews {
					s.closedWithin(4006, until)
					return
				}
				s.stay(30 * time.Second)
				s.stillOpen()
			})
		})
	}
}

// A map that the app does not have must be confirmed in time, in that version.
func TestANewMapIsConfirmed(t *testing.T) {
	for name, confirms := range map[string]string{"confirmed": "this", "another version": "other", "not confirmed": ""} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				h.onDuty()
				version := h.index.Site().Version
				s := h.hello("doorstep.ticket."+h.granted("ana", 10*time.Minute).ticket(), "older")
				go s.listen()
				s.stay(time.Second)
				news := s.got("map")
				if len(news) != 1 || news[0]["fence"] != version {
					h.Fatalf("told of %v", news)
				}
				by := time.UnixMilli(int64(news[0]["by"].(float64)))
				switch confirms {
				case "this":
					s.say(map[string]any{"type": "map_ok", "fence": version, "seq": s.seq + 1})
				case "other":
					s.say(map[string]any{"type": "map_ok", "fence": "older", "seq": s.seq + 1})
				}
				s.stay(time.Until(by) + 2*time.Second)
				if confirms == "this" {
					s.stillOpen()
					return
				}
				s.closedWithin(4002, by)
			})
		})
	}
}
