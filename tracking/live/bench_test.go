// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

// A second of 15,000 phones in ticks of 50 ms, as a node sends it: so many keys that they are cold
// when it is their turn. A hundredth of the phones is looked at.
const (
	benchPhones  = 15_000
	benchTicks   = 20
	benchShown   = 100
	benchPayload = 26
	benchOwner   = "8 random"
)

// benchSecond registers the phones, spread evenly over stores and ticks, and is their second: what
// each tick writes, store by store.
func benchSecond(b *testing.B, l tracking.Live, stores int) [][]tracking.LiveWrite {
	b.Helper()
	second := make([][]tracking.LiveWrite, benchTicks)
	payload := make([]byte, benchPayload)
	perStore := benchPhones / stores
	for v := range benchPhones {
		slot := tracking.Slot{Store: fmt.Sprint("store-", v/perStore), Visit: fmt.Sprintf("%032x", v)}
		w := tracking.LiveWrite{Slot: slot, Owner: benchOwner, Payload: payload, TTL: tracking.PositionLife - time.Millisecond, Show: v%benchShown == 0}
		if err := l.Register(context.Background(), slot, w.Owner, 0, w.TTL); err != nil {
			b.Fatal(err)
		}
		second[v%benchTicks] = append(second[v%benchTicks], w)
	}
	return second
}

// writeTick sends what a tick writes and waits for the answers.
func writeTick(b *testing.B, l tracking.Live, batch []tracking.LiveWrite, seq int64) (positions int) {
	for i := range batch {
		batch[i].Seq = seq
	}
	got, err := l.Write(context.Background(), batch)
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range got {
		if r != tracking.Written {
			b.Fatalf("not written: %d", r)
		}
	}
	return len(batch)
}

// run reports what a position takes here, and there.
func run(b *testing.B, l tracking.Live, stores int, cpu func() float64) {
	second := benchSecond(b, l, stores)
	b.ReportAllocs()
	before, positions, n := cpu(), 0, 0
	b.ResetTimer()
	for b.Loop() {
		positions += writeTick(b, l, second[n%benchTicks], int64(1+n/benchTicks))
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(positions), "ns/position")
	b.ReportMetric((cpu()-before)/float64(positions)*1e6, "redis-µs/position")
	b.ReportMetric(float64(positions)/float64(b.N), "positions/op")
}

// redisCPU is what Redis has used so far, in seconds.
func redisCPU(b *testing.B, admin *redis.Client) func() float64 {
	return func() float64 {
		info := admin.Info(context.Background(), "cpu").Val()
		user, err1 := strconv.ParseFloat(field(info, "used_cpu_user"), 64)
		sys, err2 := strconv.ParseFloat(field(info, "used_cpu_sys"), 64)
		if err1 != nil || err2 != nil {
			b.Fatal(err1, err2)
		}
		return user + sys
	}
}

func BenchmarkTick(b *testing.B) {
	for _, stores := range []int{1, 300} {
		b.Run(fmt.Sprintf("redis/stores=%d", stores), func(b *testing.B) {
			server := startServer(b)
			run(b, open(b, server.URL(), live.Options{}), stores, redisCPU(b, operator(b, server.AdminURL())))
		})
		b.Run(fmt.Sprintf("memory/stores=%d", stores), func(b *testing.B) {
			m := live.NewMemory(nil)
			defer m.Close()
			run(b, m, stores, func() float64 { return 0 })
		})
	}
}

// BenchmarkPlainSet is what Redis takes for as many positions without any rule, as one pipeline of
// SETs: the measure for BenchmarkTick, since the machine is in both.
func BenchmarkPlainSet(b *testing.B) {
	server := startServer(b)
	admin := operator(b, server.AdminURL())
	value := binary.BigEndian.AppendUint64(make([]byte, 2+len(benchOwner)+benchPayload), 1)
	cpu := redisCPU(b, admin)
	before, n := cpu(), 0
	const tick = benchPhones / benchTicks
	for b.Loop() {
		_, err := admin.Pipelined(context.Background(), func(p redis.Pipeliner) error {
			for v := range tick {
				p.Set(context.Background(), live.KeyOf("store-0", fmt.Sprintf("%032x", n%benchTicks*tick+v)), value, tracking.PositionLife)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric((cpu()-before)/float64(b.N*tick)*1e6, "redis-µs/position")
}
