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
