// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/webhooks"
)

// TestWhyAFixIsRefusedIsCounted in an acknowledgement, by its own word.
func TestWhyAFixIsRefusedIsCounted(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		s := h.granted("ana", 10*time.Minute).session()
		s.enter()
		for _, c := range []struct {
			code, member string
			value        any
		}{{"accuracy", "accuracy_m", 80}, {"mocked", "mocked", true}, {"stale", "t", -20_000}, {"future", "t", 20_000}} {
			code := c.code
			s.place(true)
			h.pass(25 * time.Second)
			s.seq++
			at := s.h.index.Site().Frame().LatLng(0, 0)
			f := map[string]any{"type": "fix", "seq": s.seq, "t": time.Now().UnixMilli(), "lat": at.Lat, "lng": at.Lng, "accuracy_m": 5, "app_state": "foreground", "precise": true}
			if f[c.member] = c.value; c.member == "t" {
				f["t"] = time.Now().UnixMilli() + int64(c.value.(int))
			}
			s.say(f)
			h.pass(time.Second)
			acks := s.got("ack")
			refused, _ := acks[len(acks)-1]["refused"].(map[string]any)
			if refused[code] == nil {
				h.Errorf("%s: refused %v", code, refused)
			}
		}
	})
}

// TestWhatIsNoTextIsTold: a frame of no kind that there is, and text that is none.
func TestWhatIsNoTextIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		frame []byte
		code  int
	}{"of no kind": {frame(3|last, "x"), 1002}, "no UTF-8": {frame(opText|last, "\xff"), 1007}} {
		t.Run(name, func(t *testing.T) {
			p := newHouse(t).phone()
			_ = p.write(c.frame)
			if code := p.within(5 * time.Second); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
		})
	}
}

// TestAConsoleIsToldWhyItIsLetGo: its map is another now, or what it asks for is out of reach.
func TestAConsoleIsToldWhyItIsLetGo(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		put := func(north float64) {
			h.want("a map", h.admin("PUT", "/v1/admin/stores/kiosk/map", kiosk(north), nil), http.StatusOK)
		}
		put(0)
		mei := h.atConsoleOf(h.role("mei", auth.RoleFloor, "kiosk"))
		put(1)
		h.pass(5 * time.Second)
		if code, _ := mei.closed(); code != 4002 {
			h.Errorf("with a new map: closed with %d, want 4002", code)
		}
		h.store.away.Store(true)
		kim := h.atConsole("kim")
		if code, _ := kim.closed(); code != 4005 {
			h.Errorf("with the ledger out of reach: closed with %d, want 4005", code)
		}
	})
}

// TestEveryCaseOfABooking is on the screen of whoever is at the desk.
func TestEveryCaseOfABooking(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		mei := h.atConsole("mei")
		h.want("another store", h.admin("PUT", "/v1/admin/stores/kiosk/map", kiosk(0), nil), http.StatusOK)
		h.want("its booking", h.admin("PUT", "/v1/admin/stores/kiosk/bookings", fmt.Sprintf(`{"bookings":[{"ref":"wrong_store","kind":"pickup","t":%d}]}`, time.Now().UnixMilli()), nil), http.StatusOK)
		one := func(ref, kind string, at time.Time, more string) string {
			return fmt.Sprintf(`{"ref":%q,"kind":%q,"t":%d%s}`, ref, kind, at.UnixMilli(), more)
		}
		now := time.Now()
		h.want("bookings", h.admin("PUT", bookingsAt, `{"bookings":[`+strings.Join([]string{one("on_time", "pickup", now, `,"desk":"pickup","proxy":true`),
			one("early", "appointment", now.Add(6*time.Hour), fmt.Sprintf(`,"until_t":%d`, now.Add(7*time.Hour).UnixMilli())), one("late", "appointment", now.Add(-6*time.Hour), "")}, ",")+`]}`, nil), http.StatusOK)
		for _, ref := range []string{"on_time", "early", "late", "wrong_store", "unknown", "again"} {
			presented := map[bool]string{true: "on_time", false: ref}[ref == "again"]
			ana := h.granted(ref, 10*time.Minute).session()
			ana.enter()
			id := uuid.NewString()
			ana.say(map[string]any{"type": "checkin", "id": id, "kind": map[bool]string{true: "appointment", false: "pickup"}[ref == "early" || ref == "late"], "ref": presented})
			h.pass(2 * time.Second)
			found := ""
			for _, f := range mei.got("alert") {
				if a := f["alert"].(map[string]any); a["id"] == id {
					booked, _ := a["booking"].(map[string]any)
					found, _ = booked["case"].(string)
				}
			}
			h.want("found to be", found, ref)
		}
	})
}

