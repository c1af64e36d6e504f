// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"testing"
	"testing/synctest"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
)

// TestCommitsOfARequest: with all that the server does around it, a grant is two durable commits from the prompt to the
// receipt, and a withdrawal in the middle of a visit at most two.
func TestCommitsOfARequest(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		counted := func(what string, most int64, do func()) {
			h.Helper()
			before := h.store.Commits()
			do()
			synctest.Wait()
			if n := h.store.Commits() - before; n > most || n == 0 {
				h.Errorf("%s: %d commits, and %d are allowed", what, n, most)
			}
		}
		for _, shopper := range []string{"ana", "ben"} {
			a := h.install(shopper, 10*time.Minute)
			counted("grant", 2, func() {
				_, err := h.decide(a.Client, "term")
				h.ok(err)
			})
			a.session().enter()
			counted("withdrawal", 2, func() {
				_, err := a.Withdraw(h.Context(), client.Withdrawal{Scope: "store", Store: demostore.ID})
				h.ok(err)
			})
			counted("grant", 2, func() {
				_, err := h.decide(a.Client, "visit")
				h.ok(err)
			})
			counted("refusal", 2, func() {
				_, err := h.decide(a.Client, "no")
				h.ok(err)
			})
		}
	})
}
