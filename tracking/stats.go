// SPDX-License-Identifier: Apache-2.0

package tracking

import "sync/atomic"

// Stats counts what happened on a node since it started. No label, no id: the edge exports them.
type Stats struct {
	Opened, Ended, Resumed        atomic.Int64
	Fixes, Accepted, Refused      atomic.Int64
	Written, Fenced, NotOwner     atomic.Int64
	OutOfOrder, TooLate, Unstored atomic.Int64
	Missing, Batches              atomic.Int64
	Suspended, Alerts             atomic.Int64
	PollFailed, EndRetried        atomic.Int64
	ConsolesCut, FramesDropped    atomic.Int64
	Unmarked, HintsDropped        atomic.Int64
}
