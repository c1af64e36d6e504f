// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"testing"
	"time"
)

// Two windows of a second each tolerate 20 frames: whatever falls where, 50 at once are too many.
const flood = 50

// TestRefusedFramesCount: a flood of frames that the schema refuses is a flood like any other.
func TestRefusedFramesCount(t *testing.T) {
	p := newHouse(t).phone()
	outOfRange := `{"type":"fix","seq":1,"t":1,"lat":91,"lng":3,"accuracy_m":5,"app_state":"foreground","precise":true}`
	_ = p.write(bytes.Repeat(frame(opText|last, outOfRange), flood))
	if code := p.within(5 * time.Second); code != 4004 {
		t.Fatalf("closed with %d; want 4004", code)
	}
}

// TestControlFloods: pings and pongs are seen by no reader, and limited all the same.
func TestControlFloods(t *testing.T) {
	for name, head := range map[string]byte{"pings": opPing, "pongs": opPong} {
		for at, open := range map[string]func(*house) peer{"app": (*house).phone, "console": (*house).console} {
			t.Run(name+" of the "+at, func(t *testing.T) {
				p := open(newHouse(t))
				_ = p.write(bytes.Repeat(frame(head|last, ""), flood))
				if code := p.within(5 * time.Second); code != 1008 {
					t.Fatalf("closed with %d; want 1008", code)
				}
			})
		}
	}
}

// TestConsoleFloods: a console beats four times a second; one that sends far more is cut, and is told why.
func TestConsoleFloods(t *testing.T) {
	p := newHouse(t).console()
	_ = p.write(bytes.Repeat(frame(opText|last, `{"type":"beat","n":1}`), flood))
	if code := p.within(5 * time.Second); code != 4004 {
		t.Fatalf("closed with %d; want 4004", code)
	}
}

// TestDecentPeers: what is allowed stays allowed.
func TestDecentPeers(t *testing.T) {
	p := newHouse(t).console()
	_ = p.write(bytes.Repeat(frame(opText|last, `{"type":"beat","n":1}`), 8))
	_ = p.write(bytes.Repeat(frame(opPing|last, ""), 8))
	_ = p.write(bytes.Repeat(frame(opPong|last, ""), 8))
	if code := p.within(time.Second); code != 0 {
		t.Fatalf("closed with %d", code)
	}
}
