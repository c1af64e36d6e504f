// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"time"
)

// DecisionRequest is a shopper's answer to one prompt. It names one purpose by its type.
type DecisionRequest struct {
	ServedID     string
	Hash         string // of the notice
	Choice       Choice
	Control      string // "button" or "switch": what was pressed
	ShownAt      time.Time
	DecidedAt    time.Time // the client's claim; kept, and clamped when more than ClaimAhead in the future
	Digest       string
	Subject      Ref
	Installation Ref
	Store        string
	Purpose      string
}

// Decision is a recorded answer.
type Decision struct {
	Receipt   string // compact JWS; it authorises nothing
	StopToken string // can only stop; given with a grant, and known to nobody else afterwards
	Grant     *Grant // nil unless something is in force now
	RecordID  string
	Epoch     int64
	Visit     string
	// Ended, if not nil, is an end that this decision brought about and that needs the barrier like any
	// other: a refusal of what was granted, or the scope's former shopper on a shared phone.
	Ended *Ending
}

// ClaimAhead is how far a client's clock may be ahead before its claim is clamped (brief, 32).
const ClaimAhead = 5 * time.Minute

// Decide records a decision. It answers ErrServed, ErrInferred, ErrChoice, ErrDigest, ErrNotice or
// ErrRequest (422) for what cannot be accepted, and ErrUnavailable if nothing is known to be recorded.
func (l *Ledger) Decide(ctx context.Context, r DecisionRequest) (Decision, error) {
	return Decision{}, ErrUnavailable
}
