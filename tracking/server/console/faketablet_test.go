// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// otherCode is the one-time code of Jonas, goodCode that of Mei.
const otherCode = "one-time-code-0815"

// fakeTablet is what the backend knows of a device that several people use.
type fakeTablet struct {
	lockMS  int64
	people  []fakePerson // with a PIN
	who     string       // tag of who is there, or has a PIN to choose; empty: nobody of a shared device
	due     bool
	locked  bool
	wrong   int
	away    bool // nothing is answered about the device
	touches int
}

type fakePerson struct{ tag, pin string }

func (b *backend) comeToTablet(code any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &b.tablet
	t.who = map[any]string{goodCode: "Mei", otherCode: "Jonas"}[code]
	t.due, t.locked = true, false
}

func (b *backend) leaveTablet() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tablet.remove(b.tablet.who)
	b.tablet.who = ""
}

func (t *fakeTablet) remove(tag string) {
	t.people = slices.DeleteFunc(t.people, func(p fakePerson) bool { return p.tag == tag })
}

// atTablet fills in who is signed in, or refuses.
func (b *backend) atTablet(w http.ResponseWriter, me obj) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &b.tablet
	switch {
	case t.who == "":
	case t.due:
		refuse(w, 401, obj{"code": "pin_due"})
		return false
	case t.locked:
		refuse(w, 401, obj{"code": "locked"})
		return false
	default:
		me["person"], me["lock_ms"] = t.who, t.lockMS
	}
	return true
}

func (b *backend) tabletRoutes(mux *http.ServeMux) {
	handle := func(pattern string, f func(t *fakeTablet, in obj, w http.ResponseWriter)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			in := read(r)
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.tablet.away {
				refuse(w, 503, obj{"code": "unavailable"})
				return
			}
			f(&b.tablet, in, w)
		})
	}
	handle("PUT /v1/staff/session/pin", func(t *fakeTablet, in obj, w http.ResponseWriter) {
		t.remove(t.who)
		t.people, t.due = append(t.people, fakePerson{t.who, in["pin"].(string)}), false
		w.WriteHeader(http.StatusNoContent)
	})
	handle("POST /v1/staff/session/lock", func(t *fakeTablet, _ obj, w http.ResponseWriter) {
		t.locked = true
		w.WriteHeader(http.StatusNoContent)
	})
	handle("GET /v1/staff/device", func(t *fakeTablet, _ obj, w http.ResponseWriter) {
		people := []obj{}
		for _, p := range t.people {
			people = append(people, obj{"person": "sh-" + p.tag, "tag": p.tag, "until_t": time.Now().Add(time.Hour).UnixMilli()})
		}
		answer(w, obj{"people": people})
	})
	handle("POST /v1/staff/session/unlock", func(t *fakeTablet, in obj, w http.ResponseWriter) {
		for _, p := range t.people {
			switch {
			case "sh-"+p.tag != in["person"]:
			case p.pin == in["pin"]:
				t.who, t.locked, t.due, t.wrong = p.tag, false, false, 0
				w.WriteHeader(http.StatusNoContent)
				return
			case t.wrong < 4:
				t.wrong++
				refuse(w, 401, obj{"code": "wrong_pin", "left": 5 - t.wrong})
				return
			default:
				t.remove(p.tag)
			}
		}
		refuse(w, 401, obj{"code": "session"})
	})
}

// set changes the tablet under its lock.
func (b *backend) set(f func(t *fakeTablet)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.tablet)
}

// lockTablet is the server's own word: it is locked, and its sockets are closed.
func (b *backend) lockTablet() {
	b.set(func(t *fakeTablet) { t.locked = true })
	b.each(func(p *pipe) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4006, ""), time.Now().Add(time.Second))
	})
}
