// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"encoding/json"
	"time"
)

// A hint only makes things faster. It arrives at most once, perhaps never, and carries ids and
// states; whoever acts on one asks the ledger or waits for it to be repeated.
type hint struct {
	Kind     hintKind `json:"k"`
	Node     string   `json:"n,omitempty"`
	Change   int64    `json:"c,omitempty"`
	Consoles int      `json:"o,omitempty"`
	Store    string   `json:"s,omitempty"`
	Visit    string   `json:"v,omitempty"`
	Team     string   `json:"t,omitempty"`
	Role     string   `json:"r,omitempty"`
	Company  string   `json:"p,omitempty"`
	Glass    bool     `json:"g,omitempty"`
	Owner    []byte   `json:"w,omitempty"` // of a seen: whose phone was told
	T        int64    `json:"m,omitempty"` // of a hidden: the last accepted fix, Unix milliseconds by the phone's clock
}

type hintKind string

const (
	hintNudge  hintKind = "nudge"  // something was committed: poll now
	hintAck    hintKind = "ack"    // a node has applied everything up to Change
	hintHidden hintKind = "hidden" // the visit is suspended
	hintShown  hintKind = "shown"  // it is visible (again)
	hintLook   hintKind = "look"   // somebody is looking at the visit; repeated while they do
	hintUnlook hintKind = "unlook"
	hintSeen   hintKind = "seen"  // the phone has been told of a look: a position may be shown
	hintMoved  hintKind = "moved" // the visit goes on at the hint's node
)

const nudgeChannel = "nudge"

// hint sends one, best effort.
func (n *Node) hint(ctx context.Context, h hint) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 200*time.Millisecond)
	defer cancel()
	b, err := json.Marshal(h)
	if err != nil {
		return
	}
	if err := n.Live.Publish(ctx, nudgeChannel, b); err != nil {
		n.Log.Debug("hint not sent", "kind", h.Kind, "error", err)
	}
}

// listen takes in the hints of the other nodes. Its own it knows, and has acted on in order.
func (n *Node) listen(ctx context.Context) error {
	return n.subscribe(ctx, func(m Message) {
		var h hint
		if json.Unmarshal(m.Payload, &h) == nil && h.Node != n.ID {
			n.heard(h)
		}
	}, nudgeChannel)
}

func (n *Node) heard(h hint) {
	switch h.Kind {
	case hintNudge:
		n.nudged()
	case hintAck:
		n.acks.heard(h.Node, h.Change, h.Consoles)
	case hintHidden, hintShown:
		n.desks.presence(h.Store, h.Visit, h.Kind == hintShown, h.T)
	case hintLook, hintUnlook:
		if s := n.sessions.byVisit(h.Visit); s != nil && s.looked(h.Kind == hintLook, Looker{h.Role, h.Team, h.Company, h.Glass}) {
			n.saySeen(h, s.owner)
		}
	case hintSeen:
		n.desks.seen(h.Store, told{h.Visit, string(h.Owner)})
	case hintMoved:
		if s := n.sessions.byVisit(h.Visit); s != nil {
			n.enders.put(func(ctx context.Context) { n.letMove(ctx, s) })
		}
	}
}

// saySeen answers a look, once the phone of the owner's session knows of it.
func (n *Node) saySeen(look hint, owner string) {
	n.desks.seen(look.Store, told{look.Visit, owner})
	if look.Node != n.ID {
		n.announcer.say(hint{Kind: hintSeen, Node: n.ID, Store: look.Store, Visit: look.Visit, Owner: []byte(owner)})
	}
}

// subscribe keeps a subscription for as long as ctx lasts.
func (n *Node) subscribe(ctx context.Context, f func(Message), channels ...string) error {
	for {
		err := n.Live.Subscribe(ctx, f, channels...)
		if err == nil {
			<-ctx.Done()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n.Log.Warn("live channel not there; hints are late until it is", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(PollEvery):
		}
	}
}
