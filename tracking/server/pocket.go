// SPDX-License-Identifier: Apache-2.0

package server

import (
	"fmt"

	"doorstep/consent"
	"doorstep/tracking/server/problem"
	"doorstep/tracking/wire"
)

// onScreen reports whether a fix may be taken from an app in this state: one that is looked at, or one in a
// pocket whose shopper decided for that, for so long since it was last looked at (brief, 20).
func (p *phone) onScreen(state wire.AppState) bool {
	if state == wire.Foreground {
		p.session.OnScreen()
		return true
	}
	return state == wire.Pocket && p.session.OffScreen() < p.srv.Ledger.Registry().Pocket(p.session.Purposes()...)
}

// pocketLast puts the purposes in the order in which a session uses them: what it is for, then what only lets
// it go on in a pocket. Without the former there is nothing to open.
func pocketLast(r *consent.Registry, purposes []string) ([]string, error) {
	var first, last []string
	for _, id := range purposes {
		if r.Pocket(id) == 0 {
			first = append(first, id)
		} else {
			last = append(last, id)
		}
	}
	if len(first) == 0 && len(last) > 0 {
		return nil, problem.New(problem.Request).WithDetail(fmt.Sprintf("purposes: %s opens no session by itself: name what the session is for as well", last[0]))
	}
	return append(first, last...), nil
}
