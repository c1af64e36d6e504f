// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/mobile-sdk-spec/js"
	"doorstep/tracking/server/console"
)

// obj is a JSON object.
type obj = map[string]any

const goodCode = "one-time-code-4711"

// backend answers the pages as the contract says, with what a test puts into it.
type backend struct {
	t       *testing.T
	url     string
	mu      sync.Mutex
	serving bool
	mute    bool // beats are not echoed
	alerts  []obj
	offset  int
	screens []*pipe
	phones  []*pipe
	got     []obj // what consoles and phones sent, in order
	claimBy string
	onDuty  bool
	beat    any         // the newest beat of a console
	away    atomic.Bool // the next withdrawal is answered as if the ledger could not be reached
	role    string      // of whoever signs in
	glasses []obj       // who waits for somebody else's approval
	broken  string      // the code with which an approval is refused
	misread bool        // withdrawals are refused for what they say, but those of everything
	slow    bool        // erasures are recorded, and not true everywhere
	ended   int         // readings of the journal in which the look is still open
	missed  obj         // what a console that comes back is told; without it, everything
	tablet  fakeTablet
}

// pipe is a socket with one writer at a time.
type pipe struct {
	mu sync.Mutex
	ws *websocket.Conn
}

func (p *pipe) send(v any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.ws.WriteJSON(v)
}

func newBackend(t *testing.T) *backend {
	b := &backend{t: t, serving: true, onDuty: true, offset: 1, role: "floor", glasses: []obj{}}
	mux := http.NewServeMux()
	pages := console.Handler(sdkjs.Files)
	for _, p := range []string{"/{$}", "/console/", "/shopper/", "/demo", "/stop", "/assets/"} {
		mux.Handle(p, pages)
	}
	b.staffRoutes(mux)
	b.appRoutes(mux)
	s := httptest.NewServer(mux)
	b.url = s.URL
	t.Cleanup(func() {
		b.each(func(p *pipe) { _ = p.ws.Close() })
		s.Close()
	})
	return b
}

func (b *backend) each(f func(*pipe)) {
	b.mu.Lock()
	all := append(append([]*pipe{}, b.screens...), b.phones...)
	b.mu.Unlock()
	for _, p := range all {
		f(p)
	}
}

// toScreens sends a frame to every console.
func (b *backend) toScreens(v obj) {
	b.mu.Lock()
	all := append([]*pipe{}, b.screens...)
	b.mu.Unlock()
	for _, p := range all {
		p.send(v)
	}
}

// sent waits until a frame of that type has come in, and returns the last one.
func (b *backend) sent(kind string) obj {
	b.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		b.mu.Lock()
		for i := len(b.got) - 1; i >= 0; i-- {
			if b.got[i]["type"] == kind {
				defer b.mu.Unlock()
				return b.got[i]
			}
		}
		b.mu.Unlock()
	}
	b.t.Fatalf("no %q came in", kind)
	return nil
}

func (b *backend) staffRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/staff/session", func(w http.ResponseWriter, r *http.Request) {
		in := read(r)
		if in["code"] != goodCode && in["code"] != otherCode {
			refuse(w, 401, obj{"code": "code", "title": "The code does not work"})
			return
		}
		if in["shared"] == true {
			b.comeToTablet(in["code"])
		}
		http.SetCookie(w, &http.Cookie{Name: "doorstep-staff", Value: "x", HttpOnly: true, SameSite: http.SameSiteStrictMode, Path: "/"})
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /v1/staff/session", func(w http.ResponseWriter, _ *http.Request) {
		b.leaveTablet()
		http.SetCookie(w, &http.Cookie{Name: "doorstep-staff", Value: "", MaxAge: -1, Path: "/"})
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /v1/staff/me", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("doorstep-staff"); err != nil {
			refuse(w, 401, obj{"code": "session"})
			return
		}
		me := obj{"person": "Mei", "role": b.role, "store": obj{"id": "s1", "name": "Harbour Street"}}
		if b.atTablet(w, me) {
			answer(w, me)
		}
	})
	b.tabletRoutes(mux)
	mux.HandleFunc("GET /v1/staff/map", func(w http.ResponseWriter, _ *http.Request) { serveFile(b.t, w, "testdata/map.json") })
	mux.HandleFunc("POST /v1/staff/alerts/{id}/actions", b.act)
	mux.HandleFunc("POST /v1/staff/alerts/{id}/call", b.call)
	mux.HandleFunc("GET /v1/staff/break-glass", func(w http.ResponseWriter, _ *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		answer(w, obj{"asked": b.glasses})
	})
	mux.HandleFunc("POST /v1/staff/break-glass", b.askGlass)
	mux.HandleFunc("POST /v1/staff/break-glass/{id}/approve", b.breakGlass)
	mux.HandleFunc("GET /v1/staff/socket", b.screen)
}

