// SPDX-License-Identifier: Apache-2.0

package main

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

// span is how long something took, in milliseconds.
type span struct {
	N   int64   `json:"n"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// summary is the last line of `doorstep demo --json`.
type summary struct {
	Store            string         `json:"store"`
	Seconds          float64        `json:"seconds"`
	Walkers          int            `json:"walkers"`
	Sessions         int            `json:"sessions"`
	FixesSent        int            `json:"fixes_sent"`
	OutsideSaid      int            `json:"outside_said"` // reports without a coordinate, from phones that hold the fence
	Accepted         int            `json:"accepted"`
	Counted          int            `json:"counted"`
	Refused          map[string]int `json:"refused"`
	Alerts           int            `json:"alerts"`
	Dots             int            `json:"dots"`   // positions shown to whoever had claimed
	Unsafe           int            `json:"unsafe"` // of them: of somebody who was hidden or gone already
	Exits            map[string]int `json:"exits"`
	Interrupted      int            `json:"interrupted"`   // sessions let go of in doubt, with a code that says to come back
	EndedByTime      int            `json:"ended_by_time"` // exits that no fix confirmed: the suspension ran out
	ExitToSuspended  span           `json:"exit_to_suspended_ms"`
	ExitToHidden     span           `json:"exit_to_hidden_ms"`
	ExitToGone       span           `json:"exit_to_gone_ms"`
	CrossingToHidden span           `json:"crossing_to_hidden_ms"`
	WithdrawToAnswer span           `json:"withdraw_to_answer_ms"`
	WithdrawToGone   span           `json:"withdraw_to_gone_ms"`
	Scans            int            `json:"scans"`
	KeysLeft         int            `json:"keys_left"`
	FirstAlertMS     int64          `json:"first_alert_ms"`
	Problems         map[string]int `json:"problems"`
	Backend          string         `json:"backend"`
}

func (t *tally) summary() summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	return summary{Sessions: t.sessions, FixesSent: t.sent, OutsideSaid: t.silent, EndedByTime: t.timed, Interrupted: t.interrupted, Accepted: t.accepted, Counted: t.counted,
		Refused: maps.Clone(t.refused), Exits: maps.Clone(t.exits), Problems: maps.Clone(t.problems),
		ExitToSuspended: t.span(suspendedMS), ExitToHidden: t.span(hiddenMS), ExitToGone: t.span(exitGoneMS),
		CrossingToHidden: t.span(crossingMS), WithdrawToAnswer: t.span(answeredMS), WithdrawToGone: t.span(withdrawGone),
		Scans: t.scans, KeysLeft: t.keysLeft, FirstAlertMS: t.firstSeen.Milliseconds()}
}

func (t *tally) span(key string) span {
	h := t.times[key]
	ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	if h.TotalCount() == 0 {
		return span{}
	}
	return span{N: h.TotalCount(), P50: ms(50), P99: ms(99)}
}
