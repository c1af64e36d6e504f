// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

var receiptKey = ed25519.NewKeyFromSeed([]byte("a seed of thirty-two bytes: test"))

// quietAllWeek is the same each day, so that no test depends on which it is.
var quietAllWeek = func() (spans []obj) {
	for _, day := range []string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"} {
		spans = append(spans, obj{"day": day, "from": "10:00", "until": "12:00"}, obj{"day": day, "from": "15:00", "until": "16:00"})
	}
	return spans
}()

// drawers is a card's picture, of some shelves.
func drawers() string {
	img := image.NewRGBA(image.Rect(0, 0, 640, 320))
	for y := range 320 {
		for x := range 640 {
			c := color.RGBA{uint8(90 + x/8), uint8(110 + y/4), 150, 255}
			if x%80 < 4 || y%80 < 4 {
				c = color.RGBA{60, 48, 40, 255}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // into memory
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// appRoutes answers the shopper's page. Sessions become active with the first fix.
func (b *backend) appRoutes(mux *http.ServeMux) {
	get := func(path string, v any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { answer(w, v) })
	}
	get("/v1/stores", obj{"stores": []obj{{"id": "s1", "name": "Harbour Street", "fence": "v1", "bbox": []float64{2.9, 53.9, 3.1, 54.1}}}})
	get("/v1/cards/{store}", obj{"cards": []obj{
		{"zone": "shoes", "title": "Fitted while you wait", "text": "Ask for both feet to be measured. It takes four minutes.", "lang": "en", "image": drawers(), "alt": "Shelves of shoes"},
		{"zone": "shoes", "title": "立等可取", "text": "可为双脚量尺寸，只需四分钟。", "lang": "zh"},
		{"zone": "shoes", "title": "قياس فوري", "text": "اطلب قياس القدمين، ويستغرق أربع دقائق.", "lang": "ar"},
		{"zone": "bags", "title": "Tomorrow only", "text": "Not to be seen today.", "times": []obj{}},
		{"zone": "service", "title": "Service desk", "text": "Returns, repairs and gift wrapping until closing time.", "link": "https://shop.example/service"},
		{"zone": "bags", "title": "Repairs", "text": "Bring any bag bought here and we mend it."}}})
	get("/v1/quiet/{store}", obj{"store": "s1", "fence": "v1", "of": "of those sharing", "time_zone": "Asia/Shanghai", "zones": []obj{
		{"id": "shoes", "name": "Shoes", "level": 0, "quiet": quietAllWeek}, {"id": "bags", "name": "Bags & Accessories", "level": 0, "quiet": quietAllWeek[:0]},
		{"id": "beauty", "name": "Beauty", "level": 0, "quiet": quietAllWeek}}})
	mux.HandleFunc("GET /v1/journal", b.journal)
	get("/v1/me", obj{"grants": []obj{}})
	get("/v1/rules", obj{"purposes": []obj{{"id": "assist"}}})
	get("/v1/time", obj{"t": time.Now().UnixMilli()})
	get("/.well-known/jwks.json", obj{"keys": []obj{{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "alg": "EdDSA",
		"x": base64.RawURLEncoding.EncodeToString(receiptKey.Public().(ed25519.PublicKey))}}})
	mux.HandleFunc("GET /v1/stores/s1/fences/v1", func(w http.ResponseWriter, _ *http.Request) { serveFile(b.t, w, "testdata/fence.json") })
	mux.HandleFunc("POST /v1/demo/shopper", b.demoShopper)
	mux.HandleFunc("POST /v1/prompts", func(w http.ResponseWriter, _ *http.Request) { answer(w, prompt) })
	mux.HandleFunc("POST /v1/decisions", func(w http.ResponseWriter, r *http.Request) {
		in := read(r)
		b.note(obj{"type": "decision", "choice": in["choice"], "digest": in["digest"]})
		state := map[any]string{"visit": "given", "term": "given", "no": "refused", "not_now": "deferred"}[in["choice"]]
		answer(w, obj{"record_id": "r1", "state": state, "receipt": receipt(obj{"jti": "r1"}), "stop_token": "stop"})
	})
	mux.HandleFunc("POST /v1/tickets", func(w http.ResponseWriter, _ *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.onDuty {
			refuse(w, 409, obj{"code": "nobody_on_duty", "title": "Nobody is on duty"})
			return
		}
		answer(w, obj{"ticket": "dGlja2V0", "url": "ws" + strings.TrimPrefix(b.url, "http") + "/v1/session", "t": time.Now().UnixMilli()})
	})
	mux.HandleFunc("POST /v1/withdrawals", func(w http.ResponseWriter, r *http.Request) {
		in := read(r)
		b.note(obj{"type": "withdrawal", "id": in["id"], "scope": in["scope"], "by": r.Header.Get("Authorization")})
		switch {
		case r.Header.Get("Authorization") == "Stop unknown":
			refuse(w, 401, obj{"code": "stop_token", "title": "Not a stop token"})
			return
		case b.away.CompareAndSwap(true, false):
			refuse(w, 503, obj{"code": "unavailable", "title": "Not now"})
			return
		case b.misreads() && in["scope"] != "all":
			refuse(w, 422, obj{"code": "not_on_record", "title": "Nothing was withdrawn", "remedy": "Withdraw all"})
			return
		}
		answer(w, obj{"id": in["id"], "receipt": receipt(obj{"jti": in["id"]}), "change": 7, "removed": obj{"nodes": 2, "consoles": 3, "ms": 84}})
	})
	get("/v1/me/export", obj{"t": time.Now().UnixMilli(), "subject": strings.Repeat("0", 32), "decisions": []obj{{"record": obj{}, "choice": "visit", "state": "given", "log_index": 4, "receipt": "a.b.c"}},
		"ends": []obj{}, "notices_served": []obj{}, "scopes": []obj{}, "stop_tokens": []obj{}, "journal": []obj{}, "visits": []obj{}, "alerts": []obj{}, "requests": []obj{}})
	mux.HandleFunc("POST /v1/erasures", b.erase)
	mux.HandleFunc("GET /v1/session", b.phone)
}

// journal has one look, which is closed only some readings after the withdrawal, as a real one is.
func (b *backend) journal(w http.ResponseWriter, _ *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	look := obj{"kind": "view", "company": "Harbour Street", "people": 1, "opened_t": time.Now().Add(-4 * time.Minute).UnixMilli(), "role": "floor", "team": "Shoes", "store": "s1", "purpose": "assist",
		"fields": []string{"position", "accuracy", "level"}, "count": 41}
	if b.ended > 0 {
		b.ended--
	} else {
		look["closed_t"] = time.Now().Add(-3 * time.Minute).UnixMilli()
	}
	broken := obj{"kind": "break_glass", "company": "Harbour Street", "people": 2, "reason": "She has fallen and does not answer", "opened_t": time.Now().Add(-9 * time.Minute).UnixMilli(),
		"closed_t": time.Now().Add(-9 * time.Minute).UnixMilli(), "role": "floor", "team": "Shoes", "store": "s1", "purpose": "assist", "fields": []string{}, "count": 0}
	given := obj{"kind": "disclosure", "company": "District court", "other": true, "people": 2, "reason": "Order 17/2026", "opened_t": time.Now().Add(-19 * time.Minute).UnixMilli(),
		"closed_t": time.Now().Add(-19 * time.Minute).UnixMilli(), "role": "", "team": "", "store": "", "purpose": "", "fields": []string{"records"}, "count": 0}
	answer(w, obj{"entries": []obj{look, broken, given}, "employees": "withheld", "contact": "privacy@shop.example"})
}

func (b *backend) erase(w http.ResponseWriter, r *http.Request) {
	in := read(r)
	b.note(obj{"type": "erasure", "id": in["id"]})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.slow {
		refuse(w, 503, obj{"code": "recorded_not_complete", "title": "Not everywhere yet", "retry_ms": 300})
		return
	}
	answer(w, obj{"id": in["id"], "proof": signed("erasure-proof+jwt", obj{"jti": in["id"], "iat": time.Now().Unix(), "erasure": obj{
		"removed": obj{"decisions": 3, "visits": 2}, "stays": []obj{{"what": "log leaves", "why": "x"}, {"what": "proof of consent", "count": 3, "until": "2029-11-22T00:00:00Z", "why": "y"}}}})})
}

func (b *backend) misreads() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.misread
}

func (b *backend) note(v obj) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, v)
}

