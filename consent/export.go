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

// HeldToken is a stop token, of which nothing is known but that it was given.
type HeldToken struct {
	Store   string
	GivenAt time.Time
}

// ReadExport is the purpose of an export, as the journal tells it.
const ReadExport = "access"

// exportFields are what an export gives out.
var exportFields = []string{"decisions", "ends", "journal", "notices_served", "positions", "receipts", "stop_tokens", "visits"}

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
