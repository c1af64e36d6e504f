// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"fmt"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
)

// withdraw stops by HTTP, from wherever the shopper is, and measures how long the answer took.
func (a *app) withdraw() time.Duration {
	a.h.Helper()
	start := time.Now()
	_, err := a.Withdraw(a.h.Context(), client.Withdrawal{Scope: "store", Store: demostore.ID})
	a.h.ok(err)
	return time.Since(start)
}

// TestAPhoneThatDoesNotRead: it is told of a change and takes nothing in. Neither its own end nor anybody
// else's waits for it, and it is cut.
func TestAPhoneThatDoesNotRead(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.attended()
		stuck, other := h.granted("stuck", 10*time.Minute), h.granted("other", 10*time.Minute)
		ben := other.session()
		ben.enter()
		ana := stuck.quiet()
		ana.enter() // what it is told of that is not read, and the write of it under way
		h.pass(time.Millisecond)
		if took := other.withdraw(); took > 50*time.Millisecond {
			h.Errorf("another's withdrawal was answered after %v", took)
		}
		if took := stuck.withdraw(); took > 50*time.Millisecond {
			h.Errorf("its own withdrawal was answered after %v", took)
		}
		h.pass(10 * time.Millisecond)
		if code, _ := ben.closed(); code != 4500 || !ben.told("ended") {
			h.Errorf("the other was closed with %d, told %v", code, ben.states())
		}
		start := time.Now()
		h.pass(2 * time.Second) // a write has one
		ana.listen()
		if code, at := ana.closed(); code != 1006 || at.Sub(start) > 2*time.Second || ana.told("ended") {
			h.Errorf("the phone that does not read was closed with %d after %v, told %v", code, at.Sub(start), ana.states())
		}
	})
}

// TestSlowPhonesHoldUpNoSweep: what the sweep has to say to phones that do not read delays nobody's end.
func TestSlowPhonesHoldUpNoSweep(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.attended()
		for i := range 5 {
			h.granted(fmt.Sprint("stuck ", i), 10*time.Minute).quiet() // each is due a beat in ten seconds
		}
		a := h.granted("other", 11*time.Second)
		s := a.session()
		until := int64(s.got("welcome")[0]["auth_until"].(float64))
		h.pass(16 * time.Second)
		code, at := s.closed()
		if late := at.Sub(time.UnixMilli(until)); code != 4006 || late <= 0 || late > 1100*time.Millisecond {
			h.Fatalf("closed with %d, %v after its token's end", code, late)
		}
	})
}

// TestTheLastStateComesBeforeTheClose, with all that was said before it, in its order.
func TestTheLastStateComesBeforeTheClose(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.attended()
		a := h.granted("ana", 10*time.Minute)
		s := a.quiet()
		s.enter() // the first write is under way, and not read yet
		for range 3 {
			h.pass(200 * time.Millisecond)
			s.fix(1, 1)
		}
		s.say(map[string]any{"type": "bye"})
		h.pass(time.Millisecond)
		go s.listen()
		h.pass(time.Second)
		if code, _ := s.closed(); code != 1000 {
			h.Fatalf("closed with %d", code)
		}
		frames := s.got("")
		last := frames[len(frames)-1]
		if last["type"] != "state" || last["state"] != "ended" || last["reason"] != "bye" {
			h.Fatalf("the last frame: %v", last)
		}
		seq := 0.0
		for _, f := range s.got("ack") {
			if f["seq"].(float64) < seq {
				h.Fatalf("acknowledgements went back: %v", s.got("ack"))
			}
			seq = f["seq"].(float64)
		}
		if int64(seq) != s.seq {
			h.Fatalf("acknowledged up to %v of %d", seq, s.seq)
		}
	})
}