func (b *backend) demoShopper(w http.ResponseWriter, r *http.Request) {
	in := read(r)
	if in["code"] != goodCode && in["renew"] != "again" {
		refuse(w, 401, obj{"code": "code", "title": "The code does not work"})
		return
	}
	answer(w, obj{"token": "shopper.token.x", "expires_t": time.Now().Add(15 * time.Minute).UnixMilli(), "store": "s1", "renew": "again"})
}

func (b *backend) phone(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{Subprotocols: []string{"doorstep.v1"}}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	p := &pipe{ws: ws}
	b.mu.Lock()
	b.phones = append(b.phones, p)
	b.mu.Unlock()
	active := false
	for {
		var f obj
		if ws.ReadJSON(&f) != nil {
			return
		}
		b.note(f)
		now := time.Now().UnixMilli()
		switch f["type"] {
		case "hello":
			p.send(obj{"type": "welcome", "t": now, "echo_t": f["t"], "session": "s", "word": "Maple ▲ green", "resumed": false, "last_seq": 0, "resume": "again",
				"resume_ms": 30000, "lease_ms": 30000, "moving_ms": 200, "still_ms": 400, "min_ms": 100, "beat_ms": 10000, "fence": "v1", "purposes": []string{"assist"}})
			p.send(obj{"type": "state", "t": now, "state": "entering"})
		case "fix":
			if !active {
				active = true
				p.send(obj{"type": "state", "t": now, "state": "active"})
			}
			p.send(obj{"type": "ack", "t": now, "seq": f["seq"], "accepted_seq": f["seq"], "lease_until": now + 30000})
		case "outside":
			active = false
			p.send(obj{"type": "state", "t": now, "state": "suspended", "reason": "seems_out"})
			if f["where"] == "far" || f["where"] == "out" {
				p.send(obj{"type": "state", "t": now, "state": "ended", "reason": "left_store", "code": 4501, "restart": "user"})
			}
		case "help":
			p.send(obj{"type": "help_update", "id": f["id"], "state": "seen"})
		}
	}
}

