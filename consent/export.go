// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Held is all that a ledger keeps of one shopper, whichever phone it came from.
type Held struct {
	Decisions  []HeldDecision
	Ends       []HeldEnd
	Pending    []Served    // notices served and not decided on
	Scopes     []HeldScope // where a decision is known
	StopTokens []HeldToken
	Journal    []Read      // this export included
	Visits     []HeldVisit // of the last days
	Alerts     []HeldAlert // open, or over within the last day
	Requests   []HeldRequest
}

// HeldDecision is a decision with what became of it.
type HeldDecision struct {
	Record    Record
	Choice    Choice
	State     State // as it is now; Record has it as it was decided
	ExpiresAt time.Time
	EndedAt   time.Time // zero if it was not
	Index     int64     // in the log
	Receipt   string
}

// HeldEnd is an end of consent.
type HeldEnd struct {
	ID      string
	At      time.Time
	Index   int64 // in the log
	Receipt string
}

// HeldScope is one phone in one store.
type HeldScope struct {
	Scope Scope
	Visit string // pseudonym of the visit that is now, or is next
}

// HeldVisit is that a visit was, to the minute; see Entered.
type HeldVisit struct {
	Store    string
	Purposes []string
	From, To time.Time // To is zero while it goes on, or if its end is not known
}

// HeldAlert is what staff were called for; not which of them came.
type HeldAlert struct {
	ID        string    `json:"id"`
	Store     string    `json:"store"`
	Kind      string    `json:"kind"`
	Topic     string    `json:"topic"`
	Ref       string    `json:"ref"` // a booking; gone when the alert is over, as the topic is
	Purpose   string    `json:"purpose"`
	State     string    `json:"state"`
	ShowMe    bool      `json:"show_me"`
	Off       bool      `json:"off"` // the request outlived its position
	RaisedAt  time.Time `json:"raised_at"`
	ChangedAt time.Time `json:"changed_at"`
}

// HeldRequest is what somebody has asked to do with a shopper's data, and somebody else has to approve: a broken
// glass, a disclosure. It is kept for a day; what was approved is in the journal for longer.
type HeldRequest struct {
	Kind      MotionKind
	Store     string
	Recipient string // of a disclosure
	Reason    string
	Fields    []string // that are to be disclosed
	At        time.Time
	Until     time.Time // not approved after this
	CarriedAt time.Time // zero while it waits
}

// HeldToken is a stop token, of which nothing is known but that it was given.
type HeldToken struct {
	Store   string
	GivenAt time.Time
}

// ReadExport is the purpose of an export, as the journal tells it.
const ReadExport = "access"

// exportFields are what an export gives out.
var exportFields = []string{"alerts", "decisions", "ends", "journal", "notices_served", "positions", "receipts", "requests", "stop_tokens", "visits"}

// Export is everything that is kept of a subject (brief, 39). It is in the journal before it is answered.
func (l *Ledger) Export(ctx context.Context, subject Ref) (Held, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Held{}, fmt.Errorf("an export's id: %w", err)
	}
	now := l.now()
	return l.store.Export(ctx, subject, Read{Kind: ExportRead, People: 1, View: View{
		ID: id.String(), Reader: "shopper", Role: "shopper", Purpose: ReadExport, Fields: exportFields, OpenedAt: now, ClosedAt: now,
	}})
}
