// SPDX-License-Identifier: Apache-2.0

package client

import (
	"sync"
	"time"
)

// clock keeps the offset of server time from the client's own: of several exchanges the one with
// the shortest round trip is believed, since its error is at most half of that.
type clock struct {
	mu     sync.Mutex
	known  bool
	offset time.Duration
	trip   time.Duration
}

// observe takes in one exchange: when it was sent and received by the own clock, and the server's
// time in Unix milliseconds somewhere in between.
func (c *clock) observe(sent, received time.Time, t int64) {
	trip := received.Sub(sent)
	if t <= 0 || trip < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known && trip > c.trip {
		return
	}
	c.known, c.trip = true, trip
	c.offset = time.UnixMilli(t).Add(trip / 2).Sub(received)
}

// forget makes the next exchange count whatever its round trip: clocks drift.
func (c *clock) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = false
}

// server turns a time of the own clock into server time.
func (c *clock) server(own time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return own.Add(c.offset)
}

// serverMS is server for Unix milliseconds.
func (c *clock) serverMS(own int64) int64 { return c.server(time.UnixMilli(own)).UnixMilli() }