// nobodyOutside has the outside told where nobody answers.
func (h *house) nobodyOutside() {
	h.Helper()
	h.server.Outside = h.store
	file := filepath.Join(h.TempDir(), "webhooks.json")
	h.ok(os.WriteFile(file, []byte(`{"endpoints":[{"id":"crm","url":"https://127.0.0.1:1/","secrets":["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]}],"allow_private":["127.0.0.0/8"]}`), 0o600))
	s := &webhooks.Sender{Store: h.store, Path: file, Holder: "node", Now: time.Now, Log: h.said.Log()}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	h.Cleanup(func() { cancel(); h.ok(<-done) })
}

// TestEveryEventThatTheOutsideIsTold waits where an operator sees it, if the outside cannot be told.
func TestEveryEventThatTheOutsideIsTold(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.nobodyOutside()
		told := map[string]bool{}
		list := func() {
			h.pass(3 * time.Second)
			var l struct{ Deliveries []struct{ Event string } }
			h.want("list", h.admin("GET", "/v1/admin/webhooks", "", &l), http.StatusOK)
			for _, d := range l.Deliveries {
				told[d.Event] = true
			}
		}
		mei := h.onShift("mei")
		app := h.granted("ana", 10*time.Minute)
		ana := app.session()
		ana.enter()
		size := ana.calls("size")
		list()
		mei.acts(size, "claim", "")
		list()
		for _, action := range []string{"escalate", "claim"} {
			mei.acts(size, action, "")
			ana.stay(5 * time.Second)
			list()
		}
		mei.acts(size, "snooze", fmt.Sprintf(`,"until_t":%d`, time.Now().Add(time.Minute).UnixMilli()))
		list()
		mei.acts(size, "claim", "")
		mei.header.Set("Idempotency-Key", "call")
		h.wants("", "POST", "/v1/staff/alerts/"+size+"/call", `{"desk":"shoes"}`, mei.header)
		mei.acts(size, "resolve", "")
		list()
		price := ana.calls("price")
		h.pass(32 * time.Second)
		list()
		h.runsOut(price)
		list()
		app.session().enter()
		ana.stay(time.Second)
		again := app.session()
		again.enter()
		again.calls("other")
		list()
		app.withdraw()
		list()
		for _, event := range []string{"call", "alert.off", "alert.gone", "alert.raised", "alert.claimed", "alert.snoozed", "alert.escalated", "alert.resolved", "alert.expired"} {
			if !told[event] {
				h.Errorf("no %s among %v", event, told)
			}
		}
	})
}

// TestAScreenThatComesLate shows what rules have raised, what waits, who was called and how they stand; one that comes back is told of what is gone.
func TestAScreenThatComesLate(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		mei := h.onShift("mei")
		book := `{"rules":[{"id":"long","name":"Long among the shoes","zone":"shoes","dwell":"10s","purpose":"assist","priority":"low"}],"waiting":{"zones":{"shoes":"15s"}}}`
		h.want("rules", h.admin("PUT", rulesAt, book, nil), http.StatusOK)
		app := h.granted("ana", 10*time.Minute)
		ana := app.session()
		shoes := h.among("shoes")
		ana.walk(shoes, 25*time.Second)
		size := ana.calls("size")
		mei.header.Set("Idempotency-Key", "call")
		h.wants("", "POST", "/v1/staff/alerts/"+size+"/call", `{"desk":"shoes"}`, mei.header)
		ana.walk(shoes, 10*time.Second)
		kim := h.atConsole("kim")
		seen := map[string]bool{}
		for _, a := range kim.got("snapshot")[0]["alerts"].([]any) {
			a := a.(map[string]any)
			for _, member := range []string{"kind", "rule", "priority", "at_desk"} {
				seen[fmt.Sprint(member, " ", a[member])] = true
			}
		}
		for _, want := range []string{"kind rule", "kind waiting", "kind called", "kind help", "rule Long among the shoes", "priority low", "at_desk at"} {
			if !seen[want] {
				h.Errorf("no %s among %v", want, seen)
			}
		}
		low := slices.ContainsFunc(mei.got("live"), func(f map[string]any) bool { return f["priority"] == "low" })
		h.want("what follows from the place", low, true)
		snapshot, welcome := kim.got("snapshot")[0], kim.got("welcome")[0]
		app.withdraw()
		h.pass(time.Second)
		conn, _, err := h.rawConsole(&peer{}, h.staff("lee", time.Hour))
		h.ok(err)
		back := &handset{h: h, conn: conn}
		go back.listen()
		h.ok(back.say(map[string]any{"type": "hello", "since": snapshot["offset"], "epoch": welcome["epoch"]}))
		h.pass(time.Second)
		resumed := back.got("resumed")
		if len(resumed) != 1 {
			h.Fatalf("resumed: %v", back.got(""))
		}
		gone := 0
		for _, a := range resumed[0]["alerts"].([]any) {
			if a := a.(map[string]any); a["state"] == "gone" && a["reason"] == "withdrawn" {
				gone++
			}
		}
		h.want("gone", gone > 0, true)
	})
}