func receipt(claims obj) string { return signed("consent-receipt+jwt", claims) }

func signed(typ string, claims obj) string {
	part := func(v obj) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	body := part(obj{"alg": "EdDSA", "typ": typ, "kid": "k1"}) + "." + part(claims)
	return body + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(receiptKey, []byte(body)))
}

var prompt = obj{
	"served_id": "served", "may_prompt": true, "purpose": "assist", "expires_t": 0, "title": "May staff see where you are in this store, to help you?",
	"notice": obj{"id": "assist", "version": "1", "hash": "h", "lang": "en", "dir": "ltr"},
	"blocks": []obj{
		{"key": "who", "title": "Who asks", "text": "Harbour Street, the shop you are in."},
		{"key": "what", "title": "What is used", "text": "Your position inside this store, while this page is open. Never outside, never in the background."},
		{"key": "why", "title": "Why", "text": "So that a member of staff can come to you when you ask for help."},
		{"key": "readers", "title": "Who sees it", "text": "Staff on duty in this store, once they have taken your request. You see it when they look."},
		{"key": "retention", "title": "How long", "text": "Thirty seconds. It is gone when you leave, when you stop, or when anything is in doubt."},
		{"key": "withdrawal", "title": "Stopping", "text": "One tap on Stop, at any time, without a reason."},
	},
	"choices": []obj{{"choice": "visit", "label": "This visit"}, {"choice": "term", "label": "6 months"}, {"choice": "no", "label": "No"}, {"choice": "not_now", "label": "Not now"}},
	"texts":   obj{"indicator": obj{}, "ends": obj{"left_store": "You left the store, so it stopped."}},
}

// toPhones sends a frame to every phone.
func (b *backend) toPhones(v obj) {
	b.mu.Lock()
	all := append([]*pipe{}, b.phones...)
	b.mu.Unlock()
	for _, p := range all {
		p.send(v)
	}
}
