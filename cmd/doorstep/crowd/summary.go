// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Span is how long something took, in milliseconds: how often it was measured, and the quantiles.
type Span struct {
	N   int64   `json:"n"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// Summary is what a crowd saw; the last line of `doorstep demo --json`. Latencies run from the moment
// before a report or request was sent to the moment when a frame or answer was read.
type Summary struct {
	Store        string         `json:"store"`
	Seconds      float64        `json:"seconds"`
	Walkers      int            `json:"walkers"`
	Sessions     int            `json:"sessions"` // opened; each is an exit, a withdrawal, interrupted or cut off
	FixesSent    int            `json:"fixes_sent"`
	OutsideSaid  int            `json:"outside_said"` // reports without a coordinate, from phones that hold the fence
	Accepted     int            `json:"accepted"`
	Counted      int            `json:"counted"` // neither stored nor refused: toward entering or resuming
	Refused      map[string]int `json:"refused"`
	Alerts       int            `json:"alerts"`
	Dots         int            `json:"dots"`          // positions shown to whoever had claimed
	Unsafe       int            `json:"unsafe"`        // of them: of somebody who was hidden or gone already
	Outside      int            `json:"outside"`       // places shown to staff that are not in the store
	ConsoleCuts  int            `json:"console_cuts"`  // how often the console lost its socket, and came back
	Exits        map[string]int `json:"exits"`         // by the reason the app was told
	Unseen       int            `json:"unseen"`        // exits that no console knew of: no call for help had been heard
	HiddenBefore int            `json:"hidden_before"` // exits of somebody whom consoles did not see: last in a fitting room, for one
	Interrupted  int            `json:"interrupted"`   // sessions let go of in doubt, with a code that says to come back
	CutOff       int            `json:"cut_off"`       // visits that the end of the run cut off
	EndedByTime  int            `json:"ended_by_time"` // exits that no report confirmed: the suspension ran out
	Inferred     int            `json:"inferred"`      // exits whose confirming fix was not acknowledged: see account

	// From the report that hid the shopper or ended the visit, whether a fix or the phone's own word.
	ExitToSuspended Span `json:"exit_to_suspended_ms"`
	ExitToHidden    Span `json:"exit_to_hidden_ms"`
	ExitToGone      Span `json:"exit_to_gone_ms"`
	// The same, of fixes alone.
	FixToSuspended Span `json:"exit_by_fix_to_suspended_ms"`
	FixToHidden    Span `json:"exit_by_fix_to_hidden_ms"`
	FixToGone      Span `json:"exit_by_fix_to_gone_ms"`
	// And of phones' own words.
	PhoneToSuspended Span `json:"exit_by_phone_to_suspended_ms"`
	PhoneToHidden    Span `json:"exit_by_phone_to_hidden_ms"`
	PhoneToGone      Span `json:"exit_by_phone_to_gone_ms"`
	// From the first report outside, credible or not, and from the true crossing: what the rules take.
	OutsideToHidden  Span `json:"outside_to_hidden_ms"`
	CrossingToHidden Span `json:"crossing_to_hidden_ms"`

	WithdrawToAnswer       Span `json:"withdraw_to_answer_ms"`
	WithdrawSocketToAnswer Span `json:"withdraw_socket_to_answer_ms"` // by socket and HTTP with one id, the faster
	WithdrawHTTPToAnswer   Span `json:"withdraw_http_to_answer_ms"`   // by HTTP alone, as from another tab
	WithdrawStopToAnswer   Span `json:"withdraw_stop_to_answer_ms"`   // by HTTP with a stop token, the socket closed first
	WithdrawToGone         Span `json:"withdraw_to_gone_ms"`

	Scans        int            `json:"scans"` // one at the moment of each answer and of each gone
	KeysLeft     int            `json:"keys_left"`
	FirstAlertMS int64          `json:"first_alert_ms"`
	Problems     map[string]int `json:"problems"`
	Backend      string         `json:"backend"`

	full bool // a run of fullRun or more, played to its end: it owes something of each kind
}

// A run of fullRun or more owes a visit of each kind that it has fewOf walkers or more for. One without
// an end owes nothing: people walk in it at leisure.
const (
	fullRun = 30 * time.Second
	fewOf   = 3
)

// Verdict is whether the promises held, as the clients saw it: every broken one is an error.
func (s Summary) Verdict() error {
	var errs []error
	if s.Sessions == 0 && s.Walkers > 0 {
		errs = append(errs, errors.New("nobody got in: no session was opened, so nothing was shown"))
	}
	if s.KeysLeft > 0 {
		errs = append(errs, fmt.Errorf("%d keys about ended sessions were left in the live state", s.KeysLeft))
	}
	if s.Unsafe > 0 {
		errs = append(errs, fmt.Errorf("%d positions were shown that should not have been", s.Unsafe))
	}
	if s.Outside > 0 {
		errs = append(errs, fmt.Errorf("staff were shown %d places outside the store", s.Outside))
	}
	for what, n := range s.Problems {
		errs = append(errs, fmt.Errorf("%d times: %s", n, what))
	}
	if lost := s.Sessions - s.accountedFor(); lost != 0 && len(s.Problems) == 0 {
		errs = append(errs, fmt.Errorf("what became of %d sessions is not known", lost))
	}
	for _, what := range s.missing() {
		errs = append(errs, fmt.Errorf("nothing was seen of: %s; give the run more time, or the machine less else to do", what))
	}
	return errors.Join(errs...)
}

func (s Summary) accountedFor() int {
	n := int(s.WithdrawToAnswer.N) + s.Interrupted + s.CutOff
	for _, exits := range s.Exits {
		n += exits
	}
	return n
}

// missing is what a full run with as many walkers should have had and had none of.
func (s Summary) missing() (none []string) {
	if !s.full {
		return nil
	}
	has := map[kind]int{}
	for n := range s.Walkers {
		has[kindOf(n)]++
	}
	exits := has[exitByFix] + has[exitByPhone]
	for _, due := range []struct {
		what    string
		walkers int
		n       int64
	}{
		{"positions accepted", s.Walkers, int64(s.Accepted)},
		{"alerts", s.Walkers, int64(s.Alerts)},
		{"positions shown to staff", s.Walkers, int64(s.Dots)},
		{"fixes refused outside", has[exitByFix], int64(s.Refused["outside"])},
		{"phones that only say that they are outside", has[exitByPhone], int64(s.OutsideSaid)},
		{"exits by a fix", has[exitByFix], s.FixToHidden.N},
		{"exits by the phone's own word", has[exitByPhone], s.PhoneToHidden.N},
		{"exits that a report confirmed", exits, s.ExitToGone.N},
		{"withdrawals by the socket", has[withdrawBySocket], s.WithdrawSocketToAnswer.N},
		{"withdrawals by HTTP", has[withdrawByHTTP], s.WithdrawHTTPToAnswer.N},
		{"withdrawals by a stop token", has[withdrawByStop], s.WithdrawStopToAnswer.N},
	} {
		if due.walkers >= fewOf && due.n == 0 {
			none = append(none, due.what)
		}
	}
	return none
}

// Print is the summary for people.
func (s Summary) Print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %.0f s, %d walkers, live state in %s\n", s.Store, s.Seconds, s.Walkers, s.Backend)
	fmt.Fprintf(w, "  %d sessions opened, %d fixes sent: %d accepted as positions, %d counted toward entering, refused %v\n", s.Sessions, s.FixesSent, s.Accepted, s.Counted, s.Refused)
	fmt.Fprintf(w, "  %d alerts raised, %d positions shown to whoever had claimed one\n", s.Alerts, s.Dots)
	fmt.Fprintf(w, "  %d visits cut off by the end of the run, %d interrupted in doubt, %d ended because nobody came back\n", s.CutOff, s.Interrupted, s.EndedByTime)
	for _, m := range measures {
		span := m.span(&s)
		fmt.Fprintf(w, "  %-52s n %4d   p50 %8.1f ms   p99 %8.1f ms\n", m.what, span.N, span.P50, span.P99)
	}
	by := "another process"
	if s.Backend == "memory" {
		by = "this process: nobody else can look into its memory"
	}
	fmt.Fprintf(w, "  keys left about ended sessions: %d, in %d scans by %s\n", s.KeysLeft, s.Scans, by)
}
