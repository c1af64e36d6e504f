// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"strings"
	"testing"
	"time"
)

// good is a run of 30 s that kept every promise and had one visit of each kind at least.
func good() Summary {
	return Summary{
		full: true, Seconds: 30, Walkers: 60, Sessions: 20, Accepted: 50, Refused: map[string]int{"outside": 9}, OutsideSaid: 9,
		Alerts: 20, Dots: 4, Exits: map[string]int{leftStore: 5, phoneSays: 4}, Interrupted: 1, CutOff: 2, Problems: map[string]int{},
		ExitToGone: Span{N: 8}, FixToHidden: Span{N: 5}, PhoneToHidden: Span{N: 4}, WithdrawToAnswer: Span{N: 8},
		WithdrawSocketToAnswer: Span{N: 3}, WithdrawHTTPToAnswer: Span{N: 3}, WithdrawStopToAnswer: Span{N: 2},
	}
}

func TestVerdictNamesWhatIsBroken(t *testing.T) {
	if err := good().Verdict(); err != nil {
		t.Fatalf("a good run: %v", err)
	}
	for name, c := range map[string]struct {
		spoil func(*Summary)
		says  string
	}{
		"nobody got in":         {func(s *Summary) { *s = Summary{Seconds: 5, Walkers: 2} }, "nobody got in"},
		"keys left":             {func(s *Summary) { s.KeysLeft = 1 }, "1 keys"},
		"a dot too many":        {func(s *Summary) { s.Unsafe = 2 }, "2 positions"},
		"a dot outside":         {func(s *Summary) { s.Outside = 1 }, "1 places outside"},
		"a walker failed":       {func(s *Summary) { s.Problems["prompt: no"] = 3 }, "3 times: prompt: no"},
		"a session disappeared": {func(s *Summary) { s.Sessions++ }, "1 sessions is not known"},
		"nothing accepted":      {func(s *Summary) { s.Accepted = 0 }, "positions accepted"},
		"no alert":              {func(s *Summary) { s.Alerts = 0 }, "alerts"},
		"no dot":                {func(s *Summary) { s.Dots = 0 }, "positions shown to staff"},
		"nothing refused":       {func(s *Summary) { s.Refused = nil }, "fixes refused outside"},
		"no silent phone":       {func(s *Summary) { s.OutsideSaid = 0 }, "phones that only say"},
		"no exit by a fix":      {func(s *Summary) { s.FixToHidden.N = 0 }, "exits by a fix"},
		"no exit by a phone":    {func(s *Summary) { s.PhoneToHidden.N = 0 }, "exits by the phone's own word"},
		"only time ended":       {func(s *Summary) { s.ExitToGone.N = 0 }, "exits that a report confirmed"},
		"no socket":             {func(s *Summary) { s.WithdrawSocketToAnswer.N = 0 }, "withdrawals by the socket"},
		"no HTTP":               {func(s *Summary) { s.WithdrawHTTPToAnswer.N = 0 }, "withdrawals by HTTP"},
		"no stop token":         {func(s *Summary) { s.WithdrawStopToAnswer.N = 0 }, "withdrawals by a stop token"},
	} {
		s := good()
		c.spoil(&s)
		if err := s.Verdict(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the verdict is %v", name, err)
		}
	}
}

// A short run, or one of a few walkers, owes less; an empty one nothing.
func TestVerdictAsksForNoMoreThanThereCanBe(t *testing.T) {
	short := good()
	short.full, short.FixToHidden.N = false, 0
	few := Summary{full: true, Seconds: 30, Walkers: 2, Sessions: 2, Exits: map[string]int{phoneSays: 1}, CutOff: 1}
	for name, s := range map[string]Summary{"short": short, "few": few, "nobody": {full: true, Seconds: 30}} {
		if err := s.Verdict(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A time below zero was taken for something else: it is a problem, and no latency.
func TestTimesBelowZero(t *testing.T) {
	for name, c := range map[string]struct {
		d time.Duration
		n int64
	}{"below": {-time.Nanosecond, 0}, "none": {0, 1}, "some": {3 * time.Millisecond, 1}, "too long to tell": {time.Hour, 1}} {
		ty := newTally()
		ty.took(toHidden, c.d)
		s := ty.summary()
		if s.ExitToHidden.N != c.n || len(s.Problems) != 1-int(c.n) || (s.Verdict() == nil) != (c.n == 1) {
			t.Errorf("%s: %+v, problems %v", name, s.ExitToHidden, s.Problems)
		}
	}
}

// Each latency has a place of its own in the summary.
func TestMeasuresAreApart(t *testing.T) {
	ty := newTally()
	for m := range metrics {
		ty.took(m, time.Duration(m+1)*time.Millisecond)
	}
	s := ty.summary()
	for m := range metrics {
		span := *measures[m].span(&s)
		if want := float64(m + 1); span.N != 1 || span.P50 < want*0.99 || span.P99 > want*1.01 {
			t.Errorf("%s: %+v", measures[m].what, span)
		}
	}
}

// Walkers take turns, and each kind of visit has its share of the first ones.
func TestEveryKindHasItsShare(t *testing.T) {
	n := map[kind]int{}
	for round := range 120 {
		n[kindOf(round)]++
	}
	for k, want := range map[kind]int{exitByFix: 30, exitByPhone: 30, withdrawBySocket: 20, withdrawByHTTP: 20, withdrawByStop: 20} {
		if n[k] != want {
			t.Errorf("kind %d has %d of 120 visits, not %d", k, n[k], want)
		}
	}
}
