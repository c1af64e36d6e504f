// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"slices"

	"doorstep/consent"
)

// A phone that comes back to another node goes on with its visit there, while this one may still hold a session of it: its
// socket is half open, or has gone without a word. Whoever registered last owns the visit. The session that stayed behind hears
// of it by a hint; and since hints get lost, nothing that time alone would end is ended before the live state was asked
// whose it is. Left alone, it would fall silent and take the visit with it, wherever the shopper is.

// sayMoved tells the other nodes that the session's visit is this node's now.
func (n *Node) sayMoved(s *Session) {
	n.announcer.say(hint{Kind: hintMoved, Node: n.ID, Store: s.scope.Store, Visit: s.visit})
}

// letMove lets go of a session whose visit goes on elsewhere.
func (n *Node) letMove(ctx context.Context, s *Session) {
	if len(n.ours(ctx, s.scope.Store, []departure{{session: s}})) == 0 {
		s.letGo(consent.Replaced)
	}
}

// departure is a session that time has ended, and the end that its visit is to have if it is still this session's.
type departure struct {
	session *Session
	end     consent.EndRequest
}

// departures are those of one sweep, by store.
type departures map[string][]departure

// settle ends the visits of sessions that time has ended, without those that go on elsewhere. All stores are asked at the same
// time: a store that closes ends thousands at once, and the live state may hang.
func (n *Node) settle(left departures) {
	for store, list := range left {
		n.enders.apart(func(ctx context.Context) {
			var slots []Slot
			ours := n.ours(ctx, store, list)
			for _, d := range ours {
				slots = append(slots, Slot{store, d.session.visit})
			}
			purged := n.purger.soon(slots)
			for _, d := range ours {
				n.enders.add(purged, d.end)
			}
		})
	}
}

// ours leaves out those whose visit somebody else is known to own. If that cannot be found out, nobody does: a visit ends
// rather than go on without anybody who answers for it.
func (n *Node) ours(ctx context.Context, store string, list []departure) []departure {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), WriteDeadline)
	defer cancel()
	visits := make([]string, len(list))
	for i, d := range list {
		visits[i] = d.session.visit
	}
	owners, err := n.Live.Owners(ctx, store, visits)
	if err != nil {
		return list
	}
	return slices.DeleteFunc(list, func(d departure) bool {
		owner, owned := owners[d.session.visit]
		return owned && owner != d.session.owner
	})
}
