// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally is what the clients saw, counted where it happened.
type tally struct {
	mu    sync.Mutex // owns the rest
	sum   Summary    // its counts
	times [metrics]*hdrhistogram.Histogram
}

// metric is one of the latencies that are measured.
type metric int

const (
	toSuspended metric = iota
	toHidden
	toGone
	fixToSuspended
	fixToHidden
	fixToGone
	phoneToSuspended
	phoneToHidden
	phoneToGone
	outToHidden
	crossingToHidden
	toAnswer
	socketToAnswer
	tabToAnswer
	stopToAnswer
	withdrawalToGone
	metrics
)

// measures says of each metric what it is, and where in the summary it goes.
var measures = [metrics]struct {
	what string
	span func(*Summary) *Span
}{
	toSuspended:      {"first credible report outside → app says suspended", func(s *Summary) *Span { return &s.ExitToSuspended }},
	toHidden:         {"first credible report outside → console hides", func(s *Summary) *Span { return &s.ExitToHidden }},
	toGone:           {"confirming report → console says gone", func(s *Summary) *Span { return &s.ExitToGone }},
	fixToSuspended:   {"a fix → app says suspended", func(s *Summary) *Span { return &s.FixToSuspended }},
	fixToHidden:      {"a fix → console hides", func(s *Summary) *Span { return &s.FixToHidden }},
	fixToGone:        {"a confirming fix → console says gone", func(s *Summary) *Span { return &s.FixToGone }},
	phoneToSuspended: {"the phone's own word → app says suspended", func(s *Summary) *Span { return &s.PhoneToSuspended }},
	phoneToHidden:    {"the phone's own word → console hides", func(s *Summary) *Span { return &s.PhoneToHidden }},
	phoneToGone:      {"the phone's confirming word → console says gone", func(s *Summary) *Span { return &s.PhoneToGone }},
	outToHidden:      {"first report outside at all → console hides", func(s *Summary) *Span { return &s.OutsideToHidden }},
	crossingToHidden: {"truly over the boundary → console hides", func(s *Summary) *Span { return &s.CrossingToHidden }},
	toAnswer:         {"withdrawal → answered", func(s *Summary) *Span { return &s.WithdrawToAnswer }},
	socketToAnswer:   {"by the socket and by HTTP, the faster", func(s *Summary) *Span { return &s.WithdrawSocketToAnswer }},
	tabToAnswer:      {"by HTTP alone, the socket open elsewhere", func(s *Summary) *Span { return &s.WithdrawHTTPToAnswer }},
	stopToAnswer:     {"by a stop token alone, the socket closed", func(s *Summary) *Span { return &s.WithdrawStopToAnswer }},
	withdrawalToGone: {"withdrawal → console says gone", func(s *Summary) *Span { return &s.WithdrawToGone }},
}

func newTally() *tally {
	t := &tally{sum: Summary{Refused: make(map[string]int), Exits: make(map[string]int), Problems: make(map[string]int)}}
	for m := range t.times {
		t.times[m] = hdrhistogram.New(1, longest.Microseconds(), 3)
	}
	return t
}

// longest is the longest time that is told from longer ones.
const longest = 5 * time.Minute

// with changes the counts under the lock.
func (t *tally) with(f func(*Summary)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.sum)
}

// took notes how long something took. What ends before it begins was taken for something else: that
// is a problem, and no latency.
func (t *tally) took(m metric, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d < 0 {
		t.sum.Problems[fmt.Sprintf("a time below zero: %s", measures[m].what)]++
		return
	}
	_ = t.times[m].RecordValue(min(d, longest).Microseconds())
}

func (t *tally) problem(what string) { t.with(func(s *Summary) { s.Problems[what]++ }) }

// seen notes the first alert that reached the console.
func (t *tally) seen(after time.Duration) {
	t.with(func(s *Summary) {
		if s.FirstAlertMS == 0 {
			s.FirstAlertMS = max(1, after.Milliseconds())
		}
	})
}

// summary is the counts and latencies so far.
func (t *tally) summary() Summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.sum
	s.Refused, s.Exits, s.Problems = maps.Clone(s.Refused), maps.Clone(s.Exits), maps.Clone(s.Problems)
	for m, h := range t.times {
		if h.TotalCount() > 0 {
			ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
			*measures[m].span(&s) = Span{N: h.TotalCount(), P50: ms(50), P99: ms(99)}
		}
	}
	return s
}
