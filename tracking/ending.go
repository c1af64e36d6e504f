// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/consent"
)

// Answer is an end that is true everywhere.
type Answer struct {
	Ending   consent.Ending
	Nodes    int           // that acknowledged, this one included; the lease of any other has run out
	Consoles int           // that had been sent something about the shopper, and were sent the end of it
	Purged   time.Duration // until the purge was confirmed
	Took     time.Duration
}

// answerWithin bounds how long End waits before it says "recorded, not complete".
const answerWithin = 4 * time.Second

// End ends what r names, on every node, and answers once that is so. The commit is the
// linearization point; what follows it survives the caller's cancellation.
//
// An error that is ErrNotComplete means: committed, and being carried out, but not confirmed; ask
// again with the same id. Any other error means that nothing was committed, as far as is known;
// even then this node stops the session it has, because doubt stops tracking. A refusal of the
// ledger's (consent.ErrRequest and its like) is returned as it is, and nothing is done.
func (n *Node) End(ctx context.Context, r consent.EndRequest) (Answer, error) {
	start := n.Clock.Boot()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	ending, err := n.Ledger.End(ctx, r)
	if refused(err) {
		return Answer{}, err
	}
	if err != nil {
		n.doubt(r)
		return Answer{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return n.carryOut(ctx, ending, start)
}

// refused tells a refusal by the ledger's rules from a ledger that could not be asked.
func refused(err error) bool {
	var p *consent.Problem
	return errors.As(err, &p) && !errors.Is(err, consent.ErrUnavailable)
}

// CarryOut makes an end true everywhere that was committed as part of something else.
func (n *Node) CarryOut(ctx context.Context, ending consent.Ending) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	return n.carryOut(ctx, ending, n.Clock.Boot())
}

// carryOut makes a committed end true everywhere. The order is socket first, then the rest at the
// same time: nudge, fence and purge, the mark outside the ledger, the barrier.
func (n *Node) carryOut(ctx context.Context, ending consent.Ending, start time.Duration) (Answer, error) {
	committed := n.Clock.Boot()
	a := Answer{Ending: ending, Nodes: 1}
	wait := n.acks.expect(ending.Change, ending.Nodes)
	defer wait.close()
	for _, e := range ending.Ends {
		a.Consoles += n.applyEnd(e, ending.At)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { n.hint(gctx, hint{Kind: hintNudge, Node: n.ID, Change: ending.Change}); return nil })
	g.Go(func() error {
		err := n.erase(gctx, ending.Ends)
		a.Purged = n.Clock.Boot() - start
		return err
	})
	g.Go(func() error { return n.remember(gctx, ending) })
	g.Go(func() error { return wait.done(gctx, committed) })
	if err := g.Wait(); err != nil {
		return a, fmt.Errorf("%w: %w", ErrNotComplete, err)
	}
	nodes, consoles := wait.result()
	a.Nodes += nodes
	a.Consoles += consoles
	a.Took = n.Clock.Boot() - start
	return a, nil
}

// remember raises the mark outside the ledger, before anything is answered: an older copy of the ledger is then known
// for what it is.
func (n *Node) remember(ctx context.Context, ending consent.Ending) error {
	err := n.Ledger.Remember(ctx, ending.Change)
	if err != nil {
		n.Stats.Unmarked.Add(1)
	}
	return err
}

// erase purges, and confirms. What could not be purged for as long as anything could have lived is gone by
// itself; that is reckoned from when this node carried the end out, on its boot clock.
func (n *Node) erase(ctx context.Context, ends []consent.End) error {
	err := n.purger.now(ctx, slotsOf(ends))
	if err != nil && n.ended.allSince(ends, n.Clock.Boot()-purgeFor) {
		return nil
	}
	return err
}

func slotsOf(ends []consent.End) []Slot {
	slots := make([]Slot, 0, len(ends))
	for _, e := range ends {
		slots = append(slots, Slot{e.Scope.Store, e.Visit})
	}
	return slots
}

// doubt closes what this node has of what should have ended and could not be.
func (n *Node) doubt(r consent.EndRequest) {
	var slots []Slot
	for s := range n.sessions.all() {
		subject, visit := s.who()
		if !isAbout(r, s, subject) {
			continue
		}
		s.letGo(closeUnavailable)
		if visit != "" {
			slots = append(slots, Slot{s.scope.Store, visit})
		}
	}
	if len(slots) > 0 {
		n.purger.soon(slots) // the position as well; the visit can come back after a fence's life
	}
}

// isAbout reports whether an end, if it has happened, took what the session rests on. The end of another
// purpose did not: if it has happened, the feed says so, and the session is asked to come back.
func isAbout(r consent.EndRequest, s *Session, subject consent.Ref) bool {
	switch r.Kind {
	case consent.EndAll:
		return subject == r.Subject
	case consent.EndGrant:
		return s.scope == r.Scope && slices.Contains(s.purposes, r.Purpose)
	}
	return s.scope == r.Scope
}

// who is whose session it is, as far as is known: a session that is opening may not know yet.
func (s *Session) who() (subject consent.Ref, visit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subject, s.visit
}

// applyEnd makes an end true on this node: the session closed, its queued frames dropped, the
// consoles told. It returns how many consoles had been sent something about the visit. It is
// idempotent, and returns only when no console can be sent another byte about the visit but that
// it is gone.
func (n *Node) applyEnd(e consent.End, at time.Time) (consoles int) {
	v, fresh := n.ended.add(e.Visit, n.Clock.Boot())
	if s := n.sessions.byScope(e.Scope); s != nil {
		s.ended(e)
	}
	if fresh {
		v.consoles = n.desks.gone(e, at)
		close(v.done)
	}
	<-v.done
	return v.consoles
}

// ended applies an end to the session of its scope. One that was re-stamped is closed with a code
// that asks for a new ticket: what is left of its grants is in force under the new epoch.
func (s *Session) ended(e consent.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.visit == "" || s.openedAt == 0 { // still opening: Open looks at this
		s.endedAtEpoch = max(s.endedAtEpoch, e.Epoch)
		return
	}
	if s.visit != e.Visit && s.epoch >= e.Epoch {
		return
	}
	last := StateChange{State: StateEnded, Reason: e.Reason, LastAccepted: s.lastAccepted}
	if covers(asGrants(e.Surviving), s.purposes[:1]) && e.Reason == consent.Withdrawn {
		last = StateChange{State: StateSuspended, Reason: closeTicket, LastAccepted: s.lastAccepted}
	}
	s.shut(last)
}

func asGrants(purposes []string) []consent.Grant {
	grants := make([]consent.Grant, len(purposes))
	for i, p := range purposes {
		grants[i].Purpose = p
	}
	return grants
}
