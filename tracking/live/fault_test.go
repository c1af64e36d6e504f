// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"doorstep/tracking"
	"doorstep/tracking/live"
	"doorstep/tracking/live/redisserver"
)

var here = tracking.Slot{Store: "s1", Visit: "v1"}

func one(seq int64, payload string) []tracking.LiveWrite {
	return []tracking.LiveWrite{{Slot: here, Owner: "a", Seq: seq, Payload: []byte(payload), TTL: 20 * time.Second, Show: true}}
}

func mustRegister(t *testing.T, l tracking.Live) {
	t.Helper()
	if err := l.Register(t.Context(), here, "a", 0, 20*time.Second); err != nil {
		t.Fatal(err)
	}
}

// wantWrite writes and wants one result.
func wantWrite(t *testing.T, l tracking.Live, seq int64, want tracking.WriteResult) {
	t.Helper()
	got, err := l.Write(t.Context(), one(seq, "p"))
	if err != nil || got[0] != want {
		t.Fatalf("write %d: got %v, %v; want %d", seq, got, err, want)
	}
}

func signal(t *testing.T, send func() error) {
	t.Helper()
	if err := send(); err != nil {
		t.Fatal(err)
	}
}

// stopped suspends a server until the test, or the caller, lets it go on.
func stopped(t *testing.T, s *redisserver.Server) {
	t.Helper()
	signal(t, s.Stop)
	t.Cleanup(func() { s.Cont() })
}

func after(d time.Duration) func() bool {
	start := time.Now()
	return func() bool { return time.Since(start) > d }
}

func wantPosition(t *testing.T, admin *redis.Client, want bool) {
	t.Helper()
	for _, k := range keyspace(t, admin) {
		if k.Slot == here && k.HasPosition != want {
			t.Errorf("position stored: %v, want %v", k.HasPosition, want)
		}
	}
}

// A write that lay in a queue past its deadline is refused when it is looked at, all of it.
func TestStoppedPastTheDeadline(t *testing.T) {
	server := startServer(t)
	r, admin := open(t, server.URL(), live.Options{ReplyTimeout: 30 * time.Second}), operator(t, server.AdminURL())
	mustRegister(t, r)
	stopped(t, server)
	type answer struct {
		results []tracking.WriteResult
		err     error
	}
	answered, late := make(chan answer, 1), after(tracking.WriteDeadline+200*time.Millisecond)
	go func() {
		results, err := r.Write(context.Background(), one(1, "late"))
		answered <- answer{results, err}
	}()
	until(t, "the deadline to pass", late)
	signal(t, server.Cont)
	if a := <-answered; a.err != nil || a.results[0] != tracking.TooLate {
		t.Errorf("got %v, %v; want TooLate", a.results, a.err)
	}
	wantPosition(t, admin, false)
	wantWrite(t, r, 1, tracking.Written)
}

