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
	got, err := l.Write(t.Context(), "s1", one(seq, "p"))
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
		results, err := r.Write(context.Background(), "s1", one(1, "late"))
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
	if _, err := r.Write(t.Context(), "s1", one(1, "late")); !errors.Is(err, live.ErrUnavailable) {
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
	if _, err := r.Write(t.Context(), "s1", one(1, "p")); !errors.Is(err, live.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	signal(t, server.Cont)
	until(t, "the write to be applied", func() bool { return admin.StrLen(context.Background(), "ds:{s1}:v:v1").Val() == 12 })
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
		if m := regexp.MustCompile(`"EVALSHA" "[0-9a-f]+" "1" "ds:\{s1\}:v:v1" "(\d+)"`).FindStringSubmatch(line); m != nil {
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

// A Redis that comes back is used again by itself, empty, and subscriptions too.
func TestRestart(t *testing.T) {
	server := startServer(t)
	r := open(t, server.URL(), live.Options{ReplyTimeout: 500 * time.Millisecond})
	var heard atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := r.Subscribe(ctx, func(tracking.Message) { heard.Add(1) }, "s1", "nudge"); err != nil {
		t.Fatal(err)
	}
	mustRegister(t, r)
	wantWrite(t, r, 1, tracking.Written)
	until(t, "the first publication", func() bool { return heard.Load() == 1 })
	server.Kill()
	_, writeErr := r.Write(t.Context(), "s1", one(2, "p"))
	_, readErr := r.Read(t.Context(), "s1", []string{"v1"})
	for what, err := range map[string]error{
		"write": writeErr, "read": readErr, "purge": r.Purge(t.Context(), "s1", []string{"v1"}),
		"ping": r.Ping(t.Context()), "publish": r.Publish(t.Context(), "nudge", nil),
		"subscribe": r.Subscribe(t.Context(), func(tracking.Message) {}, "nudge"),
	} {
		if !errors.Is(err, live.ErrUnavailable) {
			t.Errorf("%s without a server: got %v, want ErrUnavailable", what, err)
		}
	}
	start, cancelStart := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancelStart()
	if err := server.Restart(start); err != nil {
		t.Fatal(err)
	}
	wantWrite(t, r, 3, tracking.NotOwner) // nothing survived
	mustRegister(t, r)
	seq := int64(3)
	until(t, "the subscription to be back", func() bool {
		seq++
		wantWrite(t, r, seq, tracking.Written)
		return heard.Load() > 1
	})
}

// The real expiry, not the tests' shift of it.
func TestRedisExpires(t *testing.T) {
	server := startServer(t)
	r, admin := open(t, server.URL(), live.Options{}), operator(t, server.AdminURL())
	mustRegister(t, r)
	batch := one(1, "p")
	batch[0].TTL = 150 * time.Millisecond
	if got, err := r.Write(t.Context(), "s1", batch); err != nil || got[0] != tracking.Written {
		t.Fatal(got, err)
	}
	wantPosition(t, admin, true)
	until(t, "the position to expire", func() bool { return admin.DBSize(context.Background()).Val() == 0 })
	got, err := r.Read(t.Context(), "s1", []string{"v1"})
	if err != nil || len(got) != 0 {
		t.Errorf("after the lease: %d positions, %v", len(got), err)
	}
}

// Many stores at once share flushes; each caller gets its own answers.
func TestManyStoresAtOnce(t *testing.T) {
	server := startServer(t)
	r := open(t, server.URL(), live.Options{})
	done := make(chan error)
	const stores = 200
	for i := range stores {
		go func() { done <- oneStore(t.Context(), r, fmt.Sprintf("store-%d", i), i%7+1) }()
	}
	for range stores {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func oneStore(ctx context.Context, r *live.Redis, store string, visits int) error {
	var batch []tracking.LiveWrite
	for v := range visits {
		slot := tracking.Slot{Store: store, Visit: fmt.Sprint("v", v)}
		if err := r.Register(ctx, slot, "a", 0, time.Second*20); err != nil {
			return err
		}
		batch = append(batch, tracking.LiveWrite{Slot: slot, Owner: "a", Seq: 1, Payload: []byte(store), TTL: 20 * time.Second})
	}
	got, err := r.Write(ctx, store, batch)
	if err != nil {
		return err
	}
	for i, result := range got {
		if result != tracking.Written || len(got) != visits {
			return fmt.Errorf("%s: item %d got %d", store, i, result)
		}
	}
	there, err := r.Read(ctx, store, []string{"v0"})
	if string(there["v0"]) != store {
		return fmt.Errorf("%s holds %q, %v", store, there["v0"], err)
	}
	return nil
}

func TestClosed(t *testing.T) {
	server := startServer(t)
	r, err := live.OpenRedis(t.Context(), server.URL(), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustRegister(t, r)
	if err := r.Subscribe(t.Context(), func(tracking.Message) {}, "nudge"); err != nil {
		t.Fatal(err)
	}
	m := live.NewMemory(nil)
	if err := m.Subscribe(t.Context(), func(tracking.Message) {}, "nudge"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := errors.Join(r.Close(), m.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	for _, l := range []tracking.Live{r, m} {
		_, writeErr := l.Write(t.Context(), "s1", one(1, "p"))
		_, readErr := l.Read(t.Context(), "s1", []string{"v1"})
		for what, err := range map[string]error{
			"write": writeErr, "read": readErr, "register": l.Register(t.Context(), here, "a", 0, time.Second),
			"purge": l.Purge(t.Context(), "s1", []string{"v1"}), "ping": l.Ping(t.Context()),
			"publish": l.Publish(t.Context(), "nudge", nil), "subscribe": l.Subscribe(t.Context(), func(tracking.Message) {}, "nudge"),
		} {
			if !errors.Is(err, live.ErrClosed) {
				t.Errorf("%T: %s after Close: got %v, want ErrClosed", l, what, err)
			}
		}
	}
}

// Close does not wait for a server that hangs longer than one reply.
func TestCloseWhileStopped(t *testing.T) {
	server := startServer(t)
	r, err := live.OpenRedis(t.Context(), server.URL(), live.Options{ReplyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	mustRegister(t, r)
	stopped(t, server)
	answered := make(chan error, 1)
	go func() {
		_, err := r.Write(context.Background(), "s1", one(1, "p"))
		answered <- err
	}()
	closed := make(chan error, 1)
	until(t, "the write to be under way", after(50*time.Millisecond))
	go func() { closed <- r.Close() }()
	for _, c := range []chan error{closed, answered} {
		select {
		case err := <-c:
			if c == answered && err == nil {
				t.Error("the write was answered by a stopped server")
			}
		case <-time.After(15 * time.Second):
			t.Fatal("Close waits for a server that hangs")
		}
	}
}
