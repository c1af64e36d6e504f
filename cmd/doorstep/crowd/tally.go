// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"maps"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally is what the clients of a demonstration saw, counted where it happened.
type tally struct {
	mu       sync.Mutex // owns the rest
	sessions int
	sent     int
	// interrupted sessions are those that the server let go of because it could not confirm consent for
	// a moment: doubt stops, and says so.
	interrupted int
	timed       int // exits that ended because the suspension was not taken back in time
	silent      int // times a phone said only that it was outside
	accepted    int
	counted     int // neither stored nor refused: toward entering or resuming
	refused     map[string]int
	exits       map[string]int // by the reason the app was told
	times       map[string]*hdrhistogram.Histogram
	keysLeft    int
	scans       int
	problems    map[string]int
	firstSeen   time.Duration
}

// The latencies of the summary, by their keys in it.
const (
	suspendedMS  = "exit_to_suspended_ms"
	hiddenMS     = "exit_to_hidden_ms"
	exitGoneMS   = "exit_to_gone_ms"
	answeredMS   = "withdraw_to_answer_ms"
	withdrawGone = "withdraw_to_gone_ms"
	crossingMS   = "crossing_to_hidden_ms"
)

func newTally() *tally {
	t := &tally{refused: make(map[string]int), exits: make(map[string]int), problems: make(map[string]int),
		times: make(map[string]*hdrhistogram.Histogram)}
	for _, key := range []string{suspendedMS, hiddenMS, exitGoneMS, answeredMS, withdrawGone, crossingMS} {
		t.times[key] = hdrhistogram.New(1, int64(5*time.Minute/time.Microsecond), 3)
	}
	return t
}

// with changes the tally under its lock.
func (t *tally) with(f func(*tally)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(t)
}

// took notes how long something took. What is below a microsecond counts as one.
func (t *tally) took(key string, d time.Duration) {
	t.with(func(t *tally) { _ = t.times[key].RecordValue(max(1, d.Microseconds())) })
}

func (t *tally) problem(what string) { t.with(func(t *tally) { t.problems[what]++ }) }

func (t *tally) summary() Summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Summary{Sessions: t.sessions, FixesSent: t.sent, OutsideSaid: t.silent, EndedByTime: t.timed, Interrupted: t.interrupted, Accepted: t.accepted, Counted: t.counted,
		Refused: maps.Clone(t.refused), Exits: maps.Clone(t.exits), Problems: maps.Clone(t.problems),
		ExitToSuspended: t.span(suspendedMS), ExitToHidden: t.span(hiddenMS), ExitToGone: t.span(exitGoneMS),
		CrossingToHidden: t.span(crossingMS), WithdrawToAnswer: t.span(answeredMS), WithdrawToGone: t.span(withdrawGone),
		Scans: t.scans, KeysLeft: t.keysLeft, FirstAlertMS: t.firstSeen.Milliseconds()}
}

func (t *tally) span(key string) Span {
	h := t.times[key]
	ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	if h.TotalCount() == 0 {
		return Span{}
	}
	return Span{N: h.TotalCount(), P50: ms(50), P99: ms(99)}
}
