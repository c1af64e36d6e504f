// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Evidence is what a store holds of its log, for an Audit to judge. Each method calls f for every row, in
// the order named, and stops at its first error. All of them see the same moment. Nothing is checked by
// the store, nothing is changed, and values are handed over as they are stored.
type Evidence interface {
	// Head is the size that the log is said to have, and the name under which it signs, "" if it never did.
	Head(ctx context.Context) (size int64, origin string, err error)
	// Notices are the notices that were in force, and those that are said to be in the log.
	Notices(ctx context.Context, f func(KeptNotice) error) error
	// People are the shoppers and phones that are known, in an order that says nothing of them.
	People(ctx context.Context, f func(KeptPerson) error) error
	// Sealed are the rows beside the log that say whose tracking an end or a stop token ends, in an order that says nothing
	// of anybody.
	Sealed(ctx context.Context, f func(SealedRow) error) error
	// Leaves are the leaves in the order of their indexes.
	Leaves(ctx context.Context, f func(index int64, text string) error) error
	// Hashes are the stored hashes of the tree by sumdb/tlog's storage index, in its order.
	Hashes(ctx context.Context, f func(index int64, hash string) error) error
	// Kept are the events that are still kept, in any order.
	Kept(ctx context.Context, f func(Kept) error) error
}

// KeptNotice is a notice as it is kept beside the log.
type KeptNotice struct {
	Hash  string
	Index int64  // the leaf it is said to be; -1 if none is
	Name  string // under which it is found, as Notice.Name; empty if it is not kept
	Body  []byte // JSON
}

// KeptPerson is the row of a shopper or of a phone.
type KeptPerson struct {
	Kind     string // subject or installation
	Row      string // by which other tables name it: random, and never seen outside
	Findable bool   // whoever it is sealed as finds it
	Damaged  string // why it could not be read, "" if it could
}

// SealedRow is a row that nothing in the log speaks of, so that it is held by a seal of its own.
type SealedRow struct {
	Kind SealedKind
	Row  string // by which it is found in its table: random or a mark, and never seen outside
	Fits bool   // it is as it was written
}

// SealedKind is what such a row is.
type SealedKind string

// The kinds.
const (
	SealedScope SealedKind = "scope"      // of which shopper a phone in a store is, and in which visit
	SealedStop  SealedKind = "stop_token" // whose a stop token is
)

// Kept is an event as it is kept beside the log: a decision, an end, or a sealed proof of either.
type Kept struct {
	ID       string // as the store writes it: to compare with EndedBy, and for nothing else
	RecordID string // as the row has it
	Index    int64  // the leaf it says it is
	Key      string // of the leaf, hex
	Receipt  string // compact JWS
	Decided  *KeptDecision
	EndedAt  time.Time // of an end
	Proof    bool      // sealed for whoever holds the key of proofs: only Index is known, and whether it is Damaged
	Damaged  string    // why it could not be read, "" if it could
}

// KeptDecision is a decision's row.
type KeptDecision struct {
	Record                         *Record
	Subject                        Ref
	Scope                          Scope
	Purpose, Notice, Choice, State string
	Live                           bool
	Said                           Choice // as it is sealed; empty of decisions before it was
	Current                        bool   // stands at the epoch of its scope, which is the same shopper's
	Stoppable                      bool   // its stop token is known
	DecidedAt, GivenUntil          time.Time
	ExpiresAt, EndedAt             time.Time
	EndedBy                        string // the ID of the event that ended it
}

// Discrepancy is one thing that is not as it was written. It names leaves by their index, rows of people by what stands
// for them inside the database only, and nobody at all.
type Discrepancy struct {
	Code  string `json:"code"`  // stable, [a-z_]+
	Leaf  int64  `json:"leaf"`  // -1 if it is about no one leaf
	Where string `json:"where"` // for people
	What  string `json:"what"`
	Means string `json:"means"`
	Do    string `json:"do"`
}

