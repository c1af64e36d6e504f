// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/cards"
	"doorstep/tracking/server"
)

// canaryText is a coordinate that nobody reports.
const canaryText = "54.123456789"

// TestAPanicIsAnAnswer, and what it said is in neither the answer nor the log.
func TestAPanicIsAnAnswer(t *testing.T) {
	var log bytes.Buffer
	edit := func(c *server.Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
		c.Cards = func(string) *cards.Deck { panic("at latitude " + canaryText) }
	}
	inBubble(t, edit, func(h *house) {
		res, err := h.web.Get(h.url + "/v1/cards/" + demostore.ID)
		h.ok(err)
		var body bytes.Buffer
		_, err = body.ReadFrom(res.Body)
		h.ok(err)
		h.ok(res.Body.Close())
		if res.StatusCode != http.StatusInternalServerError || !strings.Contains(body.String(), `"code":"internal"`) {
			h.Errorf("answered %d %s", res.StatusCode, body.String())
		}
		for name, text := range map[string]string{"the answer": body.String(), "the log": log.String()} {
			if strings.Contains(text, canaryText) {
				h.Errorf("%s repeats what the panic said", name)
			}
		}
		if !strings.Contains(log.String(), "guards_test.go") {
			h.Errorf("the log does not say where: %s", log.String())
		}
	})
}

// TestOneAddressAsksSoOften, whatever it says of itself, and at whichever door.
func TestOneAddressAsksSoOften(t *testing.T) {
	for _, path := range []string{"/v1/time", "/v1/staff/me", "/v1/admin/stores"} {
		t.Run(path, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				answers := make(map[int]int)
				for i := range 4_100 { // all at once, in a bubble's time
					status, _ := h.request("GET", path, "", http.Header{"X-Forwarded-For": {fmt.Sprintf("192.0.2.%d", i%250)}})
					answers[status]++
				}
				if answers[http.StatusTooManyRequests] != 100 {
					h.Fatalf("answered %v", answers)
				}
				h.pass(time.Second)
				if status, _ := h.request("GET", path, "", nil); status == http.StatusTooManyRequests {
					h.Fatal("refused after a second")
				}
			})
		})
	}
}

// TestAMessageTooLongIsNotAwaited: what is longer than a frame may be is refused by its first bytes.
func TestAMessageTooLongIsNotAwaited(t *testing.T) {
	for name, size := range map[string]uint64{"a little": 1 << 11, "a megabyte": 1 << 20, "all there is": 1<<63 - 1} {
		for at, open := range map[string]func(*house) peer{"app": (*house).phone, "console": (*house).console} {
			t.Run(name+" at the "+at, func(t *testing.T) {
				inBubble(t, nil, func(h *house) {
					p := open(h)
					head := append([]byte{opText | last, 0x80 | 127}, binary.BigEndian.AppendUint64(nil, size)...)
					_ = p.write(append(head, 0, 0, 0, 0, '{', '"'))
					if code := p.within(2 * time.Second); code != 1009 {
						h.Fatalf("closed with %d; want 1009", code)
					}
				})
			})
		}
	}
}

// TestWithoutADevelopmentKey there is nobody to make a shopper up.
func TestWithoutADevelopmentKey(t *testing.T) {
	visitor := server.Visitor{Subject: "ana", App: "app", Store: demostore.ID}
	inBubble(t, nil, func(h *house) {
		code, err := h.server.ShopperCode(visitor)
		h.ok(err)
		if status, problem := h.request("POST", "/v1/demo/shopper", `{"code":"`+code+`"}`, nil); status != http.StatusOK {
			h.Fatalf("with one: %d %s", status, problem)
		}
		if status, problem := h.request("POST", "/v1/demo/shopper", `{"code":"`+code+`"}`, nil); status != http.StatusUnauthorized || problem != "code" {
			h.Fatalf("the same code: %d %s", status, problem)
		}
	})
	inBubble(t, func(c *server.Config) { c.DevKey = nil }, func(h *house) {
		if _, err := h.server.ShopperCode(visitor); err == nil {
			h.Error("a code was issued")
		}
		if status, problem := h.request("POST", "/v1/demo/shopper", `{"code":"x"}`, nil); status != http.StatusNotFound || problem != "not_found" {
			h.Errorf("without one: %d %s", status, problem)
		}
	})
}

// TestWhatIsMine: who shares a phone with somebody learns nothing of them, nor stops anything of theirs.
func TestWhatIsMine(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		key, err := client.NewKey()
		h.ok(err)
		ana, ben := h.installWith(key, "ana", 10*time.Minute), h.installWith(key, "ben", 10*time.Minute)
		_, err = h.decide(ana.Client, "term")
		h.ok(err)
		s := ana.session()
		s.enter()
		mine, err := ana.Me(h.Context(), demostore.ID)
		h.ok(err)
		if len(mine.Grants) != 1 {
			h.Fatalf("hers: %+v", mine)
		}
		theirs, err := ben.Me(h.Context(), demostore.ID)
		h.ok(err)
		if len(theirs.Grants) != 0 {
			h.Fatalf("on the same phone, his: %+v", theirs)
		}
		ben.withdraw()
		s.stay(time.Second)
		s.stillOpen()
	})
}

