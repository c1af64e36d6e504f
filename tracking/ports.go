// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"
	"time"

	"doorstep/consent"
)

// The figures of the ending protocol. They hang together: see DESIGN.md before changing one.
const (
	PollEvery     = 400 * time.Millisecond
	LeaseTime     = 1200 * time.Millisecond // T_L: how long a node may act on what it last heard
	ConsoleStale  = 800 * time.Millisecond  // T_C: the oldest beat a page shows positions on
	BeatEvery     = 250 * time.Millisecond
	WriteDeadline = time.Second      // D: the latest a write may reach Redis after the lease was read
	PositionLife  = 30 * time.Second // T_P: the session's lease and the expiry in Redis, one number
	PurgeEvery    = 2 * time.Second  // a purge is repeated, since nobody announces a failover
	FenceLife     = 60 * time.Second // a tombstone outlives every write that could still be under way
)

// Position is an accepted fix, as it is held and shown. Zone is empty when it is sensitive or unknown.
type Position struct {
	T         int64   `json:"t"` // Unix milliseconds of server time
	Lat       float64 `json:"lat"`
	Lng       float64 `json:"lng"`
	AccuracyM float64 `json:"accuracy_m"`
	Level     int     `json:"level"`
	HasLevel  bool    `json:"has_level,omitempty"`
	Zone      string  `json:"zone,omitempty"`
	Likely    bool    `json:"likely,omitempty"`
}

// Slot names one visit's place in the live state. Store is the hash tag: all that concerns one
// store lies in one slot of a cluster.
type Slot struct{ Store, Visit string }

// LiveWrite is one visit's newest position, or its blanking.
type LiveWrite struct {
	Slot    Slot
	Owner   string        // random token of the connection that may write
	Seq     int64         // must be above the last one written
	Payload []byte        // opaque; empty blanks the position and keeps the registration (hidden)
	TTL     time.Duration // what is left of the session's lease, at most PositionLife
	Show    bool          // also publish it to the store's channel, in the same atomic step
}

// WriteResult is what became of one LiveWrite.
type WriteResult uint8

// The results. Everything but Written left nothing behind.
const (
	Written    WriteResult = iota
	Fenced                 // the visit has ended
	NotOwner               // a newer connection owns the visit, or the write has no lease left (TTL under 1 ms)
	OutOfOrder             // the number is not higher
	TooLate                // past the deadline: nothing of the batch was written
	Missing                // nobody is registered: the live state was lost, or the lease ran out
)

// ErrFenced answers a registration of a visit that has ended.
var ErrFenced = errors.New("the visit has ended")

// Message is what the live state's channel carries. At most once, and only a hint.
type Message struct {
	Channel string
	Payload []byte
}

// Live is the short-lived state of a deployment: positions with an expiry, tombstones, and a
// channel that makes things faster. Nothing in it survives a restart, nothing in it is trusted to
// end anything. All methods are safe for concurrent use and honour the context's deadline.
type Live interface {
	// Register makes owner the only writer of the slot, for ttl. The newest registration wins.
	// ErrFenced if the slot carries a tombstone.
	Register(ctx context.Context, s Slot, owner string, seq int64, ttl time.Duration) error

	// Write stores a batch. What it has of one store is one atomic step that includes the publication
	// (of more than 100 writes in a row it is several such steps). The results are in the batch's order.
	// Never retried by the client: a write that was sent may arrive late, and the deadline and the
	// tombstone are what stops it then. The deadline is ctx's, or WriteDeadline after the sending if
	// that is sooner or ctx has none. So make ctx, with WriteDeadline, when the node's lease is read:
	// what waits in a queue gets no time anew. The batch may be used again once Write has returned.
	Write(ctx context.Context, batch []LiveWrite) ([]WriteResult, error)

	// Home names the server that holds a store, as far as is known now. What has one home is best
	// written in one batch; what has several had better not wait for each other.
	Home(store string) string

	// Read returns the positions that are there; a missing, blanked or ended one is absent.
	Read(ctx context.Context, store string, visits []string) (map[string][]byte, error)

	// Owners tells by whom visits are owned, on whichever node, with a position or without: one in a fitting room has
	// none for as long as it stays there. A missing or ended one is absent.
	Owners(ctx context.Context, store string, visits []string) (map[string]string, error)

	// Purge puts a tombstone for FenceLife where each visit was. It is idempotent and confirms.
	Purge(ctx context.Context, store string, visits []string) error

	// Publish sends a hint on a channel ("nudge", or a store's id).
	Publish(ctx context.Context, channel string, payload []byte) error

	// Subscribe returns once the subscription is in force, and delivers what is published on the
	// channels from then on, until ctx ends; f must not block. It reconnects by itself, and what was
	// published meanwhile is lost.
	Subscribe(ctx context.Context, f func(Message), channels ...string) error

	// Ping reports whether the live state can be reached.
	Ping(ctx context.Context) error
}

