// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/server/auth"
)

// What is documented and seldom said is brought about here once: that nobody can be answered what the specification does
// not have, and that it has nothing that nobody is ever answered, is held by the witness.

// TestTwoOfOneIdAreTold: an id that was used for something else, and a motion that is over.
func TestTwoOfOneIdAreTold(t *testing.T) {
	h := newHouse(t)
	h.agreed("ana")
	ana, bea, eve := h.operator("ana the admin"), h.operator("bea"), h.operator("eve")
	until, span := time.Now().Add(time.Hour), `"store":"`+demostore.ID+`","from_t":`+ms(time.Now().Add(-time.Hour))+`,"to_t":`+ms(time.Now())
	for path, rest := range map[string]string{
		"/v1/admin/disclosures": `,"recipient":"District court","shopper":"ana","store":"` + demostore.ID + `","purpose":"assist","fields":["records"]}`,
		"/v1/admin/holds":       `,"until_t":` + ms(until) + `,` + span + `}`,
	} {
		id := uuid.NewString()
		h.wants("", "POST", path, `{"id":"`+id+`","reason":"Order 17/2026"`+rest, ana)
		h.wants("id_taken", "POST", path, `{"id":"`+id+`","reason":"Order 18/2026"`+rest, bea)
		h.wants("", "POST", path+"/"+id+"/approve", "", bea)
		h.wants("motion_over", "POST", path+"/"+id+"/approve", "", eve)
	}
}

// TestWhoIsTooYoungIsToldAtTheNotice, and whoever says nothing of their age: neither is shown it.
func TestWhoIsTooYoungIsToldAtTheNotice(t *testing.T) {
	h := newHouse(t)
	aged := h.aged()
	for age, code := range tooYoung {
		_, err := aged(age).Prompt(t.Context(), client.PromptRequest{Store: demostore.ID, Purpose: "assist", Lang: "en", Opened: true})
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != http.StatusForbidden || p.Code != code {
			t.Errorf("%q: %v, want 403 %s", age, err, code)
		}
	}
}

// TestATicketForMoreIsTold: a member that the specification does not declare, at the door to a session too.
func TestATicketForMoreIsTold(t *testing.T) {
	h := newHouse(t)
	more := altered{h.web.Transport, "/v1/tickets", func(b map[string]any) { b["where"] = "here" }}
	_, err := h.app("ana", &http.Client{Transport: more}, nil).Ticket(t.Context(), demostore.ID, []string{"assist"})
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != http.StatusUnprocessableEntity || p.Code != "undeclared" {
		t.Errorf("%v, want 422 undeclared", err)
	}
}

// TestWhoseMapAndCallItIs: a shopper's token opens neither the staff's map nor a call, and a cookie calls only from our page.
func TestWhoseMapAndCallItIs(t *testing.T) {
	h := newHouse(t)
	h.wants("door", "GET", "/v1/staff/map", "", h.bearer("ana"))
	path := "/v1/staff/alerts/" + uuid.NewString() + "/call"
	h.wants("door", "POST", path, `{}`, h.bearer("ana"))
	h.wants("origin", "POST", path, `{}`, http.Header{"Cookie": {h.signIn(time.Now().Add(time.Hour))}, "Idempotency-Key": {"k"}})
}

// TestWhatWasDeliveredIsSentAgain when an operator says so.
func TestWhatWasDeliveredIsSentAgain(t *testing.T) {
	h := newHouse(t)
	h.server.Outside = h.store
	r := h.receiver()
	h.attended()
	_, err := h.connect(h.app("ana", h.web, nil)).Help("size", false)
	h.ok(err)
	r.hears("alert.raised")
	status := 0
	for range 200 { // until it is noted that it was taken
		if status = h.admin("POST", "/v1/admin/webhooks/"+r.id.Load().(string)+"/replay", "", nil); status == http.StatusNoContent {
			break
		}
		<-time.After(20 * time.Millisecond)
	}
	h.want("again", status, http.StatusNoContent)
	r.hears("alert.raised")
}

// TestWhatStaffReadWhoAreNotTheOnes: a rule's name and that it is quiet for whoever others are told before, and how somebody
// who was called stands to the desk; a call about an alert that is settled says so.
func TestWhatStaffReadWhoAreNotTheOnes(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		mei := h.atConsole("desk")
		rule := `{"rules":[{"id":"long","name":"Long among the shoes","zone":"shoes","dwell":"10s","purpose":"assist","tell":{"teams":["Shoes"]}}]}`
		h.want("rules", h.admin("PUT", rulesAt, rule, nil), http.StatusOK)
		ana := h.granted("ana", 10*time.Minute).session()
		shoes, away := h.among("shoes"), h.among("electronics")
		ana.walk(shoes, 20*time.Second)
		help := uuid.NewString()
		ana.say(map[string]any{"type": "help", "id": help, "topic": "size", "show_me": false})
		ana.walk(shoes, 3*time.Second)
		header := h.staff("desk", time.Hour)
		header.Set("Idempotency-Key", "k")
		h.wants("", "POST", "/v1/staff/alerts/"+help+"/call", `{"desk":"shoes"}`, header)
		ana.walk(away, 12*time.Second)
		ana.walk(shoes, 12*time.Second)
		ruled, stands := false, ""
		for _, f := range mei.got("live") {
			ruled = ruled || f["rule"] == "Long among the shoes" && f["quiet"] == true
			if near, is := f["at_desk"].(string); is {
				stands = near
			}
		}
		h.want("told of the rule, quietly", ruled, true)
		h.want("says how they stand", stands != "", true)
		h.wants("", "POST", "/v1/staff/alerts/"+help+"/actions", fmt.Sprintf(`{"action":"claim","version":%d}`, mei.version(help)), header)
		h.pass(time.Second)
		header.Set("Idempotency-Key", "l")
		h.wants("", "POST", "/v1/staff/alerts/"+help+"/actions", fmt.Sprintf(`{"action":"resolve","version":%d}`, mei.version(help)), header)
		header.Set("Idempotency-Key", "m")
		h.wants("alert_final", "POST", "/v1/staff/alerts/"+help+"/call", `{"desk":"shoes"}`, header)
	})
}