// SavedCheckpoint is a checkpoint that was kept outside the ledger.
type SavedCheckpoint struct {
	Name   string // of the file, for people
	Signed []byte
}

// AuditReport is what an Audit found.
type AuditReport struct {
	Origin      string        `json:"origin"`
	TreeHead                  // as the leaves and hashes give it
	Decisions   int           `json:"decisions"`   // kept, each held against its leaf
	Ends        int           `json:"ends"`        // the same
	Notices     int           `json:"notices"`     // in the log
	Proofs      int           `json:"proofs"`      // sealed, of those who have been erased
	Receipts    int           `json:"receipts"`    // verified
	Spent       int           `json:"spent"`       // receipts past the end of their proof, whose key is gone
	Forgotten   int           `json:"forgotten"`   // leaves whose events are past the end of their proof, and are not kept any more
	Checkpoints int           `json:"checkpoints"` // that the log continues
	Findings    []Discrepancy `json:"findings"`
}

// audit is one on its way.
type audit struct {
	AuditReport
	keys      Keys
	set       KeySet
	now       time.Time
	tree      auditTree
	notices   map[string]bool   // by hash: in the log, or kept, or missed already
	witnesses map[int64]witness // by leaf: what its receipt or its kept record says of it
	roots     []signedRoot      // what receipts say of the whole tree
	ends      []keptEnd
	decided   []keptDecision
}

// Audit holds the whole log against itself, against what is kept beside it and against checkpoints that were
// kept elsewhere. An error means that it could not be carried out; what is wrong with the log is a Discrepancy.
func Audit(ctx context.Context, e Evidence, keys Keys, saved []SavedCheckpoint, now time.Time) (AuditReport, error) {
	set, err := ParseKeySet(keys.JWKS())
	if err != nil {
		return AuditReport{}, err
	}
	a := &audit{keys: keys, set: set, now: now, notices: map[string]bool{}, witnesses: map[int64]witness{}}
	a.Findings = []Discrepancy{}
	if a.Size, a.Origin, err = e.Head(ctx); err != nil {
		return AuditReport{}, err
	}
	for _, step := range []func(context.Context, Evidence) error{a.readTree, a.readNotices, a.readPeople, a.readSealed, a.readKept} {
		if err := step(ctx, e); err != nil {
			return AuditReport{}, err
		}
	}
	a.judgeTree()
	a.judgeRoots()
	a.judgeStates()
	a.judgeMissing()
	for _, c := range saved {
		a.judgeCheckpoint(c)
	}
	slices.SortStableFunc(a.Findings, func(x, y Discrepancy) int { return cmp.Compare(uint64(x.Leaf), uint64(y.Leaf)) })
	return a.AuditReport, nil
}

func (a *audit) find(code string, leaf int64, where, what string, args ...any) {
	s := sayings[code]
	a.Findings = append(a.Findings, Discrepancy{code, leaf, where, fmt.Sprintf(what, args...), s.means, s.do})
}

func leafName(i int64) string { return fmt.Sprintf("leaf %d", i) }

// saying is what a kind of finding means, and what to do.
type saying struct{ means, do string }

const (
	restore = "Keep this database as it is for whoever has to explain it, and go back to a copy from before the change; then replay what came after"
	access  = "find out who could write to the database"
)

