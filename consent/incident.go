// SPDX-License-Identifier: Apache-2.0

package consent

import "time"

// Entered is that a visit was: when it began and ended, to the minute, and nothing of where. It is kept for the one question
// that an incident asks within 72 hours (GDPR 33): who could have been seen while something was wrong?
type Entered struct {
	Scope    Scope
	Epoch    int64
	Purposes []string
	From     time.Time
}

// OpenVisit is a visit that has begun and not ended.
type OpenVisit struct {
	Scope Scope
	Visit string
}

// EnteredLife is how long a stay is kept: 72 hours to report an incident, and the days in which it is noticed.
const EnteredLife = 8 * 24 * time.Hour

// Exposure is what was open at any moment of a span of time: sessions, known for EnteredLife, and views, known for
// JournalLife. Visits and shoppers stand in it under pseudonyms that mean nothing outside of the ledger, and nothing
// any more once the shopper is erased.
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
