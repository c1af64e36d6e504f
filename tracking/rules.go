// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"time"
)

// rulesLoop takes up what is published about the rules. Like stores, it is no part of a poll: what is decided
// under rules that were replaced is refused by the ledger itself, and nothing waits for this.
func (n *Node) rulesLoop(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-n.rulesChanged:
		}
		if n.Reread == nil {
			continue
		}
		if err := n.Reread(ctx); err != nil && ctx.Err() == nil {
			n.Log.Error("what was published could not be taken up; no decision is taken until it is, and it is tried again", "error", err)
			time.AfterFunc(PollEvery, n.rereadRules)
		}
	}
}

func (n *Node) rereadRules() {
	select {
	case n.rulesChanged <- struct{}{}:
	default: // it is to be read again already
	}
}
