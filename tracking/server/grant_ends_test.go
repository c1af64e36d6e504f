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
	"doorstep/tracking/wire"
)

// What a grant gave dies with it: a ticket that was not used yet, the socket that is open, and the right to come back to
// it. None of them asks the grant's shopper; each asks the ledger.
func TestWhatAGrantGaveDiesWithIt(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		ana := h.granted("ana", 10*time.Minute)
		spare := ana.ticket()
		s := ana.session()
		s.enter()
		h.pass(time.Second)
		ana.withdraw()
		h.pass(time.Second)
		if code, _ := s.closed(); code != wire.CloseWithdrawn {
			h.Errorf("the open socket was closed with %d", code)
		}
		if late := h.hello("doorstep.ticket."+spare, h.index.Site().Version); late.code != wire.CloseNoGrant || len(late.got("welcome")) != 0 {
			h.Errorf("a ticket from before: %v, closed with %d", late.got(""), late.code)
		}
		if again := s.resume(); again.code != wire.CloseExpired || len(again.got("welcome")) != 0 {
			h.Errorf("a resume from before: %v, closed with %d", again.got(""), again.code)
		}
		if h.node.Sessions() != 0 {
			h.Errorf("%d sessions are left", h.node.Sessions())
		}
	})
}

// Without staff signed in nobody is tracked: no ticket is given, and one from before opens nothing. The app is told why.
func TestNobodyOnDutyNobodyTracked(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		conn, _, err := h.dialConsole(&peer{}, h.staff("desk", time.Hour))
		h.ok(err)
		go readAll(conn, make(chan struct{}))
		h.pass(time.Second)
		ana := h.granted("ana", 10*time.Minute)
		ticket := ana.ticket()
		h.ok(conn.Close())
		h.pass(12 * time.Second) // the grace for a page that is loaded anew
		s := h.hello("doorstep.ticket."+ticket, h.index.Site().Version)
		if s.code != wire.CloseNobody || wire.CloseNobody != 4508 || len(s.got("welcome")) != 0 {
			h.Errorf("opened: %v, closed with %d", s.got(""), s.code)
		}
		_, err = ana.ConnectWith(h.Context(), demostore.ID, "x", []string{"assist"})
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Code != "nobody_on_duty" || p.RetryMS == 0 {
			h.Errorf("a ticket: %v", err)
		}
		if h.node.Stats.Fixes.Load() != 0 || h.node.Sessions() != 0 {
			h.Error("somebody is tracked")
		}
	})
}

// Staff who are there for a purpose open nothing for another; a token that names none is for every one.
func TestStaffAreThereForAPurpose(t *testing.T) {
	for want, purposes := range map[string][]string{"nobody_on_duty": {"pickup"}, "": {"pickup", "assist"}, "none": nil} {
		t.Run(want, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				token, err := h.key.MintStaff("counter", "Counter", auth.RoleFloor, demostore.ID, time.Hour, purposes...)
				h.ok(err)
				conn, _, err := h.dialConsole(&peer{}, http.Header{"Authorization": {"Bearer " + token}})
				h.ok(err)
				go readAll(conn, make(chan struct{}))
				h.pass(time.Second)
				_, err = h.granted("ana", 10*time.Minute).ConnectWith(h.Context(), demostore.ID, "x", []string{"assist"})
				p, refused := errors.AsType[*client.Problem](err)
				if want == "nobody_on_duty" && (!refused || p.Code != want) || want != "nobody_on_duty" && refused {
					t.Errorf("there for %v: %v", purposes, err)
				}
				h.ok(conn.Close())
			})
		})
	}
}