// TestWhoseStaffLookIsTold: the phone says whose staff it is that looks, if not the retailer's; and a console that may not look is
// told why.
func TestWhoseStaffLookIsTold(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		code, err := h.server.StaffCode(auth.Staff{Shift: "kim", Tag: "Kim", Role: auth.RoleFloor, Company: "Quay Promotions", Store: demostore.ID,
			ExpiresAt: time.Now().Add(time.Hour)})
		h.ok(err)
		page := h.page(h.signInBy(code))
		kim := h.atConsoleOf(page)
		ana := h.granted("ana", 10*time.Minute).session()
		ana.enter()
		help := uuid.NewString()
		ana.say(map[string]any{"type": "help", "id": help, "topic": "size", "show_me": false})
		h.pass(time.Second)
		kim.say(map[string]any{"type": "look", "alert": help})
		h.pass(time.Second)
		refused := kim.got("error")
		if len(refused) != 1 || refused[0]["alert"] != help || refused[0]["code"] == "" || refused[0]["detail"] == "" {
			h.Fatalf("looked without a claim: told %v", refused)
		}
		page.Set("Idempotency-Key", "k")
		h.wants("", "POST", "/v1/staff/alerts/"+help+"/actions", `{"action":"claim","version":1}`, page)
		kim.say(map[string]any{"type": "look", "alert": help})
		ana.stay(3 * time.Second)
		seen := ana.got("seen")
		if len(seen) == 0 || seen[0]["company"] != "Quay Promotions" {
			h.Fatalf("the phone is told %v", seen)
		}
	})
}

// TestAServerThatLeavesSaysSo: to the phones that it has, and to one that comes while it does.
func TestAServerThatLeavesSaysSo(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		s := h.granted("ana", 10*time.Minute).session()
		s.enter()
		late := "doorstep.ticket." + h.granted("ben", 10*time.Minute).ticket()
		h.leave()
		h.pass(time.Second)
		if code, _ := s.closed(); code != 1012 {
			h.Errorf("closed with %d, want 1012", code)
		}
		if code, _ := h.hello(late, h.index.Site().Version).closed(); code != 4001 {
			h.Errorf("opened while it leaves: closed with %d, want 4001", code)
		}
	})
}

// TestALedgerThatFailsIsTold as out of reach, by whoever reads and whoever acts.
func TestALedgerThatFailsIsTold(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		a := h.granted("ana", 10*time.Minute)
		ana := a.session()
		ana.enter()
		help := uuid.NewString()
		ana.say(map[string]any{"type": "help", "id": help, "topic": "size", "show_me": false})
		h.pass(time.Second)
		header := h.staff("desk", time.Hour)
		header.Set("Idempotency-Key", "k")
		h.store.away.Store(true)
		h.wants("unavailable", "GET", "/v1/journal", "", h.bearer("ana"))
		h.wants("unavailable", "POST", "/v1/staff/alerts/"+help+"/actions", `{"action":"claim","version":1}`, header)
		_, errMe := a.Me(h.Context(), demostore.ID)
		_, errExport := a.Export(h.Context())
		for what, err := range map[string]error{"me": errMe, "export": errExport} {
			if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != http.StatusServiceUnavailable || p.Code != "unavailable" {
				h.Errorf("%s: %v, want 503 unavailable", what, err)
			}
		}
	})
}

// among is the place in a zone of the ground floor that is farthest from its neighbours, in metres, as far as a coarse search finds it.
func (h *house) among(zone string) (best [2]float64) {
	frame, most := h.index.Site().Frame(), 0
	room := func(x, y float64) (n int) {
		for ; n < 8; n++ {
			for _, step := range [][2]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
				at := h.index.Locate(frame.LatLng(x+step[0]*float64(n), y+step[1]*float64(n)), 0, true)
				if at.N == 0 || at.Zones[0].ID != zone {
					return n
				}
			}
		}
		return n
	}
	for x := -40.0; x <= 40; x++ {
		for y := -40.0; y <= 40; y++ {
			if n := room(x, y); n > most {
				best, most = [2]float64{x, y}, n
			}
		}
	}
	return best
}

// walk reports a place on the ground floor each second for a while. Only in a bubble.
func (s *handset) walk(at [2]float64, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); s.h.pass(time.Second) {
		s.seq++
		p := s.h.index.Site().Frame().LatLng(at[0], at[1])
		s.say(map[string]any{"type": "fix", "seq": s.seq, "t": time.Now().UnixMilli(), "lat": p.Lat, "lng": p.Lng, "level": 0,
			"accuracy_m": 3, "app_state": "foreground", "precise": true})
	}
}

// version of an alert, as a console was told of it last.
func (s *handset) version(alert string) (v int) {
	for _, f := range s.got("alert") {
		if a := f["alert"].(map[string]any); a["id"] == alert {
			v = int(a["version"].(float64))
		}
	}
	return v
}
