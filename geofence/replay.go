// SPDX-License-Identifier: Apache-2.0

package geofence

import "iter"

// Event is one step of a replay: a fix and what it did, or the passing of time (Fix is nil) when
// that did something.
type Event struct {
	T        int64 // the clock, Unix milliseconds
	Fix      *Fix
	Place    Place
	Outcome  Outcome
	Presence Presence
}

// Replay runs fixes through the index and the rules, with their own T as the clock.
func (r Rules) Replay(x *Index, fixes iter.Seq2[Fix, error]) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {}
}
