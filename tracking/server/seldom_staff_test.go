// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
)

// TestARuleBookSaysEverything that it can, or as little as it can, and is said back as it was written.
func TestARuleBookSaysEverything(t *testing.T) {
	const everybody = `"tell":{"teams":["Shoes"],"roles":["floor","lead","admin"],"languages":["de"]}`
	const team, role = `"tell":{"teams":["Shoes"]}`, `"tell":{"roles":["lead"]}`
	h := newHouse(t)
	for _, book := range []string{
		`{}`,
		`{"time_zone":"Europe/Berlin","rules":[
			{"id":"a","name":"A","zone":"shoes","dwell":"2m","purpose":"assist","hours":"Mo-Sa 09:00-20:00","priority":"high","escalate_after":"3m",` + everybody + `},
			{"id":"b","name":"B","zone":"shoes","dwell":"2m","purpose":"assist","priority":"normal",` + team + `},
			{"id":"c","name":"C","zone":"shoes","dwell":"2m","purpose":"assist","priority":"low",` + role + `},
			{"id":"d","name":"D","zone":"shoes","dwell":"2m","purpose":"assist"}],
		 "waiting":{"after_checkin":"5m","zones":{"shoes":"10m"},"priority":"high","escalate_after":"2m",` + everybody + `},
		 "routes":[{"kind":"help","topic":"size","zone":"shoes","priority":"high","escalate_after":"2m",` + everybody + `},
			{"kind":"arrived","priority":"low",` + team + `},{"kind":"called","priority":"normal",` + role + `},{"kind":"help"}]}`,
		`{"waiting":{"after_checkin":"5m","priority":"normal",` + team + `}}`,
		`{"waiting":{"zones":{"shoes":"10m"},"priority":"low",` + role + `}}`,
		`{"waiting":{"zones":{"shoes":"10m"}}}`,
	} {
		var wrote, read map[string]any
		h.ok(json.Unmarshal([]byte(book), &wrote))
		for _, method := range []string{http.MethodPut, http.MethodGet} {
			body := map[bool]string{true: book}[method == http.MethodPut]
			read = nil
			if status := h.admin(method, rulesAt, body, &read); status != http.StatusOK {
				t.Fatalf("%s %s: %d %v", method, book, status, read)
			}
			if spelt(read); !reflect.DeepEqual(read, wrote) {
				t.Errorf("%s of %v answered %v", method, wrote, read)
			}
		}
	}
}

// spelt writes lengths of time as people do.
func spelt(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if text, is := x.(string); is {
				if d, err := time.ParseDuration(text); err == nil {
					v[name] = fmt.Sprintf("%dm", int(d.Minutes()))
				}
			}
			spelt(x)
		}
	case []any:
		for _, x := range v {
			spelt(x)
		}
	}
}

// shift is somebody at a console who acts on alerts.
type shift struct {
	*handset
	header http.Header
}

func (h *house) onShift(name string) shift {
	return shift{h.atConsole(name), h.staff(name, 8*time.Hour)}
}

// acts does something to an alert as it is on the screen.
func (s shift) acts(alert, action, more string) {
	s.h.Helper()
	s.header.Set("Idempotency-Key", uuid.NewString())
	s.h.wants("", "POST", "/v1/staff/alerts/"+alert+"/actions", fmt.Sprintf(`{"action":%q,"version":%d%s}`, action, s.version(alert), more), s.header)
	s.h.pass(time.Second)
}

// stood lists the states in which an alert was on the screen.
func (s shift) stood(alert string) (states []string) {
	for _, f := range s.got("alert") {
		if a := f["alert"].(map[string]any); a["id"] == alert {
			states = append(states, a["state"].(string))
		}
	}
	return slices.Compact(states)
}

// calls for help about a topic, and returns the alert's id.
func (s *handset) calls(topic string) string {
	id := uuid.NewString()
	s.say(map[string]any{"type": "help", "id": id, "topic": topic, "show_me": false})
	s.h.pass(time.Second)
	return id
}

// runsOut has time do what it does to an alert that nobody has.
func (h *house) runsOut(alert string) {
	h.Helper()
	_, err := h.node.Act(h.Context(), demostore.ID, alert, tracking.Change{Action: tracking.Expire, Key: "time"})
	h.ok(err)
	h.pass(time.Second)
}

// TestEverythingThatStaffDo to an alert is taken, and is on the screens; so is what time does, and what whoever comes second is told.
func TestEverythingThatStaffDo(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		mei, kim := h.onShift("mei"), h.onShift("kim")
		ana := h.granted("ana", 10*time.Minute).session()
		ana.enter()
		size := ana.calls("size")
		for _, action := range []string{"claim", "keep", "release", "claim"} {
			mei.acts(size, action, "")
		}
		path := "/v1/staff/alerts/" + size + "/actions"
		kim.header.Set("Idempotency-Key", "second")
		h.wants("alert_held", "POST", path, fmt.Sprintf(`{"action":"claim","version":%d}`, kim.version(size)), kim.header)
		mei.header.Set("Idempotency-Key", "late")
		h.wants("alert_version", "POST", path, `{"action":"release","version":1}`, mei.header)
		me := kim.got("welcome")[0]["person"].(map[string]any)
		mei.acts(size, "hand_over", fmt.Sprintf(`,"to":%q,"to_tag":%q`, me["shift"], me["tag"]))
		kim.acts(size, "snooze", fmt.Sprintf(`,"until_t":%d`, time.Now().Add(time.Minute).UnixMilli()))
		kim.acts(size, "escalate", "")
		mei.acts(size, "claim", "")
		mei.acts(size, "resolve", "")
		h.want("on the screens", fmt.Sprint(kim.stood(size)), "[raised claimed raised claimed snoozed escalated claimed resolved]")
		price := ana.calls("price")
		h.runsOut(price)
		h.want("what time does", fmt.Sprint(kim.stood(price)), "[raised expired]")
	})
}

// TestWhoTheyAreIsTold at the page and at the console: each role, and the language of whoever says theirs.
func TestWhoTheyAreIsTold(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		for _, role := range []string{auth.RoleFloor, auth.RoleLead, auth.RoleAdmin} {
			header := h.role(role, role, demostore.ID)
			var me struct{ Role string }
			h.fetch("/v1/staff/me", header, &me)
			h.want("the page", me.Role, role)
			welcomed := h.atConsoleOf(header)
			h.want("the console", welcomed.got("welcome")[0]["person"].(map[string]any)["role"], any(role))
		}
		code, err := h.server.StaffCode(auth.Staff{Shift: "mei", Tag: "Mei", Role: auth.RoleFloor, Store: demostore.ID, Lang: "zh", ExpiresAt: time.Now().Add(time.Hour)})
		h.ok(err)
		var me struct{ Lang string }
		h.fetch("/v1/staff/me", h.page(h.signInBy(code)), &me)
		h.want("language", me.Lang, "zh")
	})
}
