// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"
	"time"

	"doorstep/consent"
)

// pollLoop keeps the lease alive: at least every PollEvery, at once when nudged. One poll at a
// time, so that replies are applied in the order in which they were asked for.
func (n *Node) pollLoop(ctx context.Context) error {
	tick := time.NewTicker(PollEvery)
	defer tick.Stop()
	for {
		n.pollOnce(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-n.poll:
		}
	}
}

func (n *Node) pollOnce(ctx context.Context) {
	for {
		more, err := n.pollPage(ctx)
		if errors.Is(err, consent.ErrNotListed) || errors.Is(err, consent.ErrBehind) {
			n.startOver(ctx, err)
			return
		}
		if err != nil {
			if ctx.Err() == nil {
				n.Stats.PollFailed.Add(1)
				n.Log.Warn("ledger poll failed; without an answer this node stops serving", "error", err)
			}
			return
		}
		if !more {
			return
		}
	}
}

// startOver closes everything and joins anew: the ledger does not know this node, or no longer holds
// what it missed, or is an older copy of itself.
func (n *Node) startOver(ctx context.Context, why error) {
	n.Log.Error("this node has lost the ledger's thread: closing every session and starting over", "error", why)
	n.lease.reset()
	n.serving.Store(false)
	for s := range n.sessions.all() {
		s.letGo(closeUnavailable)
	}
	n.desks.closeAll()
	n.rereadStores()
	n.rereadRules()
	if err := n.Ledger.Join(ctx, n.ID); err != nil && ctx.Err() == nil {
		n.Log.Warn("not joined yet; trying again with the next poll", "error", err)
	}
}

// pollPage asks, applies, and only then renews: a lease must never cover a change that this node
// has not acted on.
func (n *Node) pollPage(ctx context.Context) (more bool, err error) {
	until, start := n.Clock.Now().Add(LeaseTime), n.Clock.Boot()
	since := n.lease.known()
	ctx, cancel := context.WithTimeout(ctx, LeaseTime)
	defer cancel()
	feed, err := n.Ledger.Poll(ctx, n.ID, since)
	if err != nil {
		return false, err
	}
	consoles := n.apply(feed.Entries)
	if feed.More {
		n.lease.learn(feed.Change) // not all is known yet: no lease for this page
		return true, nil
	}
	if !n.lease.renew(start, feed.Change) {
		return false, nil
	}
	n.once.Do(func() { close(n.started) })
	n.until.Store(&until)
	n.serving.Store(n.Serving())
	if feed.Change > since {
		n.acknowledge(ctx, feed.Change, consoles)
	}
	return false, nil
}

// apply acts on changes in order and returns how many consoles had been sent something about what
// ended. Everything it does is idempotent: the coordinator of an end has applied it already.
func (n *Node) apply(entries []consent.Entry) (consoles int) {
	for i := range entries {
		switch e := &entries[i]; e.Kind {
		case consent.EntryEnd:
			if e.End != nil {
				consoles += n.applyEnd(*e.End, e.At)
			}
		case consent.EntryAlert:
			if a, ok := ParseAlert(e.Body); ok {
				n.alertChanged(a, e.Change)
			}
		case consent.EntryStore:
			n.rereadStores()
		case consent.EntryNotice:
			n.rereadRules()
		}
	}
	return consoles
}

func (n *Node) acknowledge(ctx context.Context, change int64, consoles int) {
	if err := n.Ledger.Ack(ctx, n.ID, change); err != nil {
		n.Log.Warn("acknowledgement not recorded; a withdrawal may wait for this node's lease", "error", err)
		return
	}
	n.hint(ctx, hint{Kind: hintAck, Node: n.ID, Change: change, Consoles: consoles})
}

// Hear waits until this node has read everything that was committed before the call. Whoever carries out an end has
// acted on it before reading of it; what is about to be forgotten must have been read as well, or this node would have
// lost the thread.
func (n *Node) Hear(ctx context.Context) error {
	asked := n.Clock.Boot()
	tick := time.NewTicker(FlushEvery)
	defer tick.Stop()
	for !n.lease.heard(asked) {
		n.nudged()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func (n *Node) nudged() {
	select {
	case n.poll <- struct{}{}:
	default: // one is waiting already
	}
}
