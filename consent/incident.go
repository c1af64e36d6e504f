// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"fmt"
	"time"
)

// Entered is that a visit was: when it began and ended, to the minute, and nothing of where. It is kept for the one question
// that an incident asks within 72 hours (GDPR 33): who could have been seen while something was wrong?
type Entered struct {
	Scope    Scope
	Epoch    int64
	Purposes []string
	From     time.Time
}

// EnteredLife is how long a stay is kept: 72 hours to report an incident, and the days in which it is noticed.
const EnteredLife = 8 * 24 * time.Hour

// Exposure is what was open in a span of time. Visits and shoppers stand in it under pseudonyms that mean nothing outside
// of this ledger, and nothing any more once the shopper is erased.
type Exposure struct {
	Visits []ExposedVisit `json:"visits"`
	Views  []ExposedView  `json:"views"`
}

// ExposedVisit is a session that was open.
type ExposedVisit struct {
	Visit    string    `json:"visit"`
	Shopper  string    `json:"shopper"`
	Store    string    `json:"store"`
	Purposes []string  `json:"purposes"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to,omitzero"` // zero: still open, or its end is not known
}

// ExposedView is an entry of the journal.
type ExposedView struct {
	Kind    ReadKind  `json:"kind"`
	Shopper string    `json:"shopper"`
	Visit   string    `json:"visit,omitempty"`
	Store   string    `json:"store"`
	Role    string    `json:"role"`
	Purpose string    `json:"purpose"`
	Fields  []string  `json:"fields"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to,omitzero"`
	Count   int64     `json:"positions"`
}

// Exposed lists the sessions and views that were open at any moment from one time to another, of one store or, for
// an empty one, of all. Sessions are known for EnteredLife, views for JournalLife.
func (l *Ledger) Exposed(ctx context.Context, store string, from, to time.Time) (Exposure, error) {
	if !from.Before(to) {
		return Exposure{}, fmt.Errorf("%w: the span ends before it begins", ErrRequest)
	}
	return l.store.Exposed(ctx, store, from, to)
}
