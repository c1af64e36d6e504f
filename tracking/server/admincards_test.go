// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/tracking/cards"
	"doorstep/tracking/server"
	"doorstep/tracking/server/auth"
)

const (
	cardsAt = "/v1/admin/stores/" + demostore.ID + "/cards"
	dot     = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)

// shown are the cards that a phone is given.
func (h *house) shown() (list []cards.Dealt) {
	h.Helper()
	var a struct{ Cards []cards.Dealt }
	h.want("the public cards", h.ask("GET", "/v1/cards/"+demostore.ID, "", "", &a), http.StatusOK)
	return a.Cards
}

// Cards are put in force without a restart and audited, given to every phone whole, with their pictures and with times in place of hours,
// and taken away: then those that the server was given are there again. Those with a mistake change nothing.
func TestCardsAreAdministered(t *testing.T) {
	inBubble(t, func(c *server.Config) { c.Cards = demostore.Cards }, func(h *house) {
		given := len(h.shown())
		deck := fmt.Sprintf(`{"time_zone":"UTC","cards":[{"zone":"shoes","title":"Schuhe","text":"Halbe Größen.","lang":"de","image":%q,"alt":"Ein Regal"},
			{"zone":"bags","title":"Bags","text":"Now.","hours":"Mo-Su 00:00-00:01,06:00-07:00","link":"https://shop.example/"}]}`, dot)
		var kept cards.Deck
		h.want("put", h.admin("PUT", cardsAt, deck, nil), http.StatusOK)
		h.want("get", h.admin("GET", cardsAt, "", &kept), http.StatusOK)
		h.want("as they were written", fmt.Sprint(len(kept.Cards), kept.Cards[1].Hours, kept.TimeZone), "2Mo-Su 00:00-00:01,06:00-07:00UTC")
		list := h.shown()
		h.want("how many", len(list), 2)
		h.want("the picture", list[0].Image == dot && list[0].Alt == "Ein Regal" && list[0].Lang == "de" && list[0].Times == nil, true)
		six := time.Now().Truncate(24 * time.Hour).Add(6 * time.Hour).UnixMilli()
		h.want("the second span of today", list[1].Times[1], cards.Span{From: six, Until: six + 3_600_000})
		h.want("the link", list[1].Link, "https://shop.example/")
		phones, err := h.app("ana", h.web, nil).Cards(h.Context(), demostore.ID)
		h.ok(err)
		h.want("to the Go client", len(phones) == 2 && phones[0].Image == dot && phones[0].At(0) && phones[1].Link == list[1].Link, true)
		h.want("at its times", fmt.Sprint(phones[1].At(six-1), phones[1].At(six), phones[1].At(six+3_599_999), phones[1].At(six+3_600_000)), "false true true false")
		first := list[1].Times[0]
		h.pass(time.Minute)
		h.want("a minute later it is over", h.shown()[1].Times[0] != first, true)
		for what, c := range map[string]struct {
			body   string
			status int
			code   string
			says   string
		}{
			"a zone":    {`{"cards":[{"zone":"Shoes","title":"S","text":"T"}]}`, 422, "bad_cards", "cards[0] (Shoes).zone"},
			"a private": {`{"cards":[{"zone":"toilets","title":"S","text":"T"}]}`, 422, "bad_cards", "staff may see into"},
			"no JSON":   {`cards`, 422, "bad_cards", "the whole"},
			"too much":  {strings.Repeat(" ", cards.Most+1), 413, "too_large", ""},
		} {
			var p storeAnswer
			if status := h.admin("PUT", cardsAt, c.body, &p); status != c.status || p.Code != c.code || !strings.Contains(p.Detail, c.says) {
				h.Errorf("%s: %d %s %s", what, status, p.Code, p.Detail)
			}
		}
		h.want("after mistakes", len(h.shown()), 2)
		h.want("of no store", h.admin("PUT", "/v1/admin/stores/nowhere/cards", `{"cards":[]}`, nil), http.StatusNotFound)
		h.want("none at all", h.admin("PUT", cardsAt, `{"cards":[]}`, nil), http.StatusOK)
		h.want("none are shown", len(h.shown()), 0)
		h.want("taken away", h.admin("DELETE", cardsAt, "", nil), http.StatusNoContent)
		h.want("the server's own", len(h.shown()), given)
		h.want("and to whoever administers", h.admin("GET", cardsAt, "", &kept), http.StatusOK)
		h.want("the same", len(kept.Cards), given)
		var audit struct{ Changes []struct{ What, By string } }
		h.want("changes", h.admin("GET", "/v1/admin/stores/"+demostore.ID+"/changes", "", &audit), http.StatusOK)
		if len(audit.Changes) != 3 || audit.Changes[0].What != "cards taken away" || !strings.HasPrefix(audit.Changes[2].What, "cards ") || audit.Changes[0].By == "" {
			h.Errorf("audited: %v", audit.Changes)
		}
		staff, err := h.key.MintStaff("shift", "Desk", auth.RoleAdmin, demostore.ID, time.Hour)
		h.ok(err)
		h.want("as staff", h.ask("PUT", cardsAt, staff, deck, nil), http.StatusForbidden)
		h.want("by nobody", h.ask("GET", cardsAt, "", "", nil), http.StatusUnauthorized)
	})
}
