// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	spec "doorstep/mobile-sdk-spec"
	"doorstep/mobile-sdk-spec/go/client"
)

// TestWhoMayNotIsTold: every operation that declares 401 gives it to whoever shows nothing, and every one of operators
// that declares 403 gives that to floor staff.
func TestWhoMayNotIsTold(t *testing.T) {
	h := newHouse(t)
	names, err := spec.Documented()
	h.ok(err)
	floor := h.role("shift", "floor", demostore.ID)
	at := strings.NewReplacer("{id}", demostore.ID, "{app}", "app", "{store}", demostore.ID)
	asked := 0
	for _, name := range names {
		part := strings.Fields(name)
		if len(part) != 3 || part[2] != "401" && (part[2] != "403" || !strings.HasPrefix(part[1], "/v1/admin/")) {
			continue
		}
		switch part[1] {
		case "/v1/staff/session", "/v1/demo/shopper", "/v1/staff/socket": // a code in the body, or a handshake, comes first
			continue
		}
		asked++
		var header http.Header
		if part[2] == "403" {
			header = floor
		}
		body := ""
		if part[0] == http.MethodPost || part[0] == http.MethodPut {
			body = "{}"
		}
		if status, code := h.request(part[0], at.Replace(part[1]), body, header); strconv.Itoa(status) != part[2] {
			t.Errorf("%s: answered %d %s", name, status, code)
		}
	}
	if asked < 30 {
		t.Errorf("only %d were asked", asked)
	}
}

// TestWhatCannotBeIsTold: stores and words that there are not, each with the status that the specification has for it.
func TestWhatCannotBeIsTold(t *testing.T) {
	h := newHouse(t)
	ana := h.granted("ana", 10*time.Minute)
	_, errPrompt := ana.Prompt(t.Context(), client.PromptRequest{Store: "nowhere", Purpose: "assist"})
	_, errTicket := ana.Ticket(t.Context(), "nowhere", []string{"assist"})
	_, errPurpose := ana.Ticket(t.Context(), demostore.ID, []string{"dance"})
	_, errMe := ana.Me(t.Context(), "nowhere")
	_, errErase := ana.Erase(t.Context(), "no UUID")
	for what, c := range map[string]struct {
		err    error
		status int
	}{"prompt": {errPrompt, 404}, "ticket": {errTicket, 404}, "ticket for a purpose": {errPurpose, 403}, "me": {errMe, 404}, "erasure": {errErase, 400}} {
		if p, ok := errors.AsType[*client.Problem](c.err); !ok || p.Status != c.status {
			t.Errorf("%s: %v, want %d", what, c.err, c.status)
		}
	}
	for _, c := range []struct {
		method, path, body, authorization string
		status                            int
	}{
		{"GET", "/v1/cards/nowhere", "", "", 404},
		{"GET", "/v1/staff/socket", "", "", 400},
		{"POST", "/v1/withdrawals", `{"id":"01890a5d-ac96-774b-bcce-b302099a8057","scope":"all","t":1}`, "Stop it", 403},
		{"POST", "/v1/withdrawals", `{"id":"01890a5d-ac96-774b-bcce-b302099a8057","scope":"dance","t":1}`, "Stop it", 403},
	} {
		header := http.Header{}
		if c.authorization != "" {
			header.Set("Authorization", c.authorization)
		}
		if status, code := h.request(c.method, c.path, c.body, header); status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, status, code, c.status)
		}
	}
	none := "01890a5d-ac96-774b-bcce-b302099a8057"
	for _, ask := range []string{"GET rules", "DELETE rules", "GET cards", "DELETE cards", "POST bookings/cancel"} {
		method, of, _ := strings.Cut(ask, " ")
		path := "/v1/admin/stores/nowhere/" + of
		if status, code := h.request(method, path, map[bool]string{true: `{"refs":["A-1"]}`}[method == "POST"], h.operator("ana")); status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s, want 404", method, path, status, code)
		}
	}
	floor := h.staff("shift", time.Hour)
	floor.Set("Idempotency-Key", none)
	if status, code := h.request("POST", "/v1/staff/alerts/"+none+"/call", `{}`, floor); status != http.StatusNotFound {
		t.Errorf("a call about no alert: %d %s, want 404", status, code)
	}
	if _, res, err := h.dialConsole(&peer{}, nil); err == nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a console of nobody's: %v", err)
	}
}

// TestTheOlderSocketIsTold why it is closed: the newer one of the same installation wins.
func TestTheOlderSocketIsTold(t *testing.T) {
	h := newHouse(t)
	h.attended()
	var wire net.Conn
	ana := h.app("ana", h.web, h.dialer(&wire))
	older := h.connect(ana)
	newer, err := ana.ConnectWith(t.Context(), demostore.ID, h.index.Site().Version, []string{"assist"})
	h.ok(err)
	defer newer.Kill()
	for e := range older.Events() {
		if closed, ok := e.(client.Closed); ok && closed.Code != 4506 {
			t.Errorf("closed with %d", closed.Code)
		}
	}
}

// TestTooManyAreTold: an address that asks too often is told so, whatever it asks that declares it. In a bubble no time
// passes meanwhile, so that nobody's turn comes round again, however slow the machine is.
func TestTooManyAreTold(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		names, err := spec.Documented()
		h.ok(err)
		at := strings.NewReplacer("{id}", demostore.ID, "{app}", "app", "{store}", demostore.ID)
		for _, name := range names {
			part := strings.Fields(name)
			if len(part) != 3 || part[2] != "429" || part[1] == "/v1/withdrawals" { // a stop is always taken
				continue
			}
			const most = 5000
			asked := 0
			for status := 0; status != http.StatusTooManyRequests && asked < most; asked++ {
				status, _ = h.request(part[0], at.Replace(part[1]), "", nil)
			}
			if asked == most {
				h.Errorf("%s: nobody is slowed down", name)
			}
		}
	})
}
