// SPDX-License-Identifier: Apache-2.0

package tracking

import "time"

// SystemClock is the machine's time. Its Boot clock is CLOCK_BOOTTIME where there is one.
type SystemClock struct{}

// Now is the wall clock.
func (SystemClock) Now() time.Time { return time.Now() }

// Boot is the time since the machine started, sleep included.
func (SystemClock) Boot() time.Duration { return bootTime() }

func unixMS(t time.Time) int64 { return t.UnixMilli() }
