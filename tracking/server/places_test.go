// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
)

// TestSocketsAtATime: an address, a shopper and a person each have so many sockets, whatever number of phones,
// tickets or shifts' tokens they hold. One too many is answered before it is a socket, and takes nothing; a
// place that is given back is there again.
func TestSocketsAtATime(t *testing.T) {
	for _, c := range []struct {
		name                  string
		perAddress, perPerson int
		who                   [3]string // whose the sockets are
	}{
		{"of one address", 2, 9, [3]string{"ana", "ben", "cem"}},
		{"of one person", 9, 2, [3]string{"ana", "ana", "ana"}},
	} {
		t.Run("apps "+c.name, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				h.attended()
				h.server.Narrow(c.perAddress, c.perPerson)
				var tickets [4]string
				var apps [3]*app
				for i, who := range c.who {
					apps[i] = h.granted(who, 10*time.Minute)
					tickets[i] = apps[i].ticket()
				}
				tickets[3] = apps[2].ticket()
				first := h.hello("doorstep.ticket."+tickets[0], h.index.Site().Version)
				go first.listen()
				go h.hello("doorstep.ticket."+tickets[1], h.index.Site().Version).listen()
				h.pass(time.Millisecond)
				_, res, err := h.dialSession("doorstep.ticket." + tickets[2])
				h.tooMany(res, err)
				if c.perPerson == 2 { // and where a browser can read it
					_, err := apps[2].ConnectWith(h.Context(), demostore.ID, "x", []string{"assist"})
					if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != http.StatusTooManyRequests || p.RetryMS == 0 {
						h.Fatalf("a ticket: %v", err)
					}
				}
				_ = first.conn.Close()
				h.pass(time.Second)
				if s := h.hello("doorstep.ticket."+tickets[3], "x"); len(s.got("welcome")) != 1 {
					h.Fatalf("in the place given back: %v, closed with %d", s.frames, s.code)
				}
			})
		})
		t.Run("consoles "+c.name, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				h.server.Narrow(c.perAddress, c.perPerson)
				open := func(i int) (*websocket.Conn, *http.Response, error) {
					return h.dialConsole(&peer{}, h.staff(c.who[i], time.Hour))
				}
				first, _, err := open(0)
				h.ok(err)
				_, _, err = open(1)
				h.ok(err)
				_, res, err := open(2)
				h.tooMany(res, err)
				h.ok(first.Close())
				h.pass(time.Second)
				_, _, err = open(2)
				h.ok(err)
			})
		})
	}
}

// TestARefusedSocketTakesNoPlace from those who share its address.
func TestARefusedSocketTakesNoPlace(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		h.server.Narrow(2, 1)
		ana, ben := h.granted("ana", 10*time.Minute), h.granted("ben", 10*time.Minute)
		first, second := ana.ticket(), ana.ticket()
		go h.hello("doorstep.ticket."+first, "x").listen()
		h.pass(time.Millisecond)
		_, res, err := h.dialSession("doorstep.ticket." + second)
		h.tooMany(res, err)
		ben.quiet()
	})
}

// tooMany wants the answer 429 to a handshake, with the time of the next try.
func (h *house) tooMany(res *http.Response, err error) {
	h.Helper()
	if !errors.Is(err, websocket.ErrBadHandshake) {
		h.Fatalf("one too many: %v", err)
	}
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		h.Fatalf("one too many: %d, retry after %q", res.StatusCode, res.Header.Get("Retry-After"))
	}
}
