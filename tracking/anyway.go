// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"

	"doorstep/consent"
)

// StopAnyway ends the sessions of somebody who said stop in words that nothing can be made of: of a phone or, where that is
// empty, of all phones of a subject, on every node. What was granted stays, because nobody can tell what was meant to end. But
// that stop was said is certain, and to track on until an app has learned to spell would be to take its mistake for the
// shopper's will.
//
// An error is End's: other nodes may hear of it late. What this one has of the subject is closed even then.
func (n *Node) StopAnyway(ctx context.Context, subject, installation consent.Ref) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	visits, err := n.Ledger.OpenVisits(ctx, subject, installation)
	for _, v := range visits {
		_, failed := n.End(ctx, consent.EndRequest{ID: endID(v.Visit), Kind: consent.EndSession, Scope: v.Scope, Visit: v.Visit, Reason: consent.Bye})
		err = errors.Join(err, failed)
	}
	if err != nil {
		n.doubt(consent.EndRequest{Kind: consent.EndAll, Subject: subject})
	}
	return err
}
