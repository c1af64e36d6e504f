// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/server/auth"
)

// stopToken is the one that came with the last decision of an app.
func (a *app) stopToken() string {
	a.h.Helper()
	var decided struct {
		StopToken string `json:"stop_token"`
	}
	a.h.ok(json.Unmarshal(a.last.body, &decided))
	return decided.StopToken
}

// A withdrawal in which a word is wrong is not answered as done, for what was meant goes on. It is refused, with no event;
// and the phone that it came for is not tracked any more, since that stop was said is certain. If it cannot be told that only this
// phone was meant, no phone of the shopper's is.
func TestAMisspeltWithdrawal(t *testing.T) {
	const id, store = `"id":"ID"`, `"store":"` + demostore.ID + `"`
	for what, c := range map[string]struct {
		body   string
		status int
		code   string
		all    bool // phones of the shopper
	}{
		"another purpose":    {`{` + id + `,"scope":"grant",` + store + `,"purpose":"asist","t":1}`, 422, "not_on_record", false},
		"another store":      {`{` + id + `,"scope":"grant","store":"nowhere","purpose":"assist","t":1}`, 422, "not_on_record", false},
		"all of another":     {`{` + id + `,"scope":"store","store":"nowhere","t":1}`, 422, "not_on_record", false},
		"no purpose":         {`{` + id + `,"scope":"grant",` + store + `,"t":1}`, 422, "request", false},
		"another scope":      {`{` + id + `,"scope":"stor",` + store + `,"t":1}`, 422, "scope", true},
		"no id":              {`{"id":"1","scope":"store",` + store + `,"t":1}`, 400, "request", false},
		"no time":            {`{` + id + `,"scope":"store",` + store + `}`, 400, "request", false},
		"after all years":    {`{` + id + `,"scope":"store",` + store + `,"t":253402300800000}`, 400, "request", false},
		"a time before time": {`{` + id + `,"scope":"all","t":-1}`, 400, "request", true},
		"a member too many":  {`{` + id + `,"scope":"all","t":1,"reason":"none"}`, 400, "request", true},
		"not even an object": {`stop`, 400, "request", true},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				h.onDuty()
				ana := h.granted("ana", 10*time.Minute)
				token := ana.stopToken()
				tablet, ben := h.granted("ana", 10*time.Minute), h.granted("ben", 10*time.Minute)
				mine, hers, his := ana.session(), tablet.session(), ben.session()
				for _, s := range []*handset{mine, hers, his} {
					s.enter()
				}
				visit := mine.welcome()["session"].(string)
				logged, err := h.ledger.TreeHead(h.Context())
				h.ok(err)
				body := strings.Replace(c.body, "ID", uuid.NewString(), 1)
				status, code := h.request("POST", "/v1/withdrawals", body, http.Header{"Authorization": {"Stop " + token}})
				h.want("status", status, c.status)
				h.want("code", code, c.code)
				h.pass(time.Second)
				gone, _ := mine.closed()
				h.want("this phone's socket", gone, 1000)
				if found, err := h.live.Read(h.Context(), demostore.ID, []string{visit}); err != nil || len(found) != 0 {
					h.Errorf("the position is still there: %v", err)
				}
				if code, _ := hers.closed(); (code == 1000) != c.all {
					h.Errorf("the other phone's socket: %d", code)
				}
				his.stillOpen()
				now, err := h.ledger.TreeHead(h.Context())
				h.ok(err)
				h.want("events", now.Size, logged.Size)
				me, err := ana.Me(h.Context(), demostore.ID)
				h.ok(err)
				h.want("grants that stay", len(me.Grants), 1)
				_, err = ana.Withdraw(h.Context(), client.Withdrawal{Scope: "grant", Store: demostore.ID, Purpose: "assist"})
				h.ok(err)
			})
		})
	}
}

// The id of another withdrawal is none for this one, and that stops the phone too.
func TestAWithdrawalUnderAnothersID(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		ana := h.granted("ana", 10*time.Minute)
		id := uuid.NewString()
		_, err := ana.Withdraw(h.Context(), client.Withdrawal{ID: id, Scope: "grant", Store: demostore.ID, Purpose: "pickup"})
		h.ok(err)
		s := ana.session()
		s.enter()
		_, err = ana.Withdraw(h.Context(), client.Withdrawal{ID: id, Scope: "store", Store: demostore.ID})
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != http.StatusConflict || p.Code != "id_taken" {
			h.Errorf("answered %v", err)
		}
		h.pass(time.Second)
		if code, _ := s.closed(); code != 1000 {
			h.Errorf("closed with %d", code)
		}
	})
}