// The client gave up, the command lay in Redis's socket, and the deadline stops it there.
func TestGivenUpPastTheDeadline(t *testing.T) {
	server := startServer(t)
	opts := live.Options{ReplyTimeout: 100 * time.Millisecond}.Allow(400 * time.Millisecond)
	r, admin := open(t, server.URL(), opts), operator(t, server.AdminURL())
	mustRegister(t, r)
	stopped(t, server)
	late := after(600 * time.Millisecond)
	if _, err := r.Write(t.Context(), one(1, "late")); !errors.Is(err, live.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	until(t, "the deadline to pass", late)
	signal(t, server.Cont)
	until(t, "Redis to answer", func() bool { return admin.Ping(context.Background()).Err() == nil })
	if calls := evalCalls(t, admin); calls != 2 {
		t.Errorf("%d scripts ran, want 2: the registration, and the late write", calls)
	}
	wantPosition(t, admin, false)
}

// The other half of the truth: a write that ended in an error may have been applied.
func TestGivenUpBeforeTheDeadline(t *testing.T) {
	server := startServer(t)
	opts := live.Options{ReplyTimeout: 100 * time.Millisecond}.Allow(time.Minute)
	r, admin := open(t, server.URL(), opts), operator(t, server.AdminURL())
	mustRegister(t, r)
	stopped(t, server)
	if _, err := r.Write(t.Context(), one(1, "p")); !errors.Is(err, live.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	signal(t, server.Cont)
	until(t, "the write to be applied", func() bool { return admin.StrLen(context.Background(), live.KeyOf("s1", "v1")).Val() == 12 })
	wantPosition(t, admin, true)
}

// evalCalls is how many scripts the server has run.
func evalCalls(t *testing.T, admin *redis.Client) (n int) {
	t.Helper()
	stats := field(admin.Info(context.Background(), "commandstats").Val(), "cmdstat_evalsha")
	fmt.Sscanf(stats, "calls=%d", &n)
	return n
}

// Before the first sample of the clock no write goes out: there is nothing to reckon with.
func TestNoWriteBeforeASample(t *testing.T) {
	server := startServer(t)
	r, admin := open(t, server.URL(), live.Options{ReplyTimeout: 100 * time.Millisecond}), operator(t, server.AdminURL())
	stopped(t, server)
	if err := r.Register(t.Context(), here, "a", 0, time.Second); !errors.Is(err, live.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	signal(t, server.Cont)
	until(t, "Redis to answer", func() bool { return admin.Ping(context.Background()).Err() == nil })
	if calls := evalCalls(t, admin); calls != 0 {
		t.Errorf("%d scripts ran without a sample", calls)
	}
	mustRegister(t, r)
}

// A sample that is old by the boot clock is not used: a clock that jumped ahead, as after a sleep,
// would make every deadline late, and one that jumped back every write.
func TestStaleSample(t *testing.T) {
	server := startServer(t)
	start := time.Now()
	var offset atomic.Int64
	boot := func() time.Duration { return time.Since(start) + time.Duration(offset.Load()) }
	r := open(t, server.URL(), live.Options{Boot: boot})
	late := open(t, server.URL(), live.Options{Boot: boot}.Allow(-time.Millisecond))
	mustRegister(t, r)
	wantWrite(t, late, 1, tracking.TooLate)
	for i, jump := range []time.Duration{time.Hour, -2 * time.Hour, time.Minute} {
		offset.Add(int64(jump))
		wantWrite(t, late, int64(i+1), tracking.TooLate)
		wantWrite(t, r, int64(i+1), tracking.Written)
	}
}

// A server that lost the scripts gets them again, and the second sending keeps the first's deadline.
func TestScriptsLost(t *testing.T) {
	server := startServer(t)
	r, admin := open(t, server.URL(), live.Options{}), operator(t, server.AdminURL())
	late := open(t, server.URL(), live.Options{}.Allow(-time.Millisecond))
	mustRegister(t, r)
	wantWrite(t, late, 1, tracking.TooLate) // so that its line is open, too
	seen := monitor(t, server)
	for seq := int64(1); seq <= 3; seq++ {
		if err := admin.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		wantWrite(t, r, seq, tracking.Written)
	}
	if err := admin.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	wantWrite(t, late, 9, tracking.TooLate)
	deadlines := make(map[string]int)
	for _, line := range seen() {
		if m := regexp.MustCompile(`"EVALSHA" "[0-9a-f]+" "1" "` + regexp.QuoteMeta(live.KeyOf("s1", "v1")) + `" "(\d+)"`).FindStringSubmatch(line); m != nil {
			deadlines[m[1]]++
		}
	}
	if len(deadlines) != 4 {
		t.Errorf("%d deadlines were sent, want 4", len(deadlines))
	}
	for d, n := range deadlines {
		if n != 2 {
			t.Errorf("deadline %s was sent %d times, want twice: before and after the script", d, n)
		}
	}
}

// monitor records what reaches a server from now on, until the function it returns is called.
func monitor(t *testing.T, server *redisserver.Server) func() []string {
	t.Helper()
	conn, err := net.Dial("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "AUTH operator %s\r\nMONITOR\r\n", password(t, server.AdminURL()))
	lines := bufio.NewScanner(conn)
	for range 2 {
		if !lines.Scan() || lines.Text() != "+OK" {
			t.Fatalf("monitor: %q, %v", lines.Text(), lines.Err())
		}
	}
	admin := operator(t, server.AdminURL())
	return func() (seen []string) {
		admin.Echo(context.Background(), "the end of it")
		for lines.Scan() && !strings.Contains(lines.Text(), "the end of it") {
			seen = append(seen, lines.Text())
		}
		return seen
	}
}

// Redis has no memory left: nothing new is written or registered, what is there can be read, and a purge gets through,
// also to a server that has lost the scripts. With memory again all goes on.
func TestNoMemoryLeft(t *testing.T) {
	server := startServer(t)
	r, admin := open(t, server.URL(), live.Options{}), operator(t, server.AdminURL())
	mustRegister(t, r)
	wantWrite(t, r, 1, tracking.Written)
	memory := func(most string) {
		signal(t, func() error { return admin.ConfigSet(t.Context(), "maxmemory", most).Err() })
	}
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, live.ErrRefused) || !strings.Contains(fmt.Sprint(err), "OOM; give Redis more memory") {
			t.Errorf("%s: got %v, want OOM and what to do", what, err)
		}
	}
	for _, scripts := range []bool{true, false} {
		memory("1")
		_, err := r.Write(t.Context(), one(2, "p"))
		refused("a write", err)
		refused("a registration", r.Register(t.Context(), tracking.Slot{Store: "s1", Visit: "v2"}, "a", 0, time.Second))
		if found, err := r.Read(t.Context(), "s1", []string{"v1"}); err != nil || len(found) != 1 {
			t.Errorf("read: %d positions, %v", len(found), err)
		}
		if !scripts {
			signal(t, func() error { return admin.ScriptFlush(t.Context()).Err() })
		}
		if err := r.Purge(t.Context(), "s1", []string{"v1", "v3"}); err != nil {
			t.Errorf("a purge: %v", err)
		}
		for _, v := range []string{"v1", "v3"} {
			if life := admin.PTTL(t.Context(), live.KeyOf("s1", v)).Val(); life <= 0 || life > tracking.FenceLife {
				t.Errorf("%s: a fence for %v", v, life)
			}
		}
		memory("0")
		wantWrite(t, r, 3, tracking.Fenced)
		signal(t, func() error { return admin.Del(t.Context(), live.KeyOf("s1", "v1")).Err() })
		mustRegister(t, r)
		wantWrite(t, r, 1, tracking.Written)
	}
}
