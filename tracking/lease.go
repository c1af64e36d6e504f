// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"sync"
	"time"
)

// lease is a node's licence to act on what it last heard from the ledger. It starts invalid. It
// runs LeaseTime from the *start* of the poll that renewed it, because the answer describes the
// ledger at some moment after the start and possibly long before it arrived.
type lease struct {
	mu     sync.Mutex
	until  time.Duration // on the boot clock
	cursor int64         // every change up to here has been applied
}

// renew takes in a poll whose entries have been applied. A reply with less knowledge than the node
// already has is discarded: it left before something that is known by now.
func (l *lease) renew(pollStart time.Duration, change int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if change < l.cursor {
		return false
	}
	l.cursor = change
	l.until = max(l.until, pollStart+LeaseTime)
	return true
}

// learn notes that every change up to here has been applied, without a lease to go with it: there
// is more to come.
func (l *lease) learn(change int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cursor = max(l.cursor, change)
}

// reset forgets everything: the ledger and this node no longer agree on what came before.
func (l *lease) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until, l.cursor = 0, 0
}

func (l *lease) valid(now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now < l.until
}

// heard reports whether a poll that began after a moment has been taken in whole.
func (l *lease) heard(since time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until > since+LeaseTime
}

func (l *lease) known() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cursor
}
