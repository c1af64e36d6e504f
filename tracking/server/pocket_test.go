// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/server/auth"
)

// report sends a fix at the service desk from an app in the given state, and tells whether it was refused for that.
func (s *handset) report(state string) (refused bool) {
	s.h.Helper()
	before := len(s.got("error"))
	s.seq++
	at := s.h.index.Site().Frame().LatLng(0, 0)
	s.say(map[string]any{"type": "fix", "seq": s.seq, "t": time.Now().UnixMilli(), "lat": at.Lat, "lng": at.Lng,
		"accuracy_m": 5, "app_state": state, "precise": true})
	s.h.pass(5 * time.Second)
	for _, e := range s.got("error")[before:] {
		refused = refused || e["code"] == "background"
	}
	return refused
}

// Off screen nothing is taken, unless the shopper has decided for that too; and then for twenty minutes since the app
// was last looked at.
func TestInAPocket(t *testing.T) {
	for name, c := range map[string]struct {
		purposes []string
		allowed  bool
	}{
		"with the decision":    {[]string{"pocket", "assist"}, true},
		"without the decision": {[]string{"assist"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				h.onDuty()
				a := h.install("shopper", auth.ShopperLife)
				for _, purpose := range c.purposes {
					h.ok(a.agree(purpose))
				}
				s := h.hello("doorstep.ticket."+a.ticketFor(c.purposes...), h.index.Site().Version)
				go s.listen()
				h.want("on screen", s.report("foreground"), false)
				for end := time.Now().Add(20*time.Minute - 5*time.Second); time.Now().Before(end); {
					if s.seq%60 == 0 { // a token lives for less than a pocket
						s.say(map[string]any{"type": "auth", "ticket": a.ticketFor(c.purposes...)})
					}
					h.want("in a pocket: refused", s.report("pocket"), !c.allowed)
					if !c.allowed {
						return
					}
				}
				h.want("for too long: refused", s.report("pocket"), true)
				h.want("looked at again", s.report("foreground"), false)
				h.want("in a pocket again: refused", s.report("pocket"), false)
			})
		})
	}
}

// The decision for the pocket opens nothing by itself, and counts only if it was made.
func TestAPocketAlone(t *testing.T) {
	h := newHouse(t)
	h.attended()
	a := h.install("shopper", auth.ShopperLife)
	h.ok(a.agree("pocket"))
	for _, c := range []struct {
		purposes []string
		status   int
	}{{[]string{"pocket"}, http.StatusBadRequest}, {[]string{"pocket", "assist"}, http.StatusForbidden}} {
		_, err := a.ConnectWith(h.Context(), demostore.ID, "x", c.purposes)
		var p *client.Problem
		if !errors.As(err, &p) || p.Status != c.status {
			t.Errorf("%v: %v, want %d", c.purposes, err, c.status)
		}
	}
	h.ok(a.agree("assist"))
	a.ticketFor("pocket", "assist")
}

// agree decides for a purpose.
func (a *app) agree(purpose string) error {
	p, err := a.Prompt(a.h.Context(), client.PromptRequest{Store: demostore.ID, Purpose: purpose, Lang: "en", Opened: true})
	if err == nil {
		_, err = a.Decide(a.h.Context(), demostore.ID, p, client.Answer{Choice: "term", Control: "button"})
	}
	return err
}