// TestAStopInDoubtStops: the ledger takes no end. Whoever has only a stop token is told so, and the shopper's
// session here is closed and its position gone all the same.
func TestAStopInDoubtStops(t *testing.T) {
	for _, scope := range []string{`"scope":"all"`, `"scope":"store","store":"` + demostore.ID + `"`,
		`"scope":"grant","store":"` + demostore.ID + `","purpose":"assist"`} {
		t.Run(scope, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				h.onDuty()
				ana := h.granted("ana", 10*time.Minute)
				var decided struct {
					StopToken string `json:"stop_token"`
				}
				h.ok(json.Unmarshal(ana.last.body, &decided))
				s, other := ana.session(), h.granted("ben", 10*time.Minute).session()
				s.enter()
				other.enter()
				visit := s.welcome()["session"].(string)
				h.pass(time.Second)
				h.ledger.deaf.Store(true)
				body := `{"id":"` + uuid.NewString() + `","t":1,` + scope + `}`
				token := http.Header{"Authorization": {"Stop " + decided.StopToken}}
				if status, code := h.request("POST", "/v1/withdrawals", body, token); status != http.StatusServiceUnavailable || code != "unavailable" {
					h.Fatalf("answered %d %s", status, code)
				}
				h.pass(100 * time.Millisecond)
				if code, _ := s.closed(); code != 4005 {
					h.Fatalf("the session was closed with %d", code)
				}
				found, err := h.live.Read(h.Context(), demostore.ID, []string{visit})
				h.ok(err)
				if len(found) != 0 {
					h.Fatal("the position is still there")
				}
				other.stillOpen()
				h.ledger.deaf.Store(false)
				if status, code := h.request("POST", "/v1/withdrawals", body, token); status != http.StatusOK {
					h.Fatalf("asked again: %d %s", status, code)
				}
			})
		})
	}
}

// TestAPageOfAStrangeOrigin reads nothing at the app's door and asks for nothing; one that is listed is let read.
func TestAPageOfAStrangeOrigin(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		for _, r := range [][2]string{{"GET", "/v1/stores"}, {"POST", "/v1/tickets"}, {"POST", "/v1/withdrawals"}, {"OPTIONS", "/v1/prompts"}} {
			for _, origin := range []string{"https://evil.example", "null"} {
				if status, code := h.request(r[0], r[1], "", http.Header{"Origin": {origin}}); status != http.StatusForbidden || code != "origin" {
					h.Errorf("%s %s from %s: %d %s", r[0], r[1], origin, status, code)
				}
			}
		}
		if status, code := h.request("GET", "/v1/stores", "", http.Header{"Origin": {h.url}}); status != http.StatusOK {
			h.Errorf("from a page of ours: %d %s", status, code)
		}
	})
}

// TestBodiesAreWhatTheyShouldBe: JSON, short, and nothing in them that is not declared.
func TestBodiesAreWhatTheyShouldBe(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		long := `{"code":"` + strings.Repeat("x", 17<<10) + `"}`
		for _, c := range []struct {
			name, kind, body string
			status           int
			code             string
		}{
			{"a form", "application/x-www-form-urlencoded", "code=x", http.StatusUnsupportedMediaType, "media_type"},
			{"no kind", "", `{"code":"x"}`, http.StatusUnsupportedMediaType, "media_type"},
			{"too long", "application/json", long, http.StatusRequestEntityTooLarge, "too_large"},
			{"undeclared", "application/json", `{"code":"x","lat":54.1}`, http.StatusBadRequest, "request"},
			{"two values", "application/json", `{"code":"x"}{}`, http.StatusBadRequest, "request"},
			{"cut off", "application/json", `{"code":`, http.StatusBadRequest, "request"},
			{"as it should be", "application/json; charset=utf-8", `{"code":"x"}`, http.StatusUnauthorized, "code"},
		} {
			res, err := h.web.Post(h.url+"/v1/demo/shopper", c.kind, strings.NewReader(c.body))
			h.ok(err)
			var problem struct{ Code, Detail string }
			h.ok(json.NewDecoder(res.Body).Decode(&problem))
			h.ok(res.Body.Close())
			if res.StatusCode != c.status || problem.Code != c.code || strings.Contains(problem.Detail, "54.1") {
				h.Errorf("%s: %d %s, %q", c.name, res.StatusCode, problem.Code, problem.Detail)
			}
		}
	})
}
