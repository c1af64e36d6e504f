// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// terminal lists what clears each close code that must not be retried. For "update", 4502 means a
// fresh token and the others a newer SDK.
var terminal = map[int]string{
	1000: "user", 1002: "update", 1003: "update", 1007: "update", 1008: "update", 1009: "update", 1010: "update",
	4500: "decision", 4501: "user", 4502: "update", 4503: "update", 4504: "decision", 4505: "permission",
	4506: "user", 4507: "opens", 4508: "opens", 4509: "update",
}

// retried lists the codes below 4000 after which a client comes back.
var retried = map[int]bool{1001: true, 1005: true, 1006: true, 1011: true, 1012: true, 1013: true, 1015: true}

// Outcome says what a close code means: come back after a wait, or not before something happened
// (decision, user, permission, opens, update). Unknown codes follow the ranges.
func Outcome(code int) (retry bool, restart string) {
	if retried[code] || code >= 4000 && code < 4500 {
		return true, ""
	}
	if r, ok := terminal[code]; ok {
		return false, r
	}
	return false, "update"
}

// CloseError is a socket that was closed before the welcome.
type CloseError struct {
	Code    int
	Retry   bool
	Restart string
	Reason  string
}

// Error says the code and what to do.
func (e *CloseError) Error() string {
	if e.Retry {
		return fmt.Sprintf("client: closed with %d before the welcome; wait and connect again", e.Code)
	}
	return fmt.Sprintf("client: closed with %d before the welcome; do not connect again before: %s", e.Code, e.Restart)
}

const waitMost = 20 * time.Second

// bound is the longest wait before attempt n, from 0: 0.5 s · 2ⁿ, at most 20 s.
func bound(n int) time.Duration {
	if n > 5 {
		return waitMost
	}
	return min(waitMost, 500*time.Millisecond<<max(n, 0))
}

// Backoff is how long to wait before attempt n (from 0): at random up to the bound, but never less
// than the server asked for. Count from 0 again after 60 s connected, and give up after 30 min.
func Backoff(n int, retryMS int64) time.Duration {
	return max(time.Duration(retryMS)*time.Millisecond, rand.N(bound(n)+1))
}
