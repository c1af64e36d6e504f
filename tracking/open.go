// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"doorstep/consent"
)

// Opening is a request to open a session, as a redeemed ticket gives it.
type Opening struct {
	Scope    consent.Scope
	Subject  consent.Ref // whose ticket it is: a grant is a person's, on a phone
	Purposes []string
}

// MayOpen reports whether a session would open now, without opening one: for the answer to a
// request that can still be read, which a refused socket's cannot. Errors as for Open.
func (n *Node) MayOpen(ctx context.Context, o Opening) error {
	if n.draining.Load() {
		return ErrShuttingDown
	}
	if _, ok := n.Atlas.Index(o.Scope.Store); !ok {
		return ErrNoStore
	}
	if !n.Atlas.Open(o.Scope.Store, n.Clock.Now()) {
		return ErrStoreClosed
	}
	_, err := n.ask(ctx, o)
	return err
}

// ask is the ledger's word on a scope: a grant of this very shopper for each purpose, somebody on duty for each,
// and a lease here. Whoever else uses the phone has granted nothing.
func (n *Node) ask(ctx context.Context, o Opening) (consent.Admission, error) {
	a, err := n.Ledger.Admit(ctx, o.Scope)
	switch {
	case err != nil:
		return a, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case o.Subject == "" || a.Subject != o.Subject || !covers(a.Grants, o.Purposes):
		return a, ErrNotGranted
	case !attended(a.Grants, o.Purposes):
		return a, ErrNobodyOnDuty
	case !n.Serving():
		return a, ErrUnavailable
	}
	return a, nil
}

// Open opens a session. The order is the protocol: register locally, so that an end that is
// applied from now on finds it; then ask the ledger; then apply what this node has heard since;
// only then Redis. Errors: ErrNoStore, ErrStoreClosed, ErrUnavailable, ErrNotGranted, ErrNobodyOnDuty, ErrShuttingDown.
func (n *Node) Open(ctx context.Context, o Opening, p Phone) (*Session, error) {
	index, ok := n.Atlas.Index(o.Scope.Store)
	switch {
	case !ok:
		return nil, ErrNoStore
	case !n.Atlas.Open(o.Scope.Store, n.Clock.Now()): // closing in this moment is for the sweep to see
		return nil, ErrStoreClosed
	}
	s := &Session{node: n, scope: o.Scope, purposes: o.Purposes, index: index, phone: p,
		owner: newOwner(), batch: n.writer.batch(o.Scope.Store), opened: make(chan struct{})}
	s.OnScreen()
	if before := n.sessions.place(s); before != nil {
		<-before.opened // two openings of one installation take turns, so that the newer one registers last
		before.letGo(consent.Replaced)
	}
	defer close(s.opened)
	if n.draining.Load() { // looked at once it is placed: either this sees the drain, or the drain sees it
		s.abandon()
		return nil, ErrShuttingDown
	}
	if err := n.admit(ctx, s, o); err != nil {
		s.abandon()
		return nil, err
	}
	n.Stats.Opened.Add(1)
	return s, nil
}

// newOwner is eight random bytes: no two connections of a visit have the same, and it goes to Redis with each position.
func newOwner() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return string(b[:])
}

func (n *Node) admit(ctx context.Context, s *Session, o Opening) error {
	a, err := n.ask(ctx, o)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.subject, s.visit, s.epoch = a.Subject, a.Visit, a.Epoch
	s.data = allowed(a.Grants, o.Purposes)
	s.mu.Unlock()
	n.sessions.name(s, a.Visit)
	if s.endedMeanwhile() {
		return ErrNotGranted
	}
	err = n.Live.Register(ctx, Slot{s.scope.Store, s.visit}, s.owner, 0, PositionLife)
	switch {
	case errors.Is(err, ErrFenced):
		return n.fenced(ctx, o)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case s.endedMeanwhile():
		return ErrNotGranted
	}
	s.batch.note(true, 0)
	n.sayMoved(s)
	if err := n.Ledger.Enter(ctx, consent.Entered{Scope: s.scope, Epoch: a.Epoch, Purposes: s.purposes}); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return s.begin(unixMS(n.Clock.Now()), n.Clock.Boot())
}

// fenced says why a tombstone refuses an opening that the ledger has just allowed. Either the visit ended
// meanwhile, which the ledger knows by now; or whether it ended is in doubt, and it is closed until the
// tombstone's life is over, or the same end is asked for again.
func (n *Node) fenced(ctx context.Context, o Opening) error {
	if _, err := n.ask(ctx, o); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, ErrFenced)
}

// begin lets the session count, unless it has ended meanwhile. The look and the step are one: an end
// that is applied before finds it opening and leaves word, one that is applied after closes it.
func (s *Session) begin(now int64, boot time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isEnded() {
		return ErrNotGranted
	}
	s.openedAt, s.renewed = now, boot
	return nil
}

func (s *Session) endedMeanwhile() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isEnded()
}

// isEnded reports an end that this node applied while the session was opening and that the ledger's
// snapshot did not have yet. Called with mu held.
func (s *Session) isEnded() bool {
	return s.over.Load() || s.endedAtEpoch > s.epoch || s.node.ended.has(s.visit)
}

// abandon takes back a session that could not be opened. Its phone is answered by the caller.
func (s *Session) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phone = nil
	s.over.Store(true)
	s.node.sessions.remove(s, s.visit)
}

// allowed are the data types that grants for these purposes allow together.
func allowed(grants []consent.Grant, purposes []string) []string {
	var data []string
	for _, g := range grants {
		if slices.Contains(purposes, g.Purpose) {
			data = append(data, g.Data...)
		}
	}
	slices.Sort(data)
	return slices.Compact(data)
}

func covers(grants []consent.Grant, purposes []string) bool {
	if len(purposes) == 0 {
		return false
	}
	for _, p := range purposes {
		if !slices.ContainsFunc(grants, func(g consent.Grant) bool { return g.Purpose == p }) {
			return false
		}
	}
	return true
}

// attended reports whether somebody is signed in for each of the purposes: nobody is tracked for what nobody is there for.
func attended(grants []consent.Grant, purposes []string) bool {
	return !slices.ContainsFunc(grants, func(g consent.Grant) bool { return !g.Attended && slices.Contains(purposes, g.Purpose) })
}

// Find returns the session of a visit on this node, if it has one.
func (n *Node) Find(visit string) (*Session, bool) {
	s := n.sessions.byVisit(visit)
	return s, s != nil
}
