// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"errors"
	"fmt"
	"io"
)

// Span is how long something took, in milliseconds.
type Span struct {
	N   int64   `json:"n"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// Summary is the last line of `doorstep demo --json`.
type Summary struct {
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
	ExitToSuspended  Span           `json:"exit_to_suspended_ms"`
	ExitToHidden     Span           `json:"exit_to_hidden_ms"`
	ExitToGone       Span           `json:"exit_to_gone_ms"`
	CrossingToHidden Span           `json:"crossing_to_hidden_ms"`
	WithdrawToAnswer Span           `json:"withdraw_to_answer_ms"`
	WithdrawToGone   Span           `json:"withdraw_to_gone_ms"`
	Scans            int            `json:"scans"`
	KeysLeft         int            `json:"keys_left"`
	FirstAlertMS     int64          `json:"first_alert_ms"`
	Problems         map[string]int `json:"problems"`
	Backend          string         `json:"backend"`
}

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
	for what, n := range s.Problems {
		errs = append(errs, fmt.Errorf("%d walkers failed: %s", n, what))
	}
	return errors.Join(errs...)
}

// Print is the summary for people.
func (s Summary) Print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %.0f s, %d walkers, live state in %s\n", s.Store, s.Seconds, s.Walkers, s.Backend)
	fmt.Fprintf(w, "  %d sessions opened, %d fixes sent: %d accepted as positions, %d counted toward entering, refused %v\n", s.Sessions, s.FixesSent, s.Accepted, s.Counted, s.Refused)
	fmt.Fprintf(w, "  %d alerts raised, %d positions shown to whoever had claimed one\n", s.Alerts, s.Dots)
	for _, row := range []struct {
		what string
		span Span
	}{
		{"first credible fix outside → app says suspended", s.ExitToSuspended},
		{"first credible fix outside → console hides", s.ExitToHidden},
		{"confirming fix → console says gone", s.ExitToGone},
		{"truly over the boundary → console hides", s.CrossingToHidden},
		{"withdrawal → answered", s.WithdrawToAnswer},
		{"withdrawal → console says gone", s.WithdrawToGone},
	} {
		fmt.Fprintf(w, "  %-50s n %4d   p50 %8.1f ms   p99 %8.1f ms\n", row.what, row.span.N, row.span.P50, row.span.P99)
	}
	by := "another process"
	if s.Backend == "memory" {
		by = "this process: nobody else can look into its memory"
	}
	fmt.Fprintf(w, "  keys left about ended sessions: %d, in %d scans by %s\n", s.KeysLeft, s.Scans, by)
}