// Of whoever comes with their token it is the same. A store that has lost its map is still on record of who was there.
func TestAWithdrawalOfWhatIsOnRecordOnly(t *testing.T) {
	h := newHouse(t)
	h.want("a store", h.admin("PUT", "/v1/admin/stores/kiosk/map", kiosk(0), nil), http.StatusOK)
	ana, ben := h.install("ana", time.Minute), h.install("ben", time.Minute)
	p, err := ana.Prompt(t.Context(), client.PromptRequest{Store: "kiosk", Purpose: "assist", Lang: "en"})
	h.ok(err)
	_, err = ana.Decide(t.Context(), "kiosk", p, client.Answer{Choice: "term", Control: "button"})
	h.ok(err)
	h.want("its end", h.admin("DELETE", "/v1/admin/stores/kiosk/map", "", nil), http.StatusNoContent)
	for name, c := range map[string]struct {
		who  *app
		what client.Withdrawal
		ok   bool
	}{
		"hers":                   {ana, client.Withdrawal{Scope: "grant", Store: "kiosk", Purpose: "assist"}, true},
		"hers, again":            {ana, client.Withdrawal{Scope: "store", Store: "kiosk"}, true},
		"of a purpose not asked": {ana, client.Withdrawal{Scope: "grant", Store: "kiosk", Purpose: "pickup"}, false},
		"of who never was there": {ben, client.Withdrawal{Scope: "store", Store: "kiosk"}, false},
	} {
		_, err := c.who.Withdraw(t.Context(), c.what)
		if p, refused := errors.AsType[*client.Problem](err); err != nil && (!refused || p.Code != "not_on_record") || (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A stop that is said by the socket and cannot be read stops the session; and one that comes fast is no frame too many.
func TestAStopByTheSocketIsAlwaysOne(t *testing.T) {
	id := uuid.NewString()
	for what, c := range map[string]struct {
		frame any
		fixes int
		code  int
	}{
		"a member too many": {map[string]any{"type": "withdraw", "id": id, "scope": "grant", "purpose": "assist"}, 0, 1000},
		"another scope":     {map[string]any{"type": "withdraw", "id": id, "scope": "stor"}, 0, 1000},
		"no UUID":           {map[string]any{"type": "withdraw", "id": "1", "scope": "all"}, 0, 1000},
		"nothing else":      {map[string]any{"type": "withdraw"}, 0, 4503},
		"fast":              {map[string]any{"type": "withdraw", "id": id, "scope": "all"}, 6, 4500},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				h.onDuty()
				s := h.granted("ana", 10*time.Minute).session()
				s.enter()
				h.pass(time.Second)
				for range c.fixes {
					s.fix(0, 0)
				}
				s.say(c.frame)
				h.pass(time.Second)
				if code, _ := s.closed(); code != c.code {
					h.Errorf("closed with %d, want %d; heard %v", code, c.code, s.got(""))
				}
			})
		})
	}
}

// A session of several purposes cannot say which one it withdraws: it ends, and nothing is confirmed that was not done.
func TestAGrantOfSeveralIsNotWithdrawnByTheSocket(t *testing.T) {
	h := newHouse(t)
	h.attended()
	a := h.install("shopper", auth.ShopperLife)
	for _, purpose := range []string{"assist", "pocket"} {
		h.ok(a.agree(purpose))
	}
	s := h.hello("doorstep.ticket."+a.ticketFor("assist", "pocket"), h.index.Site().Version)
	s.say(map[string]any{"type": "withdraw", "id": uuid.NewString(), "scope": "grant"})
	s.listen()
	code, _ := s.closed()
	h.want("closed with", code, 1000)
	errs := s.got("error")
	if len(errs) != 1 || errs[0]["code"] != "which_grant" || len(s.got("withdrawn")) > 0 {
		t.Errorf("errors %v, withdrawn %v", errs, s.got("withdrawn"))
	}
	me, err := a.Me(t.Context(), demostore.ID)
	h.ok(err)
	h.want("grants that stand", len(me.Grants), 2)
}
