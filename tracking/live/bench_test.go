// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

// benchBatches are batches of 50 of one store, a tenth of them shown, with 120 bytes each.
func benchBatches(b *testing.B, l tracking.Live, stores int) [][]tracking.LiveWrite {
	b.Helper()
	payload := make([]byte, 120)
	out := make([][]tracking.LiveWrite, stores)
	for s := range out {
		for v := range 50 {
			slot := tracking.Slot{Store: fmt.Sprint("store-", s), Visit: fmt.Sprintf("%032x", v)}
			w := tracking.LiveWrite{Slot: slot, Owner: "owner-token-of-22-byte", Payload: payload, TTL: 30 * time.Second, Show: v%10 == 0}
			if err := l.Register(context.Background(), slot, w.Owner, 0, w.TTL); err != nil {
				b.Fatal(err)
			}
			out[s] = append(out[s], w)
		}
	}
	return out
}

// run writes batches with rising numbers, one of each store at once, and reports per position.
func run(b *testing.B, l tracking.Live, stores int, cpu func() float64) {
	batches := benchBatches(b, l, stores)
	b.ReportAllocs()
	before := cpu()
	b.ResetTimer()
	for n := 1; b.Loop(); n++ {
		done := make(chan error, stores)
		for s := range batches {
			for i := range batches[s] {
				batches[s][i].Seq = int64(n)
			}
			go func() {
				got, err := l.Write(context.Background(), batches[s][0].Slot.Store, batches[s])
				if err == nil && got[0] != tracking.Written {
					err = fmt.Errorf("not written: %d", got[0])
				}
				done <- err
			}()
		}
		for range batches {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
	}
	positions := float64(b.N * stores * 50)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/positions, "ns/position")
	b.ReportMetric((cpu()-before)/positions*1e6, "redis-µs/position")
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

func BenchmarkWrite50(b *testing.B) {
	for _, stores := range []int{1, 20} {
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
// SETs: the measure for BenchmarkWrite50, since the machine is in both.
func BenchmarkPlainSet(b *testing.B) {
	server := startServer(b)
	admin := operator(b, server.AdminURL())
	value := make([]byte, 2+22+8+120)
	cpu := redisCPU(b, admin)
	before := cpu()
	for b.Loop() {
		_, err := admin.Pipelined(context.Background(), func(p redis.Pipeliner) error {
			for v := range 50 {
				p.Set(context.Background(), live.KeyOf("store-0", fmt.Sprintf("%032x", v)), value, tracking.PositionLife)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpu()-before)/float64(b.N*50)*1e6, "redis-µs/position")
}
