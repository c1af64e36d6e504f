// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/google/uuid"
)

// End commits an end; ErrNotOnRecord if nobody can know what a withdrawal is about. What it answers is true already: no grant it took can be admitted again, and no
// decision on a notice served before it, for what it ended, will be accepted. Repeat it with the
// same ID after an error.
func (l *Ledger) End(ctx context.Context, r EndRequest) (Ending, error) {
	if err := checkEnd(r); err != nil {
		return Ending{}, err
	}
	r.OnRecord = r.Reason == Withdrawn && (r.OnRecord || !l.Registry().names(r))
	return l.store.End(ctx, EndCommand{EndRequest: r, Now: l.now(), Seal: l})
}

// names reports whether the registry declares what an end is about. What it does not may still be on record, of a time when it did.
func (r *Registry) names(e EndRequest) bool {
	if e.Kind != EndGrant && e.Kind != EndStore {
		return true
	}
	_, store := r.PremisesOf(e.Scope.Store)
	_, purpose := r.Purpose(e.Purpose)
	return store && (purpose || e.Kind == EndStore)
}

// OpenVisits are the visits that have begun and not ended: of a phone or, where that is empty, of all phones of a shopper.
func (l *Ledger) OpenVisits(ctx context.Context, subject, installation Ref) ([]OpenVisit, error) {
	return l.store.OpenVisits(ctx, subject, installation)
}

// Remember keeps outside the database that ends up to change were committed, so that no older copy of the ledger is
// taken for it. Nothing is acknowledged before.
func (l *Ledger) Remember(ctx context.Context, change int64) error {
	return l.store.Remember(ctx, change)
}

// SubjectOfStopToken answers whose token it is; ErrStopToken if it is nobody's.
func (l *Ledger) SubjectOfStopToken(ctx context.Context, stopToken string) (Ref, error) {
	right, err := l.stopRight(ctx, stopToken)
	return right.Subject, err
}

// Stop ends with nothing but the token that came with a decision. Of r it uses ID, Kind (EndAll if
// empty), Purpose, Claimed and, for one store, Scope.Store (the token's own if empty): the subject
// and the installation are the token's. The reason is always Withdrawn.
func (l *Ledger) Stop(ctx context.Context, stopToken string, r EndRequest) (Ending, error) {
	r, err := l.StopRequest(ctx, stopToken, r)
	if err != nil {
		return Ending{}, err
	}
	return l.End(ctx, r)
}

// StopRequest is the end that Stop commits: r as the token's owner could have asked for it. Whoever carries
// the end out needs to know what it is about, even if the commit fails.
func (l *Ledger) StopRequest(ctx context.Context, stopToken string, r EndRequest) (EndRequest, error) {
	right, err := l.stopRight(ctx, stopToken)
	if err != nil {
		return EndRequest{}, err
	}
	if r.Kind == "" {
		r.Kind = EndAll
	}
	if r.Kind == EndSession {
		return EndRequest{}, fmt.Errorf("%w: kind: a stop token ends grants, not sessions", ErrRequest)
	}
	if r.Scope.Store == "" {
		r.Scope.Store = right.Scope.Store
	}
	r.Scope.Installation, r.Subject = right.Scope.Installation, right.Subject
	r.Reason, r.KeepRequest, r.Visit = Withdrawn, false, ""
	return r, nil
}

func (l *Ledger) stopRight(ctx context.Context, token string) (StopRight, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != stopTokenBytes {
		return StopRight{}, ErrStopToken
	}
	return l.store.StopRight(ctx, sha256.Sum256(raw))
}

const stopTokenBytes = 32

func checkEnd(r EndRequest) error {
	if _, err := uuid.Parse(r.ID); err != nil {
		return fmt.Errorf("%w: id: %q is not a UUID", ErrRequest, r.ID)
	}
	if r.Reason == "" {
		return fmt.Errorf("%w: reason: why it ends is missing", ErrRequest)
	}
	missing := ""
	byVisit := r.Kind == EndSession && r.Scope == Scope{} // whoever ends a visit in its owner's place knows no more of it
	switch r.Kind {
	case EndSession, EndGrant, EndStore:
		if !byVisit && (r.Scope.Installation == "" || r.Scope.Store == "") {
			missing = "scope"
		} else if r.Kind == EndSession && r.Visit == "" {
			missing = "visit"
		} else if r.Kind == EndGrant && r.Purpose == "" {
			missing = "purpose"
		}
	case EndAll:
		if r.Subject == "" {
			missing = "subject"
		}
	default:
		return fmt.Errorf("%w: kind: %q is not session, grant, store or all", ErrRequest, r.Kind)
	}
	if missing != "" {
		return fmt.Errorf("%w: %s: missing for an end of kind %s", ErrRequest, missing, r.Kind)
	}
	return nil
}

// Visit makes the ledger a Sealer: the pseudonym of an epoch of a scope.
func (l *Ledger) Visit(s Scope, epoch int64) string { return l.Keys().Visit(s, epoch) }
