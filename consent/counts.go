// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// How many of those sharing were in a zone is told as one of three bands, for windows and zones that are
// fixed, once a window has closed and never again differently (brief, 42). DESIGN.md says what can be
// learned from that.
const (
	CountWindow = 15 * time.Minute    // aligned to the hour, UTC
	CountMost   = 25                  // nothing above this is told apart, anywhere
	CountsLife  = 28 * 24 * time.Hour // of closed windows
)

// The data types that are made of positions, as a purpose declares them: that staff see the zone of an alert, and that
// who shares is counted.
const (
	ZoneData  = "zone"
	ZoneCount = "zone_count"
)

// Band is how many.
type Band string

// The bands: 0 to 9, 10 to 24, and 25 or more.
const (
	Few  Band = "few"
	Some Band = "some"
	Many Band = "many"
)

// BandOf is the band of a number.
func BandOf(n int) Band {
	switch {
	case n < 10:
		return Few
	case n < CountMost:
		return Some
	}
	return Many
}

// WindowOf is the beginning of the window that a time lies in.
func WindowOf(t time.Time) time.Time { return t.UTC().Truncate(CountWindow) }

// Counted is what one node has counted in a window that is about to close.
type Counted struct {
	Store  string
	Map    string              // version of the map whose zones these are; empty if it was replaced meanwhile
	Window time.Time           // its beginning
	Zones  map[string][]string // by zone the marks of people, CountMost at most; see Ledger.CountMark
}

// CountedWindow is a closed window of a store.
type CountedWindow struct {
	Store  string
	Window time.Time
	Map    string          // version of the map whose zones these are; empty: the window is withheld
	Zones  map[string]Band // those that are not Few
}

// In lists the zones in a band other than Few, in order.
func (w CountedWindow) In(b Band) []string {
	list := []string{}
	for zone, band := range w.Zones {
		if band == b {
			list = append(list, zone)
		}
	}
	slices.Sort(list)
	return list
}

// Declares reports whether a purpose uses a data type: what it does not declare is not made of its shoppers' positions.
func (l *Ledger) Declares(purpose, dataType string) bool {
	p, ok := l.Registry().Purpose(purpose)
	return ok && slices.Contains(p.Data, dataType)
}

// CountMark is by what somebody is not counted twice in one zone and window, at whichever nodes: the same everywhere,
// and another one in any other zone or window.
func (l *Ledger) CountMark(store, zone string, window time.Time, who Ref) string {
	return l.Keys().countMark(store, zone, window, who)
}

// KeepCounts takes whom a node has counted, until the window closes. Nobody is added twice, whoever hands them in.
// What comes once the window is over is dropped.
func (l *Ledger) KeepCounts(ctx context.Context, c Counted) error {
	if c.Store == "" || !c.Window.Equal(WindowOf(c.Window)) {
		return fmt.Errorf("%w: counts need a store and a window's beginning", ErrRequest)
	}
	if !l.now().Before(c.Window.Add(CountWindow)) {
		return nil
	}
	return l.store.KeepCounts(ctx, c)
}

// CloseCounts turns what was counted in a window that is over into bands, and forgets the numbers, in one
// transaction. The first to do so decides; it changes nothing afterwards. The window is withheld if anything
// was counted by another map than this version's.
func (l *Ledger) CloseCounts(ctx context.Context, store, version string, window time.Time) error {
	if l.now().Before(window.Add(CountWindow)) {
		return fmt.Errorf("%w: the window is still open", ErrRequest)
	}
	return l.store.CloseCounts(ctx, store, version, window)
}

// Counts lists the closed windows of a store that began at since or later, oldest first.
func (l *Ledger) Counts(ctx context.Context, store string, since time.Time) ([]CountedWindow, error) {
	return l.store.Counts(ctx, store, since)
}
