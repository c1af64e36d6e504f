// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"time"
)

// Served is a notice as it was served, waiting for its one decision.
type Served struct {
	ID           string // random, single use
	Subject      Ref
	Scope        Scope
	App          string
	Purpose      string
	Notice       string // its hash
	NoticeID     string
	Version      string
	Lang         string
	Jurisdiction string
	Digest       string // of the strings served
	At           time.Time
	ExpiresAt    time.Time
}

// Standing is what was answered last about a purpose: times of the newest refusal and deferral,
// zero if there is none, and whether a grant is in force in the scope.
type Standing struct {
	RefusedAt  time.Time
	DeferredAt time.Time
	InForce    bool
	Notice     string // hash of the notice under which it is
}

// DecideCommand is a decision that has passed every rule which needs no transaction.
type DecideCommand struct {
	Served   Served
	Choice   Choice
	Grant    *Grant // nil for no and not now
	Now      time.Time
	Notices  int64    // how many notices were kept when the rules were applied: see Store.KeepNotices
	Event    Event    // the record as it goes to the log and into the receipt
	StopHash [32]byte // of the stop token
	Seal     Sealer
}

// Decided is what a decision became.
type Decided struct {
	State   State
	Receipt string
	Grant   *Grant
	Epoch   int64
	Visit   string
	// Ended is the end that the decision brought about, if it did: a refusal of what was granted,
	// or a scope that belonged to another shopper before. It needs the same barrier as any end.
	Ended *Ending
}

// EndCommand is an EndRequest that has passed the rules.
type EndCommand struct {
	EndRequest
	Now  time.Time
	Seal Sealer
}

// EndedRecord is a grant that an end took, or a grant that changed its record.
type EndedRecord struct {
	ID      string
	Subject Ref
	Scope   Scope
	Purpose string
	Notice  string
}

// Sealer is what a store needs of the keys while a transaction is open: only inside it are the
// epoch and the place in the log known. Its methods are pure, quick and safe for concurrent use.
type Sealer interface {
	// Visit is the pseudonym of an epoch of a scope.
	Visit(s Scope, epoch int64) string
	// Ended is the event of an end that took these grants. A session's end is no consent event.
	Ended(c EndCommand, took []EndedRecord) Event
	// Receipt signs an event with its place in the log.
	Receipt(e Event, at Place) (string, error)
}

// StopRight is what a stop token may end: anything of its subject.
type StopRight struct {
	Subject Ref
	Scope   Scope // where it was given
}

