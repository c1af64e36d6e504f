// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever replies come, in whatever order: a lease never reaches past LeaseTime from the start of a poll
// that brought at least what is known, and what is known never shrinks.
func TestLeaseProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l lease
		var known int64
		var until time.Duration
		for range 40 {
			start := time.Duration(rapid.IntRange(0, 10_000).Draw(t, "start")) * time.Millisecond
			change := rapid.Int64Range(0, 20).Draw(t, "change")
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				l.reset()
				known, until = 0, 0
			case 1, 2:
				l.learn(change)
				known = max(known, change)
			default:
				renewed := l.renew(start, change)
				if renewed != (change >= known) {
					t.Fatalf("renewed %v with %d, at %d", renewed, change, known)
				}
				if renewed {
					known, until = change, max(until, start+LeaseTime)
				}
			}
			if l.known() != known {
				t.Fatalf("known: %d, want %d", l.known(), known)
			}
			now := time.Duration(rapid.IntRange(0, 12_000).Draw(t, "now")) * time.Millisecond
			if l.valid(now) != (now < until) {
				t.Fatalf("at %v valid %v, until %v", now, l.valid(now), until)
			}
		}
	})
}

func TestALeaseStartsInvalid(t *testing.T) {
	var l lease
	if l.valid(0) {
		t.Fatal("a lease that nobody gave")
	}
	if !l.renew(0, 0) || !l.valid(LeaseTime-1) || l.valid(LeaseTime) {
		t.Fatal("a lease runs for LeaseTime, its end excluded")
	}
}
