// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"testing"
	"time"
)

// A console says hello first, and once; one that comes back with the epoch of its welcome is told what changed, not everything.
func TestAConsoleSaysHelloAndComesBack(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.atConsole("kim")
		ana := h.granted("ana", 10*time.Minute).session()
		ana.enter()
		ana.say(map[string]any{"type": "help", "id": "018f0000-0000-7000-8000-000000000001", "topic": "size"})
		h.pass(time.Second)
		first := h.atConsole("mei")
		epoch, _ := first.got("welcome")[0]["epoch"].(string)
		offset, _ := first.got("snapshot")[0]["offset"].(float64)
		h.want("an epoch and an offset", epoch != "" && offset > 0, true)
		ana.say(map[string]any{"type": "help", "id": "018f0000-0000-7000-8000-000000000002", "topic": "price"})
		h.pass(time.Second)

		conn, _, err := h.rawConsole(&peer{}, h.staff("mei", time.Hour))
		h.ok(err)
		back := &handset{h: h, conn: conn}
		go back.listen()
		h.ok(back.say(map[string]any{"type": "hello", "since": offset, "epoch": epoch}))
		h.pass(time.Second)
		resumed := back.got("resumed")
		h.want("snapshots", len(back.got("snapshot")), 0)
		if len(resumed) != 1 || len(resumed[0]["alerts"].([]any)) != 1 {
			h.Fatalf("told %v", back.got(""))
		}

		h.ok(back.say(map[string]any{"type": "hello", "since": offset, "epoch": epoch}))
		h.pass(time.Second)
		if code, _ := back.closed(); code != 4503 {
			h.Errorf("a second hello: closed with %d", code)
		}
		for name, frame := range map[string]any{"a beat first": map[string]any{"type": "beat", "n": 1}, "less than nothing": map[string]any{"type": "hello", "since": -1}} {
			conn, _, err := h.rawConsole(&peer{}, h.staff("kim", time.Hour))
			h.ok(err)
			rude := &handset{h: h, conn: conn}
			go rude.listen()
			h.ok(rude.say(frame))
			h.pass(time.Second)
			if code, _ := rude.closed(); code != 4503 {
				h.Errorf("%s: closed with %d", name, code)
			}
		}
	})
}
