// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"

	"doorstep/consent"
)

// Seen is how far a console had come that comes back: the last offset it was sent, and the epoch that offsets were counted in then.
type Seen struct {
	Offset int64
	Epoch  string
}

// missed is what a console that comes back is told instead of everything.
type missed struct {
	since, asOf int64
	alerts      map[string]Alert // changed meanwhile, those that are over among them
}

// resumedFrame is what changed while a console was away. Open are all that are open now: what else it holds is over and forgotten.
type resumedFrame struct {
	Type   string       `json:"type"`
	Since  int64        `json:"since"`
	Offset int64        `json:"offset"`
	Alerts []AlertFrame `json:"alerts"`
	Open   []string     `json:"open"`
}

// Rejoin is Join for a console that has been here before. If the feed reaches back so far, it is told what has changed since, once, and of
// everything else how it is joined live; otherwise all of it anew, as by Join.
func (n *Node) Rejoin(ctx context.Context, store string, p Person, s Screen, seen Seen) (c *Console, leave func(), err error) {
	if seen.Offset == 0 || seen.Epoch == "" {
		return n.join(ctx, store, p, s, nil)
	}
	epoch, err := n.Alerts.AlertEpoch(ctx)
	if err != nil {
		return nil, nil, err
	}
	if epoch != seen.Epoch {
		return n.join(ctx, store, p, s, nil)
	}
	list, asOf, err := n.Alerts.AlertsSince(ctx, store, seen.Offset)
	if errors.Is(err, consent.ErrBehind) {
		return n.join(ctx, store, p, s, nil)
	}
	if err != nil {
		return nil, nil, err
	}
	m := &missed{since: seen.Offset, asOf: asOf, alerts: make(map[string]Alert, len(list))}
	for _, a := range list {
		m.alerts[a.ID] = a
	}
	return n.join(ctx, store, p, s, m)
}

// resumed is a snapshot of what changed since. It is made where a snapshot is made, under the same rules. Called with mu held.
func (d *desk) resumed(c *Console, m *missed) resumedFrame {
	f := resumedFrame{Type: "resumed", Since: m.since, Offset: max(d.offset, m.asOf), Alerts: []AlertFrame{}, Open: []string{}}
	var visits []string
	var still []*shownAlert
	for id, a := range d.alerts {
		if !d.tellable(a) {
			continue
		}
		if !a.Final() {
			f.Open = append(f.Open, id)
		}
		visits = append(visits, a.Visit)
		if _, changed := m.alerts[id]; changed || a.offset > m.asOf {
			f.Alerts = append(f.Alerts, d.render(c, a))
		} else if !a.Final() {
			still = append(still, a)
		}
	}
	for id, a := range m.alerts {
		if d.alerts[id] == nil && a.Final() { // over, and gone from the desk
			f.Alerts = append(f.Alerts, a.Frame(c.person.Shift))
		}
	}
	c.paid(visits)
	t := unixMS(d.node.Clock.Now())
	for _, a := range still {
		c.put(outgoing{visit: a.Visit, frame: presenceFrame{"presence", a.ID, a.presence, t}, outlives: a.Off})
		if a.presence == presenceVisible {
			c.put(d.live(c, a))
		}
	}
	return f
}
