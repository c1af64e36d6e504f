// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"testing"
	"time"
)

// TestMessagesTakeTheirTime: a message has five seconds from its first frame, however it is stretched.
// Nothing else cuts such a peer before eight: a console may be silent for ten, a phone for its lease.
func TestMessagesTakeTheirTime(t *testing.T) {
	for name, stretch := range map[string]func(peer) int{"trickle": trickle, "empty continuations": continuations} {
		for at, open := range map[string]func(*house) peer{"app": (*house).phone, "console": (*house).console} {
			t.Run(name+" at the "+at, func(t *testing.T) {
				t.Parallel()
				p := open(newHouse(t))
				start := time.Now()
				code := stretch(p)
				if took := time.Since(start); code == 0 || took < 4*time.Second || took > 8*time.Second {
					t.Fatalf("closed with %d after %v; want after 5 s", code, took)
				}
			})
		}
	}
}

// TestMessageInTime: a slow message that is whole in time costs nothing, and its deadline goes with it.
func TestMessageInTime(t *testing.T) {
	t.Parallel()
	p := newHouse(t).phone()
	f := frame(opText|last, `{"type":"time","t0":1}`)
	_ = p.write(f[:12])
	if code := p.within(time.Second); code != 0 {
		t.Fatalf("closed with %d", code)
	}
	_ = p.write(f[12:])
	if code := p.within(7 * time.Second); code != 0 {
		t.Fatalf("closed with %d", code)
	}
}

// TestThePiecesOfAnEarlierMessage cost nothing when it is whole, also if the library reads on from there.
func TestThePiecesOfAnEarlierMessage(t *testing.T) {
	t.Parallel()
	p := newHouse(t).phone()
	f := frame(opText|last, `{"type":"time","t0":1}`)
	_ = p.write(f[:12])
	if code := p.within(time.Second); code != 0 {
		t.Fatalf("closed with %d", code)
	}
	_ = p.write(append(f[12:], frame(opPing|last, "")...))
	if code := p.within(7 * time.Second); code != 0 {
		t.Fatalf("closed with %d", code)
	}
}

// trickle sends a message's beginning and never its end.
func trickle(p peer) int {
	_ = p.write(frame(opText|last, `{"type":"beat","n":1}`)[:12])
	return p.within(9 * time.Second)
}

// continuations sends a message that has no end: frames of no length, which no read limit counts.
func continuations(p peer) int {
	_ = p.write(frame(opText, `{"type"`))
	for range 90 {
		_ = p.write(frame(opMore, ""))
		if code := p.within(100 * time.Millisecond); code != 0 {
			return code
		}
	}
	return 0
}
