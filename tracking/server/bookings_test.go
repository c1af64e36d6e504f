// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
)

const bookingsAt = "/v1/admin/stores/" + demostore.ID + "/bookings"

// Bookings come in by the administrators' door; each mistake is told by its place, without the reference.
func TestBookingsAreTaken(t *testing.T) {
	h := newHouse(t)
	at := time.Now().Add(time.Hour).UnixMilli()
	one := func(edit string) string {
		return fmt.Sprintf(`{"bookings":[{"ref":"ORDER-1","kind":"pickup","t":%d%s}]}`, at, edit)
	}
	var n struct{ Changed, Cancelled int }
	h.want("put", h.admin("PUT", bookingsAt, one(`,"desk":"pickup"`), &n), http.StatusOK)
	h.want("new", n.Changed, 1)
	h.want("again", h.admin("PUT", bookingsAt, one(`,"desk":"pickup"`), &n), http.StatusOK)
	h.want("changed", n.Changed, 0)
	for what, body := range map[string]string{
		"a desk": one(`,"desk":"toilets"`), "an end": one(`,"until_t":1`), "none": `{"bookings":[]}`,
		"a kind":  fmt.Sprintf(`{"bookings":[{"ref":"ORDER-1","kind":"visit","t":%d}]}`, at),
		"a time":  `{"bookings":[{"ref":"ORDER-1","kind":"pickup","t":0}]}`,
		"no year": `{"bookings":[{"ref":"ORDER-1","kind":"pickup","t":253402300800000}]}`,
		"a ref":   fmt.Sprintf(`{"bookings":[{"ref":"ÖRDER-1","kind":"pickup","t":%d}]}`, at),
		"a twin":  fmt.Sprintf(`{"bookings":[{"ref":"ORDER-1","kind":"pickup","t":%[1]d},{"ref":"ORDER-1","kind":"pickup","t":%[1]d}]}`, at),
		"no refs": "",
	} {
		var p storeAnswer
		path, method := bookingsAt, "PUT"
		if body == "" {
			path, method, body = bookingsAt+"/cancel", "POST", `{"refs":[]}`
		}
		if status := h.admin(method, path, body, &p); status != http.StatusUnprocessableEntity || p.Code != "bad_booking" || strings.Contains(p.Detail, "RDER-1") {
			t.Errorf("%s: %d %s %s", what, status, p.Code, p.Detail)
		}
	}
	h.want("cancel", h.admin("POST", bookingsAt+"/cancel", `{"refs":["ORDER-1"]}`, &n), http.StatusOK)
	h.want("cancelled", n.Cancelled, 1)
	h.want("of no store", h.admin("PUT", "/v1/admin/stores/nowhere/bookings", one(""), nil), http.StatusNotFound)
	h.want("without a token", h.ask("PUT", bookingsAt, "", one(""), nil), http.StatusUnauthorized)
}

// From the booking to the desk: an app presents a reference, staff see what it is and call, and the app is told in its language.
func TestFromTheBookingToTheDesk(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		mei := h.atConsole("desk")
		h.want("put", h.admin("PUT", bookingsAt, fmt.Sprintf(`{"bookings":[{"ref":"ORDER-1","kind":"pickup","t":%d,"desk":"pickup"}]}`, time.Now().UnixMilli()), nil), http.StatusOK)
		ana := h.granted("ana", 10*time.Minute).session()
		ana.enter()
		id := uuid.NewString()
		ana.say(map[string]any{"type": "checkin", "id": id, "kind": "pickup", "ref": "ORDER-1"})
		h.pass(2 * time.Second)
		var booked map[string]any
		for _, f := range mei.got("alert") {
			if a := f["alert"].(map[string]any); a["id"] == id {
				booked, _ = a["booking"].(map[string]any)
			}
		}
		if booked["case"] != "on_time" || booked["desk"] != "pickup" {
			h.Fatalf("staff see %v", booked)
		}
		header := h.staff("desk", time.Hour)
		path := "/v1/staff/alerts/" + id + "/call"
		status, code := h.request("POST", path, `{}`, header)
		h.want("without a key", fmt.Sprint(status, code), "422idempotency")
		header.Set("Idempotency-Key", "k")
		status, code = h.request("POST", path, `{"desk":"toilets"}`, header)
		h.want("to a private place", fmt.Sprint(status, code), "422no_desk")
		status, _ = h.request("POST", path, `{}`, header)
		h.want("called", status, http.StatusOK)
		h.pass(time.Second)
		calls := ana.got("call")
		if len(calls) != 1 || calls[0]["text"] != "We are ready for you: come to Pickup Counter" {
			text, _ := json.Marshal(calls)
			h.Fatalf("the app is told %s", text)
		}
	})
}

// atConsole is somebody on duty whose console beats.
func (h *house) atConsole(shift string) *handset {
	h.Helper()
	return h.atConsoleOf(h.staff(shift, 8*time.Hour))
}

// atConsoleOf is atConsole for somebody in particular.
func (h *house) atConsoleOf(who http.Header) *handset {
	h.Helper()
	conn, _, err := h.dialConsole(&peer{}, who)
	h.ok(err)
	c := &handset{h: h, conn: conn}
	go c.listen()
	go func() {
		for n := 1; c.say(map[string]any{"type": "beat", "n": n}) == nil; n++ {
			select {
			case <-time.After(time.Second):
			case <-h.Context().Done():
				return
			}
		}
	}()
	h.pass(time.Second)
	return c
}
