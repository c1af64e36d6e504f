// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"doorstep/tracking"
)

var errUnwired = errors.New("not wired yet")

// Options are what OpenRedis may be told. The zero value is right for production.
type Options struct {
	Boot           func() time.Duration // a clock that goes on while the machine sleeps; nil: CLOCK_BOOTTIME
	ReplyTimeout   time.Duration        // how long to wait for an answer; 0: WriteDeadline and a half
	SampleEvery    time.Duration        // how old a sample of Redis's clock may be when a write is sent; 0: 3 s
	TLS            *tls.Config          // for rediss: URLs, in place of the system's roots; nil: those
	AllowPlaintext bool                 // permit redis: to a host that is not this one
}

// Redis is tracking.Live over a Redis server, a Sentinel group or a Redis Cluster.
type Redis struct{}

var _ tracking.Live = (*Redis)(nil)

// OpenRedis connects to the Redis at url.
func OpenRedis(ctx context.Context, url string, opts Options) (*Redis, error) {
	return nil, &Error{Op: "open", Family: ErrUnavailable, Cause: errUnwired}
}

// Register implements tracking.Live.
func (r *Redis) Register(ctx context.Context, s tracking.Slot, owner string, seq int64, ttl time.Duration) error {
	return errUnwired
}

// Write implements tracking.Live.
func (r *Redis) Write(ctx context.Context, store string, batch []tracking.LiveWrite) ([]tracking.WriteResult, error) {
	return nil, errUnwired
}

// Read implements tracking.Live.
func (r *Redis) Read(ctx context.Context, store string, visits []string) (map[string][]byte, error) {
	return nil, errUnwired
}

// Purge implements tracking.Live.
func (r *Redis) Purge(ctx context.Context, store string, visits []string) error { return errUnwired }

// Publish implements tracking.Live.
func (r *Redis) Publish(ctx context.Context, channel string, payload []byte) error { return errUnwired }

// Subscribe implements tracking.Live. It returns once the subscription is in force; delivery goes
// on in the background until ctx ends.
func (r *Redis) Subscribe(ctx context.Context, f func(tracking.Message), channels ...string) error {
	return errUnwired
}

// Ping implements tracking.Live.
func (r *Redis) Ping(ctx context.Context) error { return errUnwired }

// Close ends it.
func (r *Redis) Close() error { return nil }