func (b *backend) call(w http.ResponseWriter, r *http.Request) {
	in := read(r)
	b.note(obj{"type": "call", "alert": r.PathValue("id"), "desk": in["desk"], "key": r.Header.Get("Idempotency-Key")})
	answer(w, obj{"alert": obj{}})
}

func (b *backend) askGlass(w http.ResponseWriter, r *http.Request) {
	in := read(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, obj{"type": "glass", "alert": in["alert"], "reason": in["reason"]})
	b.glasses = append(b.glasses, obj{"id": in["id"], "alert": in["alert"], "reason": in["reason"], "by": "Mei", "mine": true, "until_t": time.Now().Add(15 * time.Minute).UnixMilli()})
	w.WriteHeader(http.StatusNoContent)
}

func (b *backend) breakGlass(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != "" {
		refuse(w, 409, obj{"code": b.broken, "title": "not now"})
		return
	}
	b.got = append(b.got, obj{"type": "approval", "id": r.PathValue("id")})
	b.glasses = []obj{}
	answer(w, obj{"alert": obj{}})
}

func (b *backend) act(w http.ResponseWriter, r *http.Request) {
	in := read(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.claimBy != "" {
		refuse(w, 409, obj{"code": "alert_held", "title": "Somebody else has this alert", "holder": b.claimBy})
		return
	}
	states := map[any]string{"claim": "claimed", "release": "raised", "resolve": "resolved", "snooze": "snoozed", "hand_over": "claimed", "keep": "claimed", "escalate": "escalated"}
	in["type"] = "action"
	b.got = append(b.got, in)
	for _, a := range b.alerts {
		if a["id"] == r.PathValue("id") {
			b.offset++
			a["state"], a["version"] = states[in["action"]], a["version"].(int)+1
			a["mine"] = in["action"] == "claim" || in["action"] == "keep"
			if in["action"] == "hand_over" {
				a["holder_tag"] = in["to_tag"]
			}
			if a["mine"] == true {
				a["due_t"] = time.Now().Add(5 * time.Minute).UnixMilli()
			}
			answer(w, obj{"alert": a})
			return
		}
	}
	refuse(w, 404, obj{"code": "no_alert"})
}

func (b *backend) screen(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{Subprotocols: []string{"doorstep.staff.v1"}}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	p := &pipe{ws: ws}
	b.mu.Lock()
	b.screens = append(b.screens, p)
	b.mu.Unlock()
	for {
		var f obj
		if ws.ReadJSON(&f) != nil {
			return
		}
		b.mu.Lock()
		if f["type"] == "beat" {
			b.beat = f["n"]
			if f["touched"] == true {
				b.tablet.touches++
			}
		} else {
			b.got = append(b.got, f)
		}
		serving, mute, alerts, offset, missed := b.serving, b.mute, append([]obj{}, b.alerts...), b.offset, b.missed
		b.mu.Unlock()
		switch f["type"] {
		case "hello":
			p.send(obj{"type": "welcome", "t": time.Now().UnixMilli(), "store": obj{"id": "s1", "name": "Harbour Street"},
				"person": obj{"shift": "sh1", "tag": "Mei", "role": "floor"}, "beat_ms": 250, "stale_ms": 800, "training": false, "fence": "v1", "epoch": "e1"})
			if missed != nil && f["epoch"] == "e1" {
				p.send(missed)
			} else {
				p.send(obj{"type": "snapshot", "offset": offset, "alerts": alerts})
			}
			p.send(obj{"type": "colleagues", "colleagues": []obj{{"shift": "sh2", "tag": "Jonas"}, {"shift": "sh1", "tag": "Mei"}}})
		case "beat":
			if !mute {
				p.send(obj{"type": "beat", "n": f["n"], "serving": serving})
			}
		}
	}
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, v obj) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func read(r *http.Request) obj {
	var v obj
	_ = json.NewDecoder(r.Body).Decode(&v)
	return v
}

func serveFile(t *testing.T, w http.ResponseWriter, name string) {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}

// position shows a dot, with the newest beat that a console has sent.
func (b *backend) position(alert string, x, y float64) {
	b.mu.Lock()
	n := b.beat
	b.mu.Unlock()
	b.toScreens(obj{"type": "position", "alert": alert, "n": n, "x": x, "y": y, "accuracy_m": 5, "level": 0, "t": time.Now().UnixMilli()})
}
