// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"doorstep/tracking"
)

// line is one connection that writes go out on, with the clock of the server at its other end.
// The two belong together: a deadline is only good for the server whose clock it was reckoned by,
// and a pool would dial another one, after a failover, between the reckoning and the sending. A
// line never reconnects by itself; whoever holds it opens a new one. Used by one goroutine at a
// time.
type line struct {
	conn   *redis.Conn
	boot   func() time.Duration
	micros int64         // the server's clock, as last answered
	at     time.Duration // boot when that answer was read
}

// openLine connects, asks the server for its clock and gives it the scripts.
func openLine(ctx context.Context, client *redis.Client, boot func() time.Duration) (*line, error) {
	l := &line{conn: client.Conn(), boot: boot}
	if err := l.sample(ctx); err != nil {
		l.close()
		return nil, err
	}
	if err := l.load(ctx); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *line) close() { _ = l.conn.Close() } // nothing is owed to a connection that goes

// sample asks for the server's clock.
func (l *line) sample(ctx context.Context) error {
	reply, err := l.conn.Do(ctx, "TIME").Result()
	if err != nil {
		return err
	}
	now, err := micros(reply)
	if err != nil {
		return err
	}
	l.heard(now, l.boot())
	return nil
}

// heard takes in an answer that carries the server's clock. Counting from when the answer was
// read, not from when it was asked for, makes the reckoned clock at most the true one.
func (l *line) heard(serverMicros int64, at time.Duration) { l.micros, l.at = serverMicros, at }

// stale reports whether the sample is older than every. A clock that went back counts.
func (l *line) stale(every time.Duration) bool {
	age := l.boot() - l.at
	return age < 0 || age > every
}

// load gives the server the scripts. It holds nothing of anybody, so it may be repeated.
func (l *line) load(ctx context.Context) error {
	_, err := l.conn.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, s := range scripts {
			p.ScriptLoad(ctx, s.source)
		}
		return nil
	})
	return err
}

// send sends the calls in one piece and reads the answers. The deadline of each is this moment plus
// allow, or when its caller's context ends if that is sooner: what waited gets nothing anew. A call
// whose script the server has lost is sent again after the script, with the deadline it had. Each
// call has its own error afterwards; the one that send returns says that the line is done for, and
// that calls with an error may have been applied.
func (l *line) send(ctx context.Context, calls []*call, allow time.Duration) error {
	usual := l.boot() + allow
	for _, c := range calls {
		c.deadline = l.micros + (min(usual, c.latest) - l.at).Microseconds()
	}
	err := l.exchange(ctx, calls)
	again := without(calls)
	if err != nil || len(again) == 0 {
		return err
	}
	if err := l.load(ctx); err != nil {
		return err
	}
	return l.exchange(ctx, again)
}

// without picks the calls that were not run for want of the script.
func without(calls []*call) (again []*call) {
	for _, c := range calls {
		if c.err != nil && strings.HasPrefix(c.err.Error(), "NOSCRIPT") {
			again = append(again, c)
		}
	}
	return again
}

// exchange sends calls as they are. It returns the error that ends the line, if there is one.
func (l *line) exchange(ctx context.Context, calls []*call) (broken error) {
	pipe := l.conn.Pipeline()
	for _, c := range calls {
		pipe.Do(ctx, c.args...)
	}
	cmds, err := pipe.Exec(ctx)
	at := l.boot()
	for i, c := range calls {
		c.err = err // without commands, nothing was sent
		if i < len(cmds) {
			c.err = l.take(c, cmds[i].(*redis.Cmd), at)
		}
		if broken == nil && breaks(c.err) {
			broken = c.err
		}
	}
	return broken
}

// take hands one answer to its call.
func (l *line) take(c *call, cmd *redis.Cmd, at time.Duration) error {
	reply, err := cmd.Result()
	if err != nil {
		return err
	}
	now, err := c.answer(reply)
	if err == nil {
		l.heard(now, at)
	}
	return err
}

// breaks reports whether an error ends the line: anything but a plain answer of Redis, and the
// answers of a server that is not, or no longer, the one to write to.
func breaks(err error) bool {
	var reply redis.Error
	if err == nil {
		return false
	}
	if !errors.As(err, &reply) {
		return true
	}
	code := codeOf(err)
	return code == "READONLY" || code == "MASTERDOWN" || code == "LOADING"
}

// allowance is how long after it was sent a write may reach Redis, if its caller's context lasts
// as long.
const allowance = tracking.WriteDeadline

// unbounded is as good as no deadline, and far from overflowing when a boot time is added.
const unbounded = 100 * 365 * 24 * time.Hour

// latest is the boot time at which ctx ends. It is reckoned as soon as a call comes in: a context
// counts by a clock that stops while the machine sleeps, and a call that waited through that must
// not take up where it was. The boot clock is read first, so what lies between shortens.
func latest(ctx context.Context, boot func() time.Duration) time.Duration {
	now, left := boot(), unbounded
	if at, ok := ctx.Deadline(); ok {
		left = min(max(time.Until(at), 0), unbounded)
	}
	return now + left
}
