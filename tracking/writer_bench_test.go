// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorstep/tracking"
	"doorstep/tracking/live"
	"doorstep/tracking/live/redisserver"
)

// A second of 15,000 phones, spread over 20 ticks of the writer.
const (
	benchPhones = 15_000
	benchTicks  = 20
)

// BenchmarkWriter takes positions all the way from the session to a real Redis: what one costs this
// process, without reading and judging a fix, and what it costs Redis.
func BenchmarkWriter(b *testing.B) {
	for _, stores := range []int{1, 300} {
		b.Run(fmt.Sprintf("stores=%d", stores), func(b *testing.B) { benchWriter(b, stores) })
	}
}

func benchWriter(b *testing.B, stores int) {
	server, l := benchRedis(b)
	n := tracking.New(tracking.Config{ID: "a", Live: l, Clock: &clock{start: time.Now()}})
	n.Trust(time.Hour)
	sessions := make([]*tracking.Session, benchPhones)
	for i := range sessions {
		s := n.Stand(fmt.Sprint("store-", i%stores), fmt.Sprintf("%032x", i))
		if err := s.Enlist(); err != nil {
			b.Fatal(err)
		}
		sessions[i] = s
	}
	p := tracking.Position{Lat: 53.9998765, Lng: 2.9991234, AccuracyM: 4.5, Level: 1, HasLevel: true, Zone: "zone-0012"}
	tick := func(turn int) {
		const each = benchPhones / benchTicks
		from := turn % benchTicks * each
		p.T = time.Now().UnixMilli()
		for _, s := range sessions[from : from+each] {
			s.Put(&p)
		}
		n.Flush()
	}
	for turn := range 2 * benchTicks { // as after a while: all memory is there
		tick(turn)
	}
	written := n.Stats.Written.Load()
	ours, theirs := cpuOf(b, os.Getpid()), cpuOf(b, server.PID())
	b.ReportAllocs()
	turn := 0
	for b.Loop() {
		tick(turn)
		turn++
	}
	positions := float64(n.Stats.Written.Load() - written)
	if want := float64(turn * benchPhones / benchTicks); positions != want {
		b.Fatalf("%v positions written, want %v", positions, want)
	}
	b.ReportMetric((cpuOf(b, os.Getpid())-ours).Seconds()*1e6/positions, "µs/position")
	b.ReportMetric((cpuOf(b, server.PID())-theirs).Seconds()*1e6/positions, "redis-µs/position")
}

func benchRedis(b *testing.B) (*redisserver.Server, *live.Redis) {
	b.Helper()
	server, err := redisserver.Start(context.Background())
	if errors.Is(err, redisserver.ErrNoBinary) {
		b.Skip(err)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Close() })
	l, err := live.OpenRedis(context.Background(), server.URL(), live.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return server, l
}

// cpuOf is what a process has used so far, in user and kernel mode: of this one by the microsecond, of another by the
// kernel's hundredths of a second.
func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	if pid == os.Getpid() {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest) // from the third on, as proc(5) counts them
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	return time.Duration(user+system) * time.Second / 100
}
