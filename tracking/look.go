// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
)

// lookLife is how long a look counts at the session's node without being repeated. It is repeated
// every second, and its end is sent at once.
const lookLife = 3 * time.Second

// looksMost is how many shoppers one person may look at, at a time.
const looksMost = ClaimsMost

// look is a journalled view that is open at a console.
type look struct {
	view      consent.View
	emergency bool
	count     int64
	shown     bool          // a position, at least once
	kept      time.Duration // boot time at which it last kept its claim
}

// keepEvery is how often a look keeps the claim that it needs.
const keepEvery = ClaimIdle / 2

// Look lets a console see the dot of an alert's visit. The view is in the journal before the first
// byte is served, and the phone has been told before the first position is. It takes a claim, or the
// shopper's own "show me", or a broken glass. A refusal is journalled too. Errors: ErrNoAlert, ErrAlertHeld,
// ErrTooManyLooks, ErrNoVisit, or the ledger's.
func (c *Console) Look(ctx context.Context, alert string) error {
	err := c.look(ctx, alert)
	if code := refusalOf(err); code != "" {
		c.desk.node.refuseRead(ctx, c.desk.store, c.person, code)
	}
	return err
}

func (c *Console) look(ctx context.Context, alert string) error {
	d := c.desk
	l, err := d.lookAt(c, alert)
	if err != nil {
		return err
	}
	if c.isLooking(alert) {
		return nil
	}
	if d.looksOf(c.person.Shift) >= looksMost {
		return ErrTooManyLooks
	}
	if err := d.node.Ledger.OpenView(ctx, l.view); err != nil {
		return err
	}
	if err := d.begin(c, l); err != nil {
		c.close(l)
		return err
	}
	d.hintLook(ctx, l, hintLook)
	return nil
}

// refusalOf names a refusal for the journal; empty for what is none.
func refusalOf(err error) string {
	for _, r := range []struct {
		err  error
		code string
	}{{ErrNoAlert, "no_alert"}, {ErrAlertHeld, "alert_held"}, {ErrNoVisit, "no_visit"}, {ErrTooManyLooks, "claims"}, {ErrRole, "role"},
		{consent.ErrSamePerson, "same_person"}, {consent.ErrNoMotion, "no_motion"}, {consent.ErrMotionOver, "motion_over"}} {
		if errors.Is(err, r.err) {
			return r.code
		}
	}
	return ""
}

// refuseRead journals that somebody was refused. They stay refused if that fails.
func (n *Node) refuseRead(ctx context.Context, store string, p Person, code string) {
	err := n.Ledger.RefuseRead(ctx, consent.RefusedRead{Store: store, Reader: p.Shift, Role: p.Role, Team: p.Team, Code: code, At: n.Clock.Now()})
	if err != nil {
		n.Log.Warn("a refused look is not journalled", "code", code, "error", err)
	}
}

// begin checks once more what may have changed while the journal was written, and lets the look count.
func (d *desk) begin(c *Console, l *look) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, here := d.consoles[c]; !here {
		return ErrNoAlert
	}
	if _, err := d.mayLook(c, l.view.Alert); err != nil {
		return err
	}
	if d.looksHeld(c.person.Shift) >= looksMost { // another console of theirs was faster
		return ErrTooManyLooks
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks[l.view.Alert] = l
	return nil
}

// mayLook is the rule. Called with mu held.
func (d *desk) mayLook(c *Console, alert string) (*shownAlert, error) {
	a := d.alerts[alert]
	switch {
	case a == nil || a.Final() || a.Off:
		return nil, ErrNoAlert
	case a.Holder != c.person.Shift && !a.ShowMe:
		return nil, ErrAlertHeld
	case d.node.ended.has(a.Visit):
		return nil, ErrNoVisit
	}
	return a, nil
}

// lookAt checks that c may look at the alert and says what the journal is to hold.
func (d *desk) lookAt(c *Console, alert string) (*look, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	a, err := d.mayLook(c, alert)
	if err != nil {
		return nil, err
	}
	return &look{emergency: a.Kind == Emergency, kept: d.node.Clock.Boot(), view: consent.View{ID: id.String(), Store: d.store, Visit: a.Visit, Alert: a.ID,
		Reader: c.person.Shift, Role: c.person.Role, Team: c.person.Team, Company: c.person.Company, Purpose: a.Purpose,
		Fields: []string{"position", "accuracy", "level"}, OpenedAt: d.node.Clock.Now()}}, nil
}

