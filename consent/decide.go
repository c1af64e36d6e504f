// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
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
	State     State  // given, renewed, refused or deferred
	Receipt   string // compact JWS; it authorises nothing
	StopToken string // can only stop; comes with every decision, and is known to nobody else afterwards
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

// Decide records a decision, once: the same answer to the same served notice is answered the same again, for as long as
// what was granted by it is in force. It answers ErrServed, ErrInferred, ErrChoice, ErrDigest, ErrNotice or
// ErrRequest (422) for what cannot be accepted, and ErrUnavailable if nothing is known to be recorded.
func (l *Ledger) Decide(ctx context.Context, r DecisionRequest) (Decision, error) {
	if err := checkAnswer(r); err != nil {
		return Decision{}, err
	}
	now := l.now()
	served, err := l.store.Served(ctx, r.ServedID, now)
	if errors.Is(err, ErrServed) {
		return l.again(ctx, r)
	}
	if err != nil {
		return Decision{}, err
	}
	notices := l.rules().kept // read before the rules are: what is published after counts against it
	if err := l.checkServed(served, r); err != nil {
		return Decision{}, err
	}
	c := l.command(served, r, now, notices)
	done, err := l.store.Decide(ctx, c)
	if errors.Is(err, ErrNotice) { // something was published since: by the rules of now, if they are known
		if err := l.ReadNotices(ctx); err != nil {
			return Decision{}, err
		}
		c.Notices = l.rules().kept
		if err := l.checkServed(served, r); err != nil {
			return Decision{}, err
		}
		done, err = l.store.Decide(ctx, c)
	}
	if errors.Is(err, ErrServed) { // somebody was faster; perhaps with this very answer
		return l.again(ctx, r)
	}
	if err != nil {
		return Decision{}, err
	}
	return l.decision(r, done), nil
}

// again answers a decision that was made before, to whoever made it, as it was answered then. Of what is not in force any
// more it says nothing: a grant that was withdrawn meanwhile must not look given.
func (l *Ledger) again(ctx context.Context, r DecisionRequest) (Decision, error) {
	done, err := l.store.Decided(ctx, r.id(), r.Subject, r.Installation)
	if err != nil || !done.State.Allows() {
		return l.decision(r, done), err
	}
	a, err := l.Admit(ctx, Scope{r.Installation, r.Store})
	if err != nil {
		return Decision{}, err
	}
	i := slices.IndexFunc(a.Grants, func(g Grant) bool { return g.ID == r.id() })
	if i < 0 {
		return Decision{}, ErrServed
	}
	done.Grant, done.Epoch, done.Visit = &a.Grants[i], a.Epoch, a.Visit
	return l.decision(r, done), nil
}

func (l *Ledger) decision(r DecisionRequest, done Decided) Decision {
	return Decision{
		State: done.State, Receipt: done.Receipt, StopToken: base64.RawURLEncoding.EncodeToString(l.stopToken(r)), Grant: done.Grant, RecordID: r.id(),
		Epoch: done.Epoch, Visit: done.Visit, Ended: done.Ended,
	}
}

// id is that of the decision, and of its record (UUIDv8): the same for the same answer to the same notice as it was
// served, and another one for anything else. So a repetition finds what it repeats, and nothing else does. When the
// answer was given it claims for itself, and a repetition may claim another time.
func (r DecisionRequest) id() string {
	answer := fmt.Appendf(nil, "decision %q", []string{r.ServedID, r.Hash, string(r.Choice), r.Control, r.Digest, string(r.Subject), string(r.Installation), r.Store, r.Purpose})
	return uuid.NewHash(sha256.New(), uuid.NameSpaceOID, answer, 8).String()
}

// stopToken is what stops and does nothing else: 256 bits that follow from the served id, which is random and kept
// nowhere, under a key of this ledger. So it needs not be kept to be answered again.
func (l *Ledger) stopToken(r DecisionRequest) []byte { return l.Keys().stopToken(r.ServedID, r.id()) }

// checkAnswer is what can be said without knowing what was served.
func checkAnswer(r DecisionRequest) error {
	if !slices.Contains(choices, r.Choice) {
		return fmt.Errorf("%w: choice: %q", ErrChoice, r.Choice)
	}
	if r.Control != "button" && r.Control != "switch" {
		return fmt.Errorf("%w: control: %q", ErrInferred, r.Control)
	}
	if !r.ShownAt.IsZero() && !r.DecidedAt.IsZero() && r.DecidedAt.Before(r.ShownAt) {
		return fmt.Errorf("%w: decided_at lies before shown_at", ErrRequest)
	}
	if r.ServedID == "" {
		return ErrServed
	}
	return nil
}

// checkServed holds the answer against what was served, and that against what is published now.
func (l *Ledger) checkServed(s Served, r DecisionRequest) error {
	if s.Subject != r.Subject || s.Scope != (Scope{r.Installation, r.Store}) || s.Purpose != r.Purpose {
		return fmt.Errorf("%w: it was served to somebody else or for something else", ErrServed)
	}
	current, err := l.Registry().Notice(s.Purpose, s.Lang, s.Jurisdiction)
	if err != nil {
		return err
	}
	if r.Hash != s.Notice || current.Hash != s.Notice {
		return ErrNotice
	}
	if r.Digest != s.Digest {
		return ErrDigest
	}
	return nil
}

// command is the decision with its record, its grant and its stop token made.
func (l *Ledger) command(s Served, r DecisionRequest, now time.Time, notices int64) DecideCommand {
	id := r.id()
	c := DecideCommand{Served: s, Choice: r.Choice, Now: now, Notices: notices, StopHash: sha256.Sum256(l.stopToken(r)), Seal: l}
	life := now
	if r.Choice.Grants() {
		purpose, _ := l.Registry().Purpose(s.Purpose)
		place, _ := l.Registry().Jurisdiction(s.Jurisdiction)
		life = now.Add(l.Registry().Term(purpose, place, r.Choice))
		n, _ := l.Registry().NoticeByHash(s.Notice)
		c.Grant = &Grant{ID: id, Purpose: s.Purpose, Notice: s.Notice, Data: l.Registry().covers(n), VisitOnly: r.Choice == ThisVisit, ExpiresAt: stamp(life)}
	}
	c.Event = newEvent(l.decisionRecord(id, s, r, life, now), s.Notice)
	return c
}
