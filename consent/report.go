// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// What is published is by whole months, once they are over, for the whole deployment: no store, no day, no
// hour. A figure that went up while one looked would tell that somebody has withdrawn in this very moment, and one of
// a quiet store's quiet day would tell who. What shoppers and staff did is not told below fewest; there are no
// totals either, from which it could be reckoned. What apps were refused, and what authorities asked for, is exact: it is
// about programs and about offices. Zero is told everywhere: that nobody asked is worth knowing.
const fewest = 10

// Report is the transparency report.
type Report struct {
	Until  string  `json:"until"`  // YYYY-MM-DD: what happened from this day on is in a later report
	Months []Month `json:"months"` // the newest first
}

// Month is what was counted in one.
type Month struct {
	Month       string   `json:"month"`       // YYYY-MM, UTC
	Refused     []Figure `json:"refused"`     // by app and reason
	Reads       []Figure `json:"reads"`       // by purpose
	Withdrawals []Figure `json:"withdrawals"` // by the time they took to be true everywhere; all bands
	Authority   []Figure `json:"authority"`   // requests by authorities, by what became of them
}

// Figure is one count: N, or only that it is less than Below.
type Figure struct {
	App   string `json:"app,omitempty"`
	What  string `json:"what"`
	N     *int64 `json:"n,omitempty"`
	Below int64  `json:"below,omitempty"`
}

// AuthorityAsked is what TallyAuthority counts a request under when it arrives.
const AuthorityAsked = "asked"

// Report makes the transparency report from what is written; see WriteCounts.
func (l *Ledger) Report(ctx context.Context) (Report, error) {
	now := l.now().UTC()
	until := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	list, err := l.store.Tallies(ctx, until.Format(time.DateOnly))
	if err != nil {
		return Report{}, err
	}
	return l.Registry().report(list, until), nil
}

func (r *Registry) report(list []Tally, until time.Time) Report {
	sums := map[string]map[Tally]int64{} // by month
	for _, t := range list {
		month := t.Day[:len("2006-01")]
		if sums[month] == nil {
			sums[month] = map[Tally]int64{}
		}
		sums[month][Tally{Kind: t.Kind, App: t.App, What: t.What}] += t.N
	}
	out := Report{Until: until.Format(time.DateOnly), Months: []Month{}}
	for _, month := range sortedKeys(sums) {
		out.Months = append(out.Months, r.month(month, sums[month]))
	}
	slices.Reverse(out.Months)
	return out
}

// month tells every purpose and every band, so that what is not there was not left out.
func (r *Registry) month(name string, sums map[Tally]int64) Month {
	for _, p := range r.Purposes {
		sums[Tally{Kind: TallyRead, What: p.ID}] += 0
	}
	for _, band := range WithdrawalBands {
		sums[Tally{Kind: TallyWithdrawal, What: band}] += 0
	}
	sums[Tally{Kind: TallyAuthority, What: AuthorityAsked}] += 0
	m := Month{Month: name, Refused: []Figure{}}
	for t, n := range sums {
		f := Figure{App: t.App, What: t.What, N: &n}
		switch t.Kind {
		case TallyRefused:
			m.Refused = append(m.Refused, f)
		case TallyRead:
			m.Reads = append(m.Reads, f.coarse())
		case TallyWithdrawal:
			m.Withdrawals = append(m.Withdrawals, f.coarse())
		case TallyAuthority:
			m.Authority = append(m.Authority, f)
		}
	}
	byName := func(a, b Figure) int { return cmp.Or(strings.Compare(a.App, b.App), strings.Compare(a.What, b.What)) }
	slices.SortFunc(m.Refused, byName)
	slices.SortFunc(m.Reads, byName)
	slices.SortFunc(m.Authority, byName)
	slices.SortFunc(m.Withdrawals, func(a, b Figure) int {
		return slices.Index(WithdrawalBands, a.What) - slices.Index(WithdrawalBands, b.What)
	})
	return m
}

// coarse is the figure as it is told when people are behind it.
func (f Figure) coarse() Figure {
	if *f.N > 0 && *f.N < fewest {
		f.N, f.Below = nil, fewest
	}
	return f
}
