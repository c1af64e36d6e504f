// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// counts are what this node has sent since it started.
type counts struct{ sent, failed, dead atomic.Int64 }

// lookWithin is how long a scrape waits for the database.
const lookWithin = time.Second

var (
	sentTotal   = describe("sent_total", "Messages that receivers took from this node.")
	failedTotal = describe("failed_total", "Attempts of this node that failed: no answer, or none of success.")
	deadTotal   = describe("dead_total", "Messages that this node gave up.")
	waiting     = describe("waiting", "Messages that wait to be sent; the same at every node.")
	dead        = describe("dead_letters", "Messages that were given up in the last day and not sent again; the same at every node.")
	oldest      = describe("oldest_waiting_seconds", "How long ago that happened which waits longest to be told; 0 if nothing does. The same at every node.")
)

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("doorstep_webhooks_"+name, help, nil, nil)
}

// Describe names the metrics of a sender.
func (s *Sender) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{sentTotal, failedTotal, deadTotal, waiting, dead, oldest} {
		to <- d
	}
}

// Collect tells what this node has sent, and what waits for any node. While the database does not answer, only the first is told.
func (s *Sender) Collect(to chan<- prometheus.Metric) {
	for d, n := range map[*prometheus.Desc]*atomic.Int64{sentTotal: &s.counts.sent, failedTotal: &s.counts.failed, deadTotal: &s.counts.dead} {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n.Load()))
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	b, err := s.Store.Backlog(ctx)
	if err != nil {
		return
	}
	age := 0.0
	if !b.Oldest.IsZero() {
		age = max(0, s.Now().Sub(b.Oldest).Seconds())
	}
	for d, v := range map[*prometheus.Desc]float64{waiting: float64(b.Waiting), dead: float64(b.Dead), oldest: age} {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
}
