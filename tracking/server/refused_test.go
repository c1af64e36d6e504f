// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/server/auth"
)

// altered changes the body of requests to one address.
type altered struct {
	next http.RoundTripper
	path string
	edit func(body map[string]any)
}

func (a altered) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != a.path || r.Body == nil {
		return a.next.RoundTrip(r)
	}
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	a.edit(body)
	return a.next.RoundTrip(withBody(r, body))
}

// What the brief wants refused at the API is refused, each with a code of its own, and grants nothing.
func TestRefusedAtTheAPI(t *testing.T) {
	set := func(name string, value any) func(map[string]any) {
		return func(body map[string]any) { body[name] = value }
	}
	h := newHouse(t)
	h.attended()
	for name, c := range map[string]struct {
		path string
		edit func(map[string]any)
		code string
	}{
		"yes or later":               {"/v1/decisions", set("choice", "later"), "choice"},
		"accept all":                 {"/v1/decisions", set("choice", "all"), "choice"},
		"several purposes at once":   {"/v1/decisions", set("purposes", []string{"assist", "pickup"}), "bundled"},
		"with the terms of use":      {"/v1/decisions", set("terms", true), "bundled"},
		"on by default":              {"/v1/decisions", set("control", "default"), "inferred"},
		"ticked in advance":          {"/v1/decisions", set("control", "prechecked"), "inferred"},
		"by scrolling":               {"/v1/decisions", set("control", "scroll"), "inferred"},
		"by dismissing":              {"/v1/decisions", set("control", "dismiss"), "inferred"},
		"by waiting":                 {"/v1/decisions", set("control", "timeout"), "inferred"},
		"the system's permission":    {"/v1/decisions", set("control", "os_permission"), "inferred"},
		"for a reward":               {"/v1/decisions", set("reward", "5 %"), "undeclared"},
		"a prompt with a reward":     {"/v1/prompts", set("reward", "5 %"), "undeclared"},
		"another purpose than asked": {"/v1/decisions", set("purpose", "pickup"), "served_id"},
		"a notice not served":        {"/v1/decisions", set("served_id", ""), "served_id"},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.app(name, &http.Client{Transport: altered{h.web.Transport, c.path, c.edit}}, nil)
			p, err := a.Prompt(t.Context(), client.PromptRequest{Store: demostore.ID, Purpose: "assist", Lang: "en", Opened: true})
			if err == nil {
				_, err = a.Decide(t.Context(), demostore.ID, p, client.Answer{Choice: "visit", Control: "button"})
			}
			if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != 422 || p.Code != c.code || p.Remedy == "" {
				t.Errorf("%v, want 422 %s", err, c.code)
			}
			me, err := a.Me(t.Context(), demostore.ID)
			if err != nil || len(me.Grants) != 0 {
				t.Errorf("granted: %+v, %v", me.Grants, err)
			}
		})
	}
}

// Nobody grants for a shopper: staff and operators are not let in at that door.
func TestStaffGrantNothing(t *testing.T) {
	h := newHouse(t)
	staff, err := h.key.MintStaff("shift", "Desk", auth.RoleAdmin, demostore.ID, time.Hour)
	h.ok(err)
	admin, err := h.key.MintAdmin("ana", time.Hour)
	h.ok(err)
	for _, token := range []string{staff, admin} {
		for _, path := range []string{"/v1/prompts", "/v1/decisions", "/v1/tickets"} {
			if status := h.ask("POST", path, token, "{}", nil); status != http.StatusForbidden && status != http.StatusUnauthorized {
				t.Errorf("%s: %d", path, status)
			}
		}
	}
}

// Withdrawing takes one call and no word why: there is nothing in which a reason, a confirmation or a delay could be
// asked for or sent. Granting takes two.
func TestWithdrawingAsksForNothing(t *testing.T) {
	h := newHouse(t)
	for _, member := range []string{"reason", "confirm", "after_t", "password"} {
		a := h.app("shopper", &http.Client{Transport: altered{h.web.Transport, "/v1/withdrawals", func(b map[string]any) { b[member] = "x" }}}, nil)
		if _, err := h.decide(a, "visit"); err != nil {
			t.Fatal(err)
		}
		_, err := a.Withdraw(t.Context(), client.Withdrawal{Scope: "all"})
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != 400 {
			t.Errorf("%s: %v", member, err)
		}
	}
	a := h.app("shopper", h.web, nil)
	if _, err := h.decide(a, "visit"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Withdraw(t.Context(), client.Withdrawal{Scope: "all"}); err != nil {
		t.Errorf("one call and nothing else: %v", err)
	}
}
