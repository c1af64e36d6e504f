// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package live

import "time"

// bootClock is Go's monotonic clock. Where that stops while the machine sleeps, a deadline comes
// out too early and the write is refused: the safe side.
func bootClock() time.Duration { return time.Since(started) }

var started = time.Now()
