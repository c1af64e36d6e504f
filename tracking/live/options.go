// SPDX-License-Identifier: Apache-2.0

package live

import (
	"crypto/tls"
	"time"
)

// Options are what OpenRedis may be told. The zero value is right for production.
type Options struct {
	// Boot is a clock that goes on while the machine sleeps; nil means CLOCK_BOOTTIME.
	Boot func() time.Duration
	// ReplyTimeout is how long to wait for an answer, and for a connection. 0 means one and a half
	// times tracking.WriteDeadline: by then an answer that comes says "too late" anyway.
	ReplyTimeout time.Duration
	// SampleEvery is how old a sample of Redis's clock may be when a write goes out; 0 means 3 s.
	// Every answer to a write carries a new one, so it counts only after a pause.
	SampleEvery time.Duration
	// TLS is for rediss: URLs, with one's own roots for instance; nil means the system's roots.
	TLS *tls.Config
	// AllowPlaintext permits redis: URLs to other hosts than this one.
	AllowPlaintext bool

	allow time.Duration // in place of tracking.WriteDeadline, in tests
}

// defaults fills in what the caller left open.
func (o *Options) defaults() {
	if o.Boot == nil {
		o.Boot = bootClock
	}
	if o.ReplyTimeout <= 0 {
		o.ReplyTimeout = allowance + allowance/2
	}
	if o.SampleEvery <= 0 {
		o.SampleEvery = 3 * time.Second
	}
	if o.allow == 0 {
		o.allow = allowance
	}
}

// AppACL is what the application's own user may do in Redis, as rules of ACL SETUSER: its keys,
// its channels, and no CONFIG, KEYS, SCAN, MONITOR or SLOWLOG. Whoever reads the keyspace as this
// user must know a visit's name already.
const AppACL = "~ds:* &ds:* -@all +hello +auth +ping +time +get +mget +set +evalsha +script|load " +
	"+publish +spublish +subscribe +unsubscribe +ssubscribe +sunsubscribe +command +cluster|slots +cluster|shards " +
	"+asking" // while a slot moves
