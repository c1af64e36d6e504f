// SPDX-License-Identifier: Apache-2.0

// Package consent is the ledger: what a shopper was asked, what they decided, and how each
// decision ended. It is the truth that every node asks; everything else only makes it faster.
//
// The unit of truth is a Scope, one installation in one store. Its epoch is raised by ends and by
// nothing else, so whatever carries an older epoch is over, whoever holds it and however late it
// arrives. Every end is one durable transaction: the epoch, the alerts it takes with it, the
// outbox rows and one change number from one locked counter, which orders the feed.
package consent

import (
	"context"
	"time"
)

// Ref is a keyed hash of an identifier (32 hex digits): the only form in which a shopper or an
// installation is ever written down. The key lives outside the database.
type Ref string

// Scope is one installation in one store.
type Scope struct {
	Installation Ref
	Store        string
}

// Choice is an answer to a prompt.
type Choice string

// The choices, of equal rank in every prompt.
const (
	ThisVisit Choice = "visit"
	ForATerm  Choice = "term"
	No        Choice = "no"
	NotNow    Choice = "not_now"
)

// Reason says why something ended. The fence's reasons are geofence.Reason values in the same space.
type Reason string

// The reasons that are not the fence's.
const (
	Withdrawn  Reason = "withdrawn"
	Revoked    Reason = "revoked"
	Expired    Reason = "expired"
	Superseded Reason = "superseded"
	Erased     Reason = "erased"
	Replaced   Reason = "replaced" // a newer connection of the same installation
	MapChanged Reason = "map_changed"
	Lost       Reason = "lost"     // the node that owned the session is gone
	Bye        Reason = "bye"      // the app said goodbye
	OffDuty    Reason = "off_duty" // nobody on duty any more
)

// Grant is a decision in force. Times are the server's.
type Grant struct {
	ID        string // record_id, UUID
	State     State  // Given or Renewed
	Purpose   string
	Notice    string   // hash of the notice it was given under
	Data      []string // ids of the data types that it allows; a Ledger fills it in, from the notice
	VisitOnly bool
	ExpiresAt time.Time
	// Attended, in an Admission: somebody is signed in at the store for this purpose, or it takes nobody of its own.
	Attended bool
}

// Admission is what the ledger says about a scope, read in one snapshot.
type Admission struct {
	Subject Ref
	Epoch   int64
	Visit   string  // pseudonym of (scope, epoch): the session's id, and all that leaves the ledger
	Grants  []Grant // in force, unexpired; empty means no
	Change  int64   // the change number of the snapshot
}

// EndKind says which scopes and grants an end takes.
type EndKind string

// What can be ended.
const (
	EndSession EndKind = "session" // the visit only: grants for a term survive, re-stamped
	EndGrant   EndKind = "grant"   // one purpose
	EndStore   EndKind = "store"   // every grant at one store
	EndAll     EndKind = "all"     // the global stop: every scope of the subject on every installation
)

// EndRequest asks for an end. It is idempotent by ID: the same ID answers the same Ending.
type EndRequest struct {
	ID          string // UUID chosen by whoever asks; for a session's end, derived from the visit
	Kind        EndKind
	Scope       Scope  // for grant, store; for session it may be empty, and is then the scope whose current visit is Visit
	Subject     Ref    // for all; elsewhere it may be empty, and otherwise only a scope of this subject is ended
	Visit       string // for session: ended only if still the scope's current visit, else nothing changes
	Purpose     string // for grant
	Reason      Reason
	Claimed     time.Time // when the client says it happened; clamped and kept as claimed
	KeepRequest bool      // an open request for help survives as "location off" (silence), instead of going
	OnRecord    bool      // nobody knows the store any more: the withdrawal is taken if something is on record there, else ErrNotOnRecord
}

// End is one scope that an Ending ended.
type End struct {
	Change    int64
	Scope     Scope
	Visit     string // the visit that is over
	Epoch     int64  // the scope's epoch after it
	NextVisit string // the pseudonym of the new epoch
	Reason    Reason
	Surviving []string // purposes re-stamped to Epoch
	Alerts    []string // ids of the alerts that went with it
}

// Ending is a committed EndRequest.
type Ending struct {
	ID       string
	Change   int64     // the highest change number of its ends; 0 if nothing was there to end
	At       time.Time // commit, the linearization point
	Ends     []End
	Nodes    []string // the nodes listed at the commit, which must acknowledge Change
	Receipt  string   // compact JWS; empty for a session's end
	Repeated bool     // this ID had been committed before
}

// EntryKind is what a feed entry is about.
type EntryKind string

// The entries of the feed.
const (
	EntryEnd   EntryKind = "end"
	EntryAlert EntryKind = "alert"
	EntryDuty  EntryKind = "duty"
	EntryStore EntryKind = "store" // a store's map, hours or closing: read them again
	// EntryBooking: what a retailer has booked; nodes have nothing to do about it.
	EntryBooking EntryKind = "booking"
	// EntryNotice: a notice was published, or an app suspended or let in again: read them again.
	EntryNotice EntryKind = "notice"
)

// Entry is one committed change. It carries ids, epochs and states; never a position or a zone.
type Entry struct {
	Change int64
	Kind   EntryKind
	Store  string
	At     time.Time
	End    *End   // for EntryEnd
	Alert  string // for EntryAlert: the alert's id
	Body   []byte // for EntryAlert: the alert as JSON as it is now; nil if it is forgotten
}

// Feed is what a poll returns: every entry after the asked change, in order, and the change
// number up to which the reader now knows everything.
type Feed struct {
	Change  int64
	Entries []Entry
	More    bool // the page was full: poll again at once
}

// Members is the part of the ledger by which nodes know of each other and of every change.
type Members interface {
	// Join enters the node into the node table, before its first poll.
	Join(ctx context.Context, node string) error
	// Poll marks the node's row and returns the feed after since, in one committed transaction on the primary.
	Poll(ctx context.Context, node string, since int64) (Feed, error)
	// Ack records that node has applied everything up to change: sessions closed, consoles' queues emptied.
	Ack(ctx context.Context, node string, change int64) error
	// Acked returns, for each of the nodes still listed, the change it has acknowledged.
	Acked(ctx context.Context, nodes []string) (map[string]int64, error)
	// Leave takes the node out of the table.
	Leave(ctx context.Context, node string) error
}
