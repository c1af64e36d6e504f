// SPDX-License-Identifier: Apache-2.0

//go:build linux

package server_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/tracking"
)

// TestAConsoleThatDoesNotRead, over a real connection, where the kernel would keep megabytes for it: it is cut soon after as many
// bytes as may wait for it, which is counted; another console hears everything meanwhile.
func TestAConsoleThatDoesNotRead(t *testing.T) {
	h := newHouse(t)
	id := uuid.NewString()
	var heard atomic.Int64 // the newest version of the alert
	mei := h.reads("mei", func(f map[string]any) {
		if a, ok := f["alert"].(map[string]any); ok && a["id"] == id {
			heard.Store(int64(a["version"].(float64)))
		}
	})
	s := h.granted("ana", 10*time.Minute).session()
	h.soon("inside", func() bool { s.fix(0, 0); return s.told("active") })
	h.ok(s.say(map[string]any{"type": "help", "id": id, "topic": "fitting"}))
	h.soon("the alert on screen", func() bool { return heard.Load() > 0 })

	dial := h.dial
	h.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err == nil {
			h.ok(conn.(*net.TCPConn).SetReadBuffer(4 << 10))
		}
		return conn, err
	}
	var p peer
	_, res, err := h.dialConsole(&p, h.staff("kim", time.Hour)) // reads nothing from here on
	h.ok(err)
	h.ok(res.Body.Close())
	h.dial = dial

	by := tracking.Actor{Shift: "mei", Tag: "Mei"}
	bytes, last := 0, int64(0)
	for bytes < 4*consoleUnread && h.node.Stats.ConsolesCut.Load() == 0 {
		for _, action := range []tracking.Action{tracking.Claim, tracking.Release} {
			a, err := h.node.Act(h.Context(), demostore.ID, id, tracking.Change{Action: action, By: by})
			h.ok(err)
			last = int64(a.Version)
			bytes += leastAlert
		}
	}
	h.soon("it is cut", func() bool { return h.metric("doorstep_consoles_cut_total") == 1 })
	h.soon("the other has heard everything", func() bool { return heard.Load() == last })
	h.want("and is still there", mei.within(time.Millisecond), 0)
}

const (
	consoleUnread = 64 << 10 // bytes that may wait for a console
	leastAlert    = 200      // bytes of an alert's frame, at least
)

// until waits for what is only a matter of time.
func (h *house) soon(what string, f func() bool) {
	h.Helper()
	for range 400 {
		if f() {
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	h.Fatalf("never came about: %s", what)
}

// reads is a console that reads, beats as a page does, and hands on what it is told.
func (h *house) reads(shift string, take func(frame map[string]any)) (p peer) {
	h.Helper()
	conn, res, err := h.dialConsole(&p, h.staff(shift, time.Hour))
	h.ok(err)
	h.ok(res.Body.Close())
	closed, over, joined := make(chan int, 1), make(chan struct{}), make(chan struct{})
	p.closed = closed
	go func() {
		tick := time.NewTicker(tracking.BeatEvery)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-over:
				return
			case <-tick.C:
				_ = conn.WriteJSON(map[string]any{"type": "beat", "n": n})
			}
		}
	}()
	go func() {
		defer close(over)
		closed <- listen(conn, joined, take)
	}()
	<-joined
	return p
}
