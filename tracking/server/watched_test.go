// SPDX-License-Identifier: Apache-2.0

//go:build linux

package server_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// asked is one question of the time, as it goes over the network.
func asked(t0 int) []byte { return frame(opText|last, fmt.Sprintf(`{"type":"time","t0":%d}`, t0)) }

// answered hears the answers, in their order.
func (s *handset) answered(t0s ...int) {
	s.h.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for n := len(s.got("time")); len(s.got("time")) < n+len(t0s); {
		if !s.hear() {
			s.h.Fatalf("closed with %d after %v", s.code, s.frames)
		}
	}
	got := s.got("time")
	for i, t0 := range t0s {
		if f := got[len(got)-len(t0s)+i]; f["t0"] != float64(t0) {
			s.h.Fatalf("answer %d: %v; want one to %d", i, f, t0)
		}
	}
}

// TestFramesHoweverTheyAreCut: a frame in any pieces is taken once, and in its turn.
func TestFramesHoweverTheyAreCut(t *testing.T) {
	h := newHouse(t)
	h.attended()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 12 {
		s := h.granted(fmt.Sprint("ana ", i), 10*time.Minute).quiet()
		var b []byte
		for t0 := range 4 {
			b = append(b, asked(1+t0)...)
		}
		for len(b) > 0 {
			n := min(len(b), 1+rng.IntN(1+i*8))
			_, err := s.conn.NetConn().Write(b[:n])
			h.ok(err)
			b = b[n:]
		}
		s.answered(1, 2, 3, 4)
	}
}

// TestAnUnusualFrameIsTakenToo: a ping, and a text in two frames, among plain ones, and their parts in one piece.
func TestAnUnusualFrameIsTakenToo(t *testing.T) {
	h := newHouse(t)
	h.attended()
	s := h.granted("ana", 10*time.Minute).quiet()
	ponged := 0
	s.conn.SetPongHandler(func(string) error { ponged++; return nil })
	two := asked(3)
	two[0] = opText
	var b []byte
	for _, part := range [][]byte{asked(1), frame(websocket.PingMessage|last, "?"), asked(2), two, frame(opMore|last, ""), asked(4)[:9]} {
		b = append(b, part...)
	}
	_, err := s.conn.NetConn().Write(b)
	h.ok(err)
	s.answered(1, 2, 3)
	_, err = s.conn.NetConn().Write(asked(4)[9:])
	h.ok(err)
	s.answered(4)
	if ponged != 1 {
		t.Fatalf("%d pongs", ponged)
	}
}

// TestAPhoneThatWaitsHasNoGoroutine: there are thousands of them.
func TestAPhoneThatWaitsHasNoGoroutine(t *testing.T) {
	h := newHouse(t)
	h.attended()
	const phones = 40
	for i := range phones {
		s := h.granted(fmt.Sprint("ana ", i), 10*time.Minute).quiet()
		h.ok(s.conn.NetConn().SetWriteDeadline(time.Now().Add(10 * time.Second)))
		_, err := s.conn.NetConn().Write(asked(1))
		h.ok(err)
		s.answered(1)
	}
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if n := strings.Count(string(stacks), "tracking/server.(*phone).serve"); n > phones/4 {
		t.Fatalf("%d of %d phones are still being let in", n, phones)
	}
	if n := strings.Count(string(stacks), "tracking/server.(*phone)"); n > phones/2 {
		t.Fatalf("%d goroutines are about one of %d phones that wait", n, phones)
	}
}
