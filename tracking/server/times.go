// SPDX-License-Identifier: Apache-2.0

package server

import "time"

// Times of requests and answers are Unix milliseconds; 0 is none.

// lastT is the last of the year 9999: records write times as RFC 3339, which has none after it.
const lastT = 253_402_300_799_999

// notTime is what is wrong with a time that isTime refuses, behind its name.
const notTime = ": Unix milliseconds, of the year 9999 at the latest"

// isTime reports whether a time of a request is one.
func isTime(t int64) bool { return t > 0 && t <= lastT }

// fromMS is a time of a request. It is in UTC, so that what is kept of it is the same at every node.
func fromMS(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(t).UTC()
}

// ms is a time as answers hold it.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