// Store is the ledger's durable half. A write that returns nil is on the disk; one that returns an
// error may have happened, and is repeated with the same id. Reads are of the primary. Methods are
// safe for concurrent use and never retry by themselves. What the database says of itself comes
// back as ErrUnavailable.
//
// Each write that others must see takes its change number from one locked row in the same
// transaction, so that numbers become visible in their order and a poller skips none.
type Store interface {
	Members

	// Admit reads a scope in one snapshot: unexpired grants at now, the epoch, the change number.
	// A scope without a row answers epoch 0 and no grants.
	Admit(ctx context.Context, s Scope, now time.Time) (Admission, error)
	// Enter keeps that a visit has begun, under a form of it that says nothing outside, to the minute; and takes back
	// the shortened life of visit-only grants, if they are in force. One transaction.
	Enter(ctx context.Context, s Entered) error

	// Serve keeps a served notice.
	Serve(ctx context.Context, s Served) error
	// Served reads one back; ErrServed if there is none or it is used, void or over at now.
	Served(ctx context.Context, id string, now time.Time) (Served, error)
	// Standing tells what is known before a prompt. Refusals count across stores and installations.
	Standing(ctx context.Context, subject Ref, s Scope, purpose string, now time.Time) (Standing, error)
	// Decide uses up the served id (ErrServed if somebody else did, or an end voided it) and records
	// the decision, its log leaf and its receipt, in one transaction.
	Decide(ctx context.Context, c DecideCommand) (Decided, error)
	// Decided finds a decision of a shopper on a phone by its record's id, with the end that it brought about, and
	// without its grant, which may not be in force any more; ErrServed if there is none.
	Decided(ctx context.Context, id string, subject, installation Ref) (Decided, error)

	// End commits an end; see EndRequest. Everything it takes goes in one transaction. With OnRecord, ErrNotOnRecord unless
	// something is in force there, was served, or is kept of whoever asks: a record in any state, or the end itself.
	End(ctx context.Context, c EndCommand) (Ending, error)
	// Remember returns once it is known outside the database, on a disk, that ends up to change were committed: a copy
	// from before them is refused from then on (ErrRestored).
	Remember(ctx context.Context, change int64) error
	// Due lists grants that expired before now and are not ended yet, as the ends they need.
	Due(ctx context.Context, now time.Time, limit int) ([]EndRequest, error)
	// OnRecord reports whether a record of the subject, in whatever state, is about a store and a purpose; an empty one is any.
	OnRecord(ctx context.Context, subject Ref, store, purpose string) (bool, error)
	// OpenVisits are those of a phone, or of all phones of a subject if installation is empty; none of a stranger.
	OpenVisits(ctx context.Context, subject, installation Ref) ([]OpenVisit, error)
	// StopRight looks up the hash of a stop token; ErrStopToken if there is none.
	StopRight(ctx context.Context, hash [32]byte) (StopRight, error)

	// Export is everything that is kept of a subject. That it was given out is in their journal first, as entry
	// says, in the same transaction. A stranger gets nothing, and nothing is written of them.
	Export(ctx context.Context, subject Ref, entry Read) (Held, error)
	// Erase removes everything of a subject, after the end that began it (ErrNoErasure without one). What is
	// written anywhere of them means nothing any more when it returns; repeated, it goes on, and answers the same.
	Erase(ctx context.Context, c EraseCommand) (Removal, error)
	// Removal is what an erasure removed that is done; else ErrNoErasure. r is the end that began it.
	Removal(ctx context.Context, r EndRequest) (Removal, error)
	// FinishErasures finishes those that were begun before a time; of c it uses all but Request.
	FinishErasures(ctx context.Context, before time.Time, c EraseCommand) error

	// OpenView journals a look, and says whether it is a new one; an error if the visit is not current, or its purpose not
	// granted; ErrIDTaken if its id is another's, or it is over.
	OpenView(ctx context.Context, v View) (fresh bool, err error)
	// CloseView settles it, once; ErrNoView if it was never opened.
	CloseView(ctx context.Context, id string, at time.Time, count int64) error
	// EnterRead journals what is no look; ErrNoShopper of a subject who is not known.
	EnterRead(ctx context.Context, subject Ref, r Read) error
	// RefuseRead keeps a look that was refused.
	RefuseRead(ctx context.Context, r RefusedRead) error
	// Journal lists the reads of a subject from a place on, newest first, at most limit.
	Journal(ctx context.Context, subject Ref, from Cursor, limit int) ([]Read, error)

	// Move keeps a motion; ErrIDTaken if its id is another's. A request by an authority is counted with it: it,
	// CarryDisclosure and RefuseDisclosure add to the tallies, once for each id.
	Move(ctx context.Context, m Motion) error
	// Motions lists those that wait at now, oldest first; of all stores if store is empty.
	Motions(ctx context.Context, kind MotionKind, store string, now time.Time) ([]Motion, error)
	// CarryHold and CarryDisclosure do what one person asked for, because another one approves it: in the
	// same transaction, once. ErrNoMotion, ErrSamePerson, ErrMotionOver; ErrNoShopper if there is nobody to disclose.
	CarryHold(ctx context.Context, id, by string, now time.Time) (Hold, error)
	CarryDisclosure(ctx context.Context, id, by string, now time.Time) (Disclosure, error)
	// RefuseDisclosure keeps that a request was refused; the same id again changes nothing.
	RefuseDisclosure(ctx context.Context, d Disclosure) error
	// LiftHold ends a hold; ErrNoHold if it is not in force at now.
	LiftHold(ctx context.Context, id, by string, now time.Time) error
	// Holds lists them all, newest first.
	Holds(ctx context.Context) ([]Hold, error)

	// KeepCounts holds what a node has counted until its window closes; nothing if it has closed already.
	KeepCounts(ctx context.Context, c Counted) error
	// CloseCounts turns the numbers of a window into bands and deletes them, once; Map is empty in what is
	// kept if a number was counted by another map than version.
	CloseCounts(ctx context.Context, store, version string, window time.Time) error
	// Counts lists the closed windows from since on, oldest first.
	Counts(ctx context.Context, store string, since time.Time) ([]CountedWindow, error)

	// SetDuty records that node has somebody signed in for these purposes of a store until then; a zero time takes it
	// back. EveryPurpose may be among them.
	SetDuty(ctx context.Context, node, store string, purposes []string, until, now time.Time) error

	// KeepNotices enters notices that come into force, with a leaf of the log for each, in one transaction;
	// those that are kept already stay as they are. ErrNoticeEdited for another text under the same name. by is who
	// published them to a running server; empty if they came with the registry. From the commit on, Decide refuses what was checked
	// before it: notices are only ever added, so their number tells (ErrNotice).
	KeepNotices(ctx context.Context, list []Notice, by string, now time.Time) error
	// Notices are all that were ever in force.
	Notices(ctx context.Context) ([]Notice, error)
	// AddTallies adds to the counts of the public report, in one transaction.
	AddTallies(ctx context.Context, list []Tally) error
	// Tallies lists what was counted before a day, YYYY-MM-DD.
	Tallies(ctx context.Context, before string) ([]Tally, error)
	// Suspend keeps an app out, unless it is out at now already; Lift lets it in (ErrNotSuspended). Both are told in the feed.
	Suspend(ctx context.Context, s Suspension, now time.Time) error
	Lift(ctx context.Context, app, by string, now time.Time) error
	// Suspensions lists them all, by app; the newest of each.
	Suspensions(ctx context.Context) ([]Suspension, error)
	// LogNotices puts the hashes of notices into the log in one transaction, each once; those that
	// are in it already stay where they are.
	LogNotices(ctx context.Context, hashes []string, now time.Time) error
	// TreeHead is the size and root of the log.
	TreeHead(ctx context.Context) (TreeHead, error)
	// Proof is a leaf with its inclusion proof in the tree of that size; ErrNoLeaf beyond its end.
	Proof(ctx context.Context, index, size int64) (Proof, error)
	// Consistency proves that the tree of size to, 0 for the newest, continues that of size from; ErrNoLeaf
	// if the log never had these sizes in this order.
	Consistency(ctx context.Context, from, to int64) (Consistency, error)
	// Leaves are the leaves from one index up to, not including, another, as far as there are any.
	Leaves(ctx context.Context, from, to int64) ([]string, error)

	// Claim sets a value that is set once, and returns what is set.
	Claim(ctx context.Context, name, value string) (string, error)
	// Prune forgets what has outlived its time at now; what proves consent, when nothing has happened to it for
	// the life of proofs. Legal holds keep reads and proofs, and nothing else.
	Prune(ctx context.Context, now time.Time, proof time.Duration) error
}

// How long the store keeps what is not needed for proof (brief, 44).
const (
	FeedLife    = 24 * time.Hour      // feed entries, outbox rows, idempotency keys of alerts
	JournalLife = 90 * 24 * time.Hour // reads, and those that were refused
	NodeLife    = time.Minute         // a node that has not polled for this long is struck off
	BookingLife = 24 * time.Hour      // a booking, after it was due
	AlertLife   = 24 * time.Hour      // a final alert is unlinked and forgotten

	// AuditLife is for what administrators did: together, as holds and what was disclosed or not, without whose it was; and alone,
	// as changes of stores. Who published a notice or let an app in again is told for as long.
	AuditLife = 3 * 366 * 24 * time.Hour
)
