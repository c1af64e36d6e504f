// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Raise stores an alert and tells every console of its store. Errors: ErrNoVisit if the visit has
// ended meanwhile; anything else is the store's.
func (n *Node) Raise(ctx context.Context, a Alert) (Alert, error) {
	now := n.Clock.Now()
	if a.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return Alert{}, err
		}
		a.ID = id.String()
	}
	if a.Patience == 0 {
		a.Patience = n.Atlas.Book(a.Store).Route(string(a.Kind), a.Topic, "").Patience
	}
	a.State, a.Version = Raised, 1
	a.RaisedAt, a.ChangedAt, a.DueAt = now, now, now.Add(a.Waits())
	stored, merged, err := n.Alerts.RaiseAlert(ctx, a)
	if err != nil {
		return Alert{}, err
	}
	if !merged {
		n.Stats.Alerts.Add(1)
		n.spread(ctx, stored)
	}
	return stored, nil
}

// Act applies one step to an alert for a person. Errors: ErrNoAlert, ErrAlertVersion,
// ErrAlertHeld, ErrAlertFinal, ErrAlertAction, ErrTooManyLooks; anything else is the store's.
func (n *Node) Act(ctx context.Context, store, id string, c Change) (Alert, error) {
	c.Now = n.Clock.Now()
	a, err := n.Alerts.ChangeAlert(ctx, store, id, c)
	if err != nil {
		return a, err
	}
	n.spread(ctx, a)
	return a, nil
}

// Taker is who would have the alert after the change, if it gives it to somebody.
func (c Change) Taker() string {
	switch c.Action {
	case Claim:
		return c.By.Shift
	case HandOver:
		return c.To.Shift
	}
	return ""
}

// spread tells this node's consoles at once and the others soon.
func (n *Node) spread(ctx context.Context, a Alert) {
	n.alertChanged(a, 0)
	n.hint(ctx, hint{Kind: hintNudge, Node: n.ID})
}

// alertChanged tells this node's consoles, and the phone of whose alert it is.
func (n *Node) alertChanged(a Alert, change int64) {
	n.desks.applyAlert(a, change)
	if s := n.sessions.byVisit(a.Visit); s != nil {
		s.answered(a)
	}
}

// sweepLoop lets time act on sessions, and on what is remembered. It asks nobody, so nothing holds it up.
func (n *Node) sweepLoop(ctx context.Context) error {
	return everySecond(ctx, func() {
		now, boot := n.Clock.Now(), n.Clock.Boot()
		open, books := n.Atlas.openStores(now), n.Atlas.books()
		left := make(departures)
		for s := range n.sessions.all() {
			s.tick(now, boot, open[s.scope.Store], left)
			if b := books[s.scope.Store]; b.Watches() {
				s.watch(b, now)
			}
		}
		n.settle(left)
		n.ended.forget(boot)
	})
}

// dueLoop lets time act on alerts and on grants that expired. Each may wait for a barrier.
func (n *Node) dueLoop(ctx context.Context) error {
	orphans, waits := orphans{node: n}, waits{node: n}
	second := 0
	return everySecond(ctx, func() {
		if !n.Serving() {
			return
		}
		n.sweepAlerts(ctx, n.Clock.Now())
		n.sweepGrants(ctx, n.Clock.Now())
		if second++; second%orphansEvery == 0 {
			orphans.sweep(ctx)
			waits.sweep(ctx)
		}
	})
}

func everySecond(ctx context.Context, f func()) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			f()
		}
	}
}

const sweepPage = 200

func (n *Node) sweepAlerts(ctx context.Context, now time.Time) {
	due, err := n.Alerts.AlertsDue(ctx, now, sweepPage)
	if err != nil {
		n.Log.Warn("alerts due not listed", "error", err)
		return
	}
	for _, a := range due {
		c, ok := a.Due(now)
		if !ok {
			continue
		}
		c.Expect = a.Version // another node, or a person, may have been first
		if _, err := n.Act(ctx, a.Store, a.ID, c); err != nil {
			n.Log.Debug("alert changed meanwhile", "error", err)
		}
	}
}

func (n *Node) sweepGrants(ctx context.Context, now time.Time) {
	due, err := n.Ledger.Due(ctx, now, sweepPage)
	if err != nil {
		n.Log.Warn("expired grants not listed", "error", err)
		return
	}
	for _, r := range due {
		if _, err := n.End(ctx, r); err != nil {
			n.Log.Warn("expired grant not ended yet", "error", err)
		}
	}
}

// presenceChanged tells consoles that a visit is hidden or shown: this node's at once, the others
// by a hint. Called with the session's mu held.
func (n *Node) presenceChanged(s *Session, shown bool) {
	n.desks.presence(s.scope.Store, s.visit, shown, s.lastAccepted)
	kind := hintHidden
	if shown {
		kind = hintShown
	}
	n.announcer.say(hint{Kind: kind, Node: n.ID, Store: s.scope.Store, Visit: s.visit, T: s.lastAccepted})
}
