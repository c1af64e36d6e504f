// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"doorstep/tracking"
	"doorstep/tracking/live"
	"doorstep/tracking/live/redisserver"
)

// answer is what became of a write that somebody else waits for.
type answer struct {
	results []tracking.WriteResult
	err     error
}

func (a answer) is(want tracking.WriteResult) bool {
	return a.err == nil && len(a.results) == 1 && a.results[0] == want
}

// writeAside writes to a visit of its own without waiting.
func writeAside(ctx context.Context, r *live.Redis, visit string) <-chan answer {
	answered := make(chan answer, 1)
	batch := one(1, "p")
	batch[0].Slot.Visit = visit
	go func() {
		results, err := r.Write(ctx, batch)
		answered <- answer{results, err}
	}()
	return answered
}

// jam registers the visits, stops the server, and has a flush under way that it does not answer,
// so that what is written next waits in the queue.
func jam(t *testing.T, server *redisserver.Server, r *live.Redis, visits ...string) (first <-chan answer) {
	t.Helper()
	for _, v := range append(visits, "first") {
		if err := r.Register(t.Context(), tracking.Slot{Store: "s1", Visit: v}, "a", 0, 20*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the queue to be idle", func() bool { _, sending := r.Queue(); return !sending })
	stopped(t, server)
	first = writeAside(t.Context(), r, "first")
	until(t, "a flush to be under way", func() bool { waiting, sending := r.Queue(); return sending && waiting == 0 })
	return first
}

// waiting waits until n callers are in the queue.
func waiting(t *testing.T, r *live.Redis, n int) {
	t.Helper()
	until(t, "the callers to wait in the queue", func() bool { got, _ := r.Queue(); return got == n })
}

// Of the calls that one flush takes along each has its own caller's deadline, or the usual one if
// that is sooner or the caller has none.
func TestDeadlineOfEachCaller(t *testing.T) {
	const allow = 40 * time.Second
	server := startServer(t)
	r := open(t, server.URL(), live.Options{ReplyTimeout: 30 * time.Second}.Allow(allow))
	seen := monitor(t, server)
	first := jam(t, server, r, "soon", "far", "none")
	soon, cancelSoon := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancelSoon()
	far, cancelFar := context.WithTimeout(t.Context(), time.Hour)
	defer cancelFar()
	answers := map[string]<-chan answer{
		"soon": writeAside(soon, r, "soon"), "far": writeAside(far, r, "far"), "none": writeAside(t.Context(), r, "none"),
	}
	waiting(t, r, len(answers))
	begun := time.Now()
	signal(t, server.Cont)
	if a := <-first; !a.is(tracking.Written) {
		t.Errorf("the first: %v, %v", a.results, a.err)
	}
	for visit, answered := range answers {
		if a := <-answered; !a.is(tracking.Written) {
			t.Errorf("%s: %v, %v", visit, a.results, a.err)
		}
	}
	sent := deadlines(t, seen())
	end, _ := soon.Deadline()
	if d := sent[live.NameOf("soon")]; d.After(end) || end.Sub(d) > 10*time.Second {
		t.Errorf("the deadline is %v after the end of the caller's context, want at it or a little before", d.Sub(end))
	}
	for _, visit := range []string{"far", "none"} {
		// By the same machine's clock, and reckoned a little early.
		if left := sent[live.NameOf(visit)].Sub(begun); left < allow-5*time.Second || left > allow+time.Since(begun) {
			t.Errorf("%s: the deadline is %v after the sending, want %v", visit, left, allow)
		}
	}
}

// deadlines reads off a monitor which visit's write was sent with which deadline, once each.
func deadlines(t *testing.T, lines []string) map[string]time.Time {
	t.Helper()
	found := make(map[string]time.Time)
	write := regexp.MustCompile(`"EVALSHA" "[0-9a-f]+" "1" "ds:\{s1\}:v:([\w-]+)" "(\d+)" "PUBLISH"`)
	for _, line := range lines {
		if m := write.FindStringSubmatch(line); m != nil {
			micros, err := strconv.ParseInt(m[2], 10, 64)
			if _, twice := found[m[1]]; twice || err != nil {
				t.Fatalf("the write of %s: sent twice: %v, %v", m[1], twice, err)
			}
			found[m[1]] = time.UnixMicro(micros)
		}
	}
	return found
}

// A caller with 0.4 s left has a deadline 0.4 s away, whatever the flush takes: when Redis looks
// at the write after that, it is refused, long before the usual deadline.
func TestNotAppliedAfterTheCallersEnd(t *testing.T) {
	server := startServer(t)
	r := open(t, server.URL(), live.Options{ReplyTimeout: 30 * time.Second}.Allow(time.Minute))
	admin := operator(t, server.AdminURL())
	mustRegister(t, r)
	stopped(t, server)
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	if _, err := r.Write(ctx, one(1, "late")); !errors.Is(err, live.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want ErrUnavailable for the context's end", err)
	}
	signal(t, server.Cont)
	until(t, "the flush to end", func() bool { _, sending := r.Queue(); return !sending })
	if calls := evalCalls(t, admin); calls != 2 {
		t.Errorf("%d scripts ran, want 2: the registration, and the late write", calls)
	}
	wantPosition(t, admin, false)
	wantWrite(t, r, 1, tracking.Written)
}

// A machine that sleeps while a write is in the queue: its context has not ended, since Go's clock
// stood still, but by the boot clock the time is over.
func TestSleptInTheQueue(t *testing.T) {
	server, start := startServer(t), time.Now()
	var slept atomic.Int64
	boot := func() time.Duration { return time.Since(start) + time.Duration(slept.Load()) }
	r := open(t, server.URL(), live.Options{Boot: boot, ReplyTimeout: 30 * time.Second}.Allow(time.Minute))
	first := jam(t, server, r, "bounded", "free")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	bounded, free := writeAside(ctx, r, "bounded"), writeAside(t.Context(), r, "free")
	waiting(t, r, 2)
	slept.Add(int64(time.Hour))
	signal(t, server.Cont)
	if a := <-first; !a.is(tracking.Written) {
		t.Errorf("the first: %v, %v", a.results, a.err)
	}
	if a := <-bounded; !a.is(tracking.TooLate) {
		t.Errorf("slept past its context: %v, %v; want TooLate", a.results, a.err)
	}
	if a := <-free; !a.is(tracking.Written) {
		t.Errorf("without a deadline: %v, %v; want Written", a.results, a.err)
	}
}
