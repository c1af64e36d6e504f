// SPDX-License-Identifier: Apache-2.0

package tracking

// For the tests outside of the package.
const (
	DutyGrace    = dutyGrace
	EnderWorkers = enderWorkers
	LooksMost    = looksMost
	EndRetryMax  = endRetryMax
	MaxCheckins  = maxCheckins
)

// Owe promises a snapshot at once, as a frame does that was dropped for want of a lease.
func (c *Console) Owe() {
	c.owe()
	c.signal()
}

// DecodePosition is what a live state's payload says.
func DecodePosition(b []byte) (Position, bool) { return decodePosition(b) }

// AppendPosition is how it is written.
func AppendPosition(b []byte, p Position) []byte { return p.append(b) }
