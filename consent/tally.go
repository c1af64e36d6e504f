// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// TallyKind is what is counted for the public report (brief, 18 and 46).
type TallyKind string

// The kinds. What counts under each: the reason of a refusal, with the app that it was refused; the purpose
// of a read; how long a withdrawal took; what became of a request by an authority.
const (
	TallyRefused    TallyKind = "refused"
	TallyRead       TallyKind = "read"
	TallyWithdrawal TallyKind = "withdrawal"
	TallyAuthority  TallyKind = "authority"
)

// TallyKinds are all kinds, in the order in which they are published.
var TallyKinds = []TallyKind{TallyRefused, TallyRead, TallyWithdrawal, TallyAuthority}

// Tally is how often something happened on a day. Nothing in it is about anybody.
type Tally struct {
	Day  string // YYYY-MM-DD, UTC
	Kind TallyKind
	App  string // azp of the token; empty but for TallyRefused
	What string
	N    int64
}

// The bands of a withdrawal's time to take effect, from the request to the last of its effects.
const (
	Within100ms = "within_100_ms"
	Within1s    = "within_1_s"
	Within5s    = "within_5_s"
	Later       = "later" // it was recorded at once and took longer to be confirmed everywhere
)

// WithdrawalBands are these, the shortest first.
var WithdrawalBands = []string{Within100ms, Within1s, Within5s, Later}

// WithdrawalBand is the band of a time.
func WithdrawalBand(took time.Duration) string {
	switch {
	case took <= 100*time.Millisecond:
		return Within100ms
	case took <= time.Second:
		return Within1s
	case took <= 5*time.Second:
		return Within5s
	}
	return Later
}

// tallies are the counts that are not written yet. Counting must never wait for a disk, so a node that is
// killed loses those of the last seconds.
type tallies struct {
	mu sync.Mutex
	n  map[Tally]int64 // by all but N
}

// Bounds of what waits. An app's name is whatever its token says.
const (
	talliesMost = 4096 // different counts; what comes beyond counts under otherApp
	nameMost    = 64   // bytes of a name
	otherApp    = "(others)"
)

// Count counts one event, today. It only adds to memory; WriteCounts writes.
func (l *Ledger) Count(kind TallyKind, app, what string) {
	l.tallies.add(Tally{Day: l.now().UTC().Format(time.DateOnly), Kind: kind, App: tallyName(app), What: tallyName(what)}, 1)
}

// tallyName is a name as any database takes it: one that it refused would hold up all that is written with it.
func tallyName(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	for len(s) > nameMost {
		_, last := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-last]
	}
	return s
}

func (t *tallies) add(key Tally, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[Tally]int64{}
	}
	if _, known := t.n[key]; !known && len(t.n) >= talliesMost && key.App != "" {
		key.App = otherApp
	}
	t.n[key] += n
}

func (t *tallies) take() []Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Tally, 0, len(t.n))
	for key, n := range t.n {
		key.N = n
		list = append(list, key)
	}
	t.n = nil
	return list
}

// WriteCounts writes what was counted since the last time, in one transaction. What could not be written
// stays and is written with the next.
func (l *Ledger) WriteCounts(ctx context.Context) error {
	list := l.tallies.take()
	if len(list) == 0 {
		return nil
	}
	err := l.store.AddTallies(ctx, list)
	if err != nil {
		for _, t := range list {
			n := t.N
			t.N = 0
			l.tallies.add(t, n)
		}
	}
	return err
}
