// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package tracking

import "time"

var processStart = time.Now()

// bootTime is Go's monotonic clock, which may stand still while the machine sleeps: good enough to
// develop on, not to serve from, since a lease could then outlive its time.
func bootTime() time.Duration { return time.Since(processStart) }