// Ledger is what tracking needs of the consent ledger.
type Ledger interface {
	consent.Members
	// Admit reads a scope in one snapshot on the primary.
	Admit(ctx context.Context, s consent.Scope) (consent.Admission, error)
	// Enter keeps that a visit has begun, and gives a visit-only grant that an earlier session's end had shortened
	// its life back: the shopper is here again.
	Enter(ctx context.Context, s consent.Entered) error
	// End commits an end; see consent.EndRequest.
	End(ctx context.Context, r consent.EndRequest) (consent.Ending, error)
	// OpenVisits are those of a phone, or of all phones of a subject, that have begun and not ended.
	OpenVisits(ctx context.Context, subject, installation consent.Ref) ([]consent.OpenVisit, error)
	// Remember keeps outside the ledger's database that ends up to change were committed.
	Remember(ctx context.Context, change int64) error
	// Due lists scopes with a grant that expired before now and has not been ended yet.
	Due(ctx context.Context, now time.Time, limit int) ([]consent.EndRequest, error)
	// OpenView journals a look before it is served, if the visit is still its scope's current one: ErrNoVisit if not.
	OpenView(ctx context.Context, v consent.View) error
	// RefuseRead keeps a look that was refused.
	RefuseRead(ctx context.Context, r consent.RefusedRead) error
	// Move keeps what takes a second person; Motions lists what waits for one.
	Move(ctx context.Context, m consent.Motion) error
	Motions(ctx context.Context, kind consent.MotionKind, store string) ([]consent.Motion, error)
	// CloseView closes it with its end and count.
	CloseView(ctx context.Context, id string, at time.Time, count int64) error
	// Declares reports whether a purpose uses a data type.
	Declares(purpose, dataType string) bool
	// CountMark, KeepCounts, CloseCounts: see consent.Ledger.
	CountMark(store, zone string, window time.Time, who consent.Ref) string
	KeepCounts(ctx context.Context, c consent.Counted) error
	CloseCounts(ctx context.Context, store, version string, window time.Time) error
	// SetDuty records that node has somebody signed in for these purposes of a store until the given time; a zero time takes it back.
	SetDuty(ctx context.Context, node, store string, purposes []string, until time.Time) error
}

// ErrNoVisit answers a look at a visit that has ended.
var ErrNoVisit = errors.New("no such visit")

// AlertStore keeps alerts durably, each change in the same feed as the ends.
type AlertStore interface {
	// RaiseAlert stores a new alert (version 1). A second raise of the same id returns the first and
	// merged=true; so does one of the same visit, kind and topic while that is open. ErrNoVisit if the
	// visit has ended.
	RaiseAlert(ctx context.Context, a Alert) (stored Alert, merged bool, err error)
	// ChangeAlert applies one step of the state machine in a transaction, which also holds a person to ClaimsMost:
	// ErrTooManyLooks.
	ChangeAlert(ctx context.Context, store, id string, c Change) (Alert, error)
	// BreakGlass carries a GlassMotion of the store for a second person: the entry in the shopper's journal and an
	// alert of kind Emergency, claimed by whoever asked, in one transaction. A repetition answers the same alert.
	// ErrNoVisit if the visit that was asked for is over; ErrAlertHeld, with the alert, if its glass is broken already;
	// and consent's refusals of motions.
	BreakGlass(ctx context.Context, store, motion, by string, now time.Time) (Alert, error)
	// Alerts returns a store's alerts that are not final, and those that became so in the last
	// minute, with the change number they are as of.
	Alerts(ctx context.Context, store string) ([]Alert, int64, error)
	// AlertsSince lists a store's alerts that changed after a change number, in the order of their changes, those that are over
	// among them, with the change number that is as of. consent.ErrBehind if the feed does not reach back so far.
	AlertsSince(ctx context.Context, store string, since int64) ([]Alert, int64, error)
	// AlertEpoch names what change numbers count from: another one after a restore.
	AlertEpoch(ctx context.Context) (string, error)
	// AlertsDue lists the alerts of all stores that time has something to do to.
	AlertsDue(ctx context.Context, now time.Time, limit int) ([]Alert, error)
}

// Clock is time as the protocol needs it. Boot goes on while the machine sleeps (CLOCK_BOOTTIME);
// Go's monotonic clock does not.
type Clock interface {
	Now() time.Time
	Boot() time.Duration
}
