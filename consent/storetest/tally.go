// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
)

var tallyCases = map[string]func(*testing.T, *house){
	"counts add up over days and nodes, and only whole months are told": func(_ *testing.T, h *house) {
		other := consent.New(h.store, h.keys, consent.DevelopmentRegistry(), h.clock.now)
		for range 7 {
			h.ledger.Count(consent.TallyRefused, "app", "undeclared")
			other.Count(consent.TallyWithdrawal, "", consent.Within100ms)
		}
		h.ok(h.ledger.WriteCounts(h.ctx))
		h.ok(h.ledger.WriteCounts(h.ctx))
		h.clock.pass(24 * time.Hour)
		for range 5 {
			other.Count(consent.TallyRefused, "app", "undeclared")
			other.Count(consent.TallyWithdrawal, "", consent.Within100ms)
			other.Count(consent.TallyWithdrawal, "", consent.Later)
		}
		other.Count(consent.TallyAuthority, "", consent.AuthorityAsked)
		h.ok(other.WriteCounts(h.ctx))
		h.equal("told in the same month", len(must(h.ledger.Report(h.ctx))(h).Months), 0)
		h.clock.pass(31 * 24 * time.Hour)
		h.ledger.Count(consent.TallyRefused, "app", "outside")
		h.ok(h.ledger.WriteCounts(h.ctx))
		r := must(other.Report(h.ctx))(h)
		h.equal("until", r.Until, "2026-04-01")
		h.equal("months", len(r.Months), 1)
		m, n := r.Months[0], func(n int64) *int64 { return &n }
		h.equal("month", m.Month, "2026-03")
		h.same([]consent.Figure{{App: "app", What: "undeclared", N: n(12)}}, m.Refused)
		h.same([]consent.Figure{{What: "assist", N: n(0)}, {What: "pickup", N: n(0)}, {What: "pocket", N: n(0)}}, m.Reads)
		h.same([]consent.Figure{{What: consent.Within100ms, N: n(12)}, {What: consent.Within1s, N: n(0)}, {What: consent.Within5s, N: n(0)},
			{What: consent.Later, Below: 10}}, m.Withdrawals)
		h.same([]consent.Figure{{What: consent.AuthorityAsked, N: n(1)}}, m.Authority)
	},
	"counts that could not be written are written later": func(_ *testing.T, h *house) {
		ctx, cancel := context.WithCancel(h.ctx)
		cancel()
		h.ledger.Count(consent.TallyRefused, "app", "undeclared")
		h.wants(h.ledger.WriteCounts(ctx), consent.ErrUnavailable)
		h.ledger.Count(consent.TallyRefused, "app", "undeclared")
		h.ok(h.ledger.WriteCounts(h.ctx))
		list := must(h.store.Tallies(h.ctx, "9999"))(h)
		h.same([]consent.Tally{{Day: "2026-03-01", Kind: consent.TallyRefused, App: "app", What: "undeclared", N: 2}}, list)
	},
	"what two nodes count of one thing on one day is added": func(_ *testing.T, h *house) {
		for range 3 {
			h.ledger.Count(consent.TallyRead, "", "assist")
			h.ledger.Count(consent.TallyRead, "", "assist")
			h.ok(h.ledger.WriteCounts(h.ctx))
		}
		h.same([]consent.Tally{{Day: "2026-03-01", Kind: consent.TallyRead, What: "assist", N: 6}}, must(h.store.Tallies(h.ctx, "9999"))(h))
	},
	"an app is counted whatever its name, and holds up no other": func(_ *testing.T, h *house) {
		for _, app := range []string{strings.Repeat("商", 30), strings.Repeat("a", 62) + "商", "\xff\xfea", "a\x00", "b"} {
			h.ledger.Count(consent.TallyRefused, app, "undeclared")
		}
		h.ok(h.ledger.WriteCounts(h.ctx))
		var got []string
		for _, t := range must(h.store.Tallies(h.ctx, "9999"))(h) {
			got = append(got, fmt.Sprint(t.App, " ", t.N))
		}
		slices.Sort(got)
		h.same([]string{"a 2", strings.Repeat("a", 62) + " 1", "b 1", strings.Repeat("商", 21) + " 1"}, got)
	},
	"an app is kept out for its time, or until it is let in": func(_ *testing.T, h *house) {
		h.ok(h.ledger.Suspend(h.ctx, "app", time.Hour))
		since := h.clock.now()
		h.clock.pass(time.Minute)
		h.ok(h.ledger.Suspend(h.ctx, "app", 9*time.Hour)) // it is out already
		h.same([]consent.Suspension{{App: "app", Since: since, Until: since.Add(time.Hour)}}, must(h.ledger.Suspensions(h.ctx))(h))
		h.equal("feed", len(h.feed(0)), 1)
		h.wants(h.ledger.Lift(h.ctx, "other", "ana"), consent.ErrNotSuspended)
		h.ok(h.ledger.Lift(h.ctx, "app", "ana"))
		h.wants(h.ledger.Lift(h.ctx, "app", "ana"), consent.ErrNotSuspended)
		h.same([]consent.Suspension{{App: "app", Since: since, LiftedBy: "ana"}}, must(h.ledger.Suspensions(h.ctx))(h))
		h.equal("feed", len(h.feed(0)), 2)
		h.ok(h.ledger.Suspend(h.ctx, "app", time.Hour))
		h.equal("out again", must(h.ledger.Suspensions(h.ctx))(h)[0].LiftedBy, "")
		h.clock.pass(2 * time.Hour)
		h.wants(h.ledger.Lift(h.ctx, "app", "ana"), consent.ErrNotSuspended)
	},
}
