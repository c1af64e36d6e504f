// SPDX-License-Identifier: Apache-2.0

package tracking

// For the tests outside of the package.
const (
	DutyGrace    = dutyGrace
	EnderWorkers = enderWorkers
	LooksMost    = looksMost
	EndRetryMax  = endRetryMax
)