var sayings = map[string]saying{
	"leaf_changed":      {"The public text of this event is not the one that was logged.", restore + ", and " + access + "."},
	"leaf_rewritten":    {"Somebody who knows how the log is made replaced an event and calculated the hashes anew; the signed receipt gives it away.", restore + ", and " + access + "."},
	"leaf_missing":      {"An event was taken out of the log.", restore + "."},
	"leaf_beyond":       {"The log is said to be shorter than it is: its size was set back, or a leaf was added behind its end.", restore + "."},
	"leaf_moved":        {"Events were reordered, or one was taken out or put in before this place.", restore + "."},
	"hash_changed":      {"A hash of the tree was changed. The leaves below it are as they were.", "Restore the table of hashes from a backup, or from any copy of the log: it follows from the leaves."},
	"hash_missing":      {"A hash of the tree is gone. The log cannot grow or prove anything that needs it.", "Restore the table of hashes from a backup, or from any copy of the log: it follows from the leaves."},
	"hash_beyond":       {"There are more hashes than the size of the log gives: its size was set back, or leaves were taken off its end.", restore + "."},
	"root_differs":      {"A signed receipt vouches for a tree that this log never was: something up to here was rewritten, added or taken out.", restore + ", and ask for receipts and checkpoints from before to tell the place."},
	"cut":               {"Events were taken off the end of the log: it was rolled back to an earlier state.", "Restore the newest backup there is: what a shopper was told is recorded is missing here."},
	"record_changed":    {"What is kept of this event is not what was logged: the record or the key of its leaf was changed.", restore + ". The shopper's receipt says what was decided."},
	"proof_changed":     {"What is kept to prove a decision of somebody who was erased is not what was sealed then, or would go at another time.", "Restore the row of the proof from a backup."},
	"stop_missing":      {"The shopper was given a stop token with this decision, and it would stop nothing.", "Restore the stop tokens from a backup."},
	"column_changed":    {"A column of this decision's row says something else than its record, which is logged and signed.", "Set the column back to what the record says, or restore the row from a backup."},
	"state_changed":     {"The decision does not stand as the events after it left it.", "If it is in force and should not be, revoke it now; then restore the row from a backup."},
	"receipt_changed":   {"The kept receipt is not the one that was signed.", "Restore the row from a backup. The receipt that the shopper has is not affected."},
	"key_unknown":       {"The receipt may be genuine, but the key that would show it is not in the key file.", "Bring back the key file that belongs to this ledger; keys are dropped only by rotation, when no receipt needs them."},
	"unreadable":        {"What is kept of this event cannot be read, or was put together from several.", "Restore the row, or the keyring that it is sealed under, from a backup."},
	"claimed_twice":     {"Two kept events say that they are the same leaf: one of them was copied or moved.", "Restore both rows from a backup."},
	"event_missing":     {"The log has this event, and nothing kept beside it says what it was: its record was removed without an erasure.", restore + "."},
	"stop_changed":      {"Whoever has this stop token may end somebody else's tracking with it, or cannot end their own. Until it is mended it is answered 503.", "Restore the row from a backup, and " + access + "."},
	"scope_changed":     {"The visit of this phone in this store may be somebody else's, or over. Until it is mended it is admitted nowhere, and its ends are answered 503.", "Restore the row from a backup, and " + access + "."},
	"person_hidden":     {"What this shopper or this phone asks for is answered as if they were somebody else, or a stranger: a withdrawal would end nothing, or not be taken.", restore + ", and look again at what was answered since to withdrawals and erasures."},
	"notice_missing":    {"A notice that is said to be in the log is not, or not where it should be.", restore + "."},
	"notice_changed":    {"The text, or the name under which it is found, is not the one that shoppers were shown under this hash.", "Restore the text from the registry's folder or from a backup: the hash in the log says which is right."},
	"notice_lost":       {"The text that shoppers were shown under this hash is gone: nobody can tell any more what they decided on.", "Put the file of the notice back into the registry's folder and start the server, which keeps its text again; or restore the row from a backup."},
	"notice_unlisted":   {"The log has a notice that is not among those listed.", "Restore the table of settings from a backup."},
	"checkpoint_bad":    {"It says nothing about this log.", "Use the checkpoint as it was saved, and the key file of the ledger that signed it."},
	"checkpoint_cut":    {"The log was longer when it signed the checkpoint: it was cut, or rolled back to an older backup.", "Restore the newest backup there is: what a shopper was told is recorded is missing here."},
	"checkpoint_forked": {"The log signed another history before: it was forked or rewritten since, whatever the database says of itself.", restore + ", and " + access + " and to the log's key."},
	"log_lost":          {"Parts of the log are gone, so its root cannot be told from there on.", restore + "."},
}