// showOnce shows the last position there is to whoever has not been shown one yet, so that a still
// shopper is seen at once. Whose it is is asked after it was read, and an owner does not come back: so the phone that sent
// it is the one that has been told, not the one of a session that was left behind.
func (d *desk) showOnce(ctx context.Context, t told) {
	if !d.awaited(t.visit) || !d.node.Serving() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, liveEvery)
	defer cancel()
	found, err := d.node.Live.Read(ctx, d.store, []string{t.visit})
	if err != nil {
		return // the next position will show it
	}
	owners, err := d.node.Live.Owners(ctx, d.store, []string{t.visit})
	if err != nil || owners[t.visit] != t.owner {
		return
	}
	if p, ok := decodePosition(found[t.visit]); ok {
		d.place(t.visit, p)
	}
}

// awaited reports whether a look at the visit waits for its first position.
func (d *desk) awaited(visit string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.consoles {
		if len(c.lookedAt(func(l *look) bool { return l.view.Visit == visit && !l.shown })) > 0 {
			return true
		}
	}
	return false
}

// hintLook tells the session, which tells the phone. One of this node is told at once; the others hear of it all the same:
// the visit may go on there, and this one may not have heard of that yet.
func (d *desk) hintLook(ctx context.Context, l *look, kind hintKind) {
	v := l.view
	h := hint{Kind: kind, Node: d.node.ID, Store: v.Store, Visit: v.Visit, Role: v.Role, Team: v.Team, Company: v.Company, Glass: l.emergency}
	if d.node.sessions.byVisit(v.Visit) != nil {
		d.node.heard(h)
	}
	d.node.hint(ctx, h)
}

// repeatLooks keeps the looks of all consoles alive at the sessions' nodes.
func (d *desk) repeatLooks(ctx context.Context) {
	d.mu.Lock()
	var looks []*look
	for c := range d.consoles {
		c.mu.Lock()
		for _, l := range c.looks {
			looks = append(looks, l)
		}
		c.mu.Unlock()
	}
	d.mu.Unlock()
	for _, l := range looks {
		d.hintLook(ctx, l, hintLook)
	}
}

// keepClaims keeps the claims of who looks: somebody is on their way, and has no hand free for a tablet.
func (d *desk) keepClaims() {
	boot := d.node.Clock.Boot()
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.consoles {
		for _, alert := range c.lookedAt(func(l *look) bool { return boot >= l.kept+keepEvery }) {
			if a := d.alerts[alert]; a != nil && a.State == Claimed && a.Kind != Emergency && a.Holder == c.person.Shift {
				c.keep(alert, boot)
			}
		}
	}
}

// keep keeps one claim. The commit happens elsewhere; if it comes too late, the alert is not theirs any more.
func (c *Console) keep(alert string, boot time.Duration) {
	n, store, by := c.desk.node, c.desk.store, c.person.Actor
	c.mu.Lock()
	if l := c.looks[alert]; l != nil {
		l.kept = boot
	}
	c.mu.Unlock()
	n.enders.put(func(ctx context.Context) {
		if _, err := n.Act(ctx, store, alert, Change{Action: Keep, By: by}); err != nil {
			n.Log.Debug("a claim is not kept", "error", err)
		}
	})
}

// LookAway ends a look.
func (c *Console) LookAway(alert string) { c.endLook(alert) }

func (c *Console) isLooking(alert string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.looks[alert] != nil
}

// looksOf counts what a person looks at, on however many consoles.
func (d *desk) looksOf(shift string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.looksHeld(shift)
}

// looksHeld is looksOf with mu held.
func (d *desk) looksHeld(shift string) (n int) {
	for c := range d.consoles {
		if c.person.Shift == shift {
			c.mu.Lock()
			n += len(c.looks)
			c.mu.Unlock()
		}
	}
	return n
}

// endLook stops serving at once; the journal's closing entry follows.
func (c *Console) endLook(alert string) {
	c.mu.Lock()
	l := c.looks[alert]
	delete(c.looks, alert)
	delete(c.positions, alert)
	c.mu.Unlock()
	if l != nil {
		c.close(l)
	}
}

func (c *Console) close(l *look) {
	n := c.desk.node
	at := n.Clock.Now()
	n.enders.put(func(ctx context.Context) {
		c.desk.hintLook(ctx, l, hintUnlook)
		if err := n.Ledger.CloseView(ctx, l.view.ID, at, l.count); err != nil {
			n.Log.Warn("end of a view not journalled", "error", err)
		}
	})
}

func (c *Console) endVisitLooks(visit string) {
	for _, alert := range c.lookedAt(func(l *look) bool { return l.view.Visit == visit }) {
		c.endLook(alert)
	}
}

func (c *Console) endAllLooks() {
	for _, alert := range c.lookedAt(func(*look) bool { return true }) {
		c.endLook(alert)
	}
}

func (c *Console) lookedAt(which func(*look) bool) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var alerts []string
	for id, l := range c.looks {
		if which(l) {
			alerts = append(alerts, id)
		}
	}
	return alerts
}
