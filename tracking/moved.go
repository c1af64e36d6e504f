// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"

	"doorstep/consent"
)

// A phone that comes back to another node goes on with its visit there, while this one may still hold a session of it: its
// socket is half open, or has gone without a word. Whoever registered last owns the visit. The session that stayed behind hears
// of it by a hint; and since hints get lost, nothing that time alone would end is ended before the live state was asked
// whose it is. Left alone, it would fall silent and take the visit with it, wherever the shopper is.

// sayMoved tells the other nodes that the session's visit is this node's now.
func (n *Node) sayMoved(s *Session) {
	h := hint{Kind: hintMoved, Node: n.ID, Store: s.scope.Store, Visit: s.visit}
	n.enders.put(func(ctx context.Context) { n.hint(ctx, h) })
}

// letMove lets go of a session whose visit goes on elsewhere.
func (n *Node) letMove(ctx context.Context, s *Session) {
	if n.hasMoved(ctx, s) {
		s.letGo(consent.Replaced)
	}
}

// hasMoved reports whether somebody else is known to own the session's visit. If that cannot be found out, nobody is: the
// visit ends rather than go on without anybody who answers for it.
func (n *Node) hasMoved(ctx context.Context, s *Session) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), WriteDeadline)
	defer cancel()
	owners, err := n.Live.Owners(ctx, s.scope.Store, []string{s.visit})
	owner, owned := owners[s.visit]
	return err == nil && owned && owner != s.owner
}
