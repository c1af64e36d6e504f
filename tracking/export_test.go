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
