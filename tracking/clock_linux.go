// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"time"

	"golang.org/x/sys/unix"
)

// bootTime costs a system call (some 200 ns): it is read once per flush and per poll, not per fix.
func bootTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("tracking: no CLOCK_BOOTTIME, and without it no lease can be trusted: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
