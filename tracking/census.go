// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"doorstep/consent"
)

// census counts, by store and zone, how many people have shared in the window that is open. It is asked by
// nobody: shortly before a window closes, it goes to the ledger, which tells bands. Until then it is in memory only, as
// marks, by which nobody is counted twice, at this node or at several; each is good for one person in one zone and for as long
// as the window lasts. Who withdraws stays counted: else the count could be changed as often as somebody likes. A node that
// stops takes its marks with it.
type census struct {
	node *Node

	mu     sync.Mutex // owns the rest, and what is in it
	stores map[string]*storeCensus
	closed int64 // the beginning of the last window that this node has closed; 0 before the first look
}

// storeCensus is one window of one store. Times are Unix milliseconds.
type storeCensus struct {
	window int64
	shut   bool   // handed in: what comes now is not counted any more
	kept   bool   // and taken
	maps   string // the version by which zones were told; empty once there was a second one
	zones  map[string]zoneCensus
}

// zoneCensus is one zone of it: marks, consent.CountMost at most. More change nothing of what will be told.
type zoneCensus map[string]struct{}

// countsShut is how long before its end a window stops counting: all nodes hand in before it closes.
const countsShut = 5 * time.Second

// tallied is where a session was counted last, so that most fixes cost no lock.
type tallied struct {
	window int64
	zone   string
}

func newCensus(n *Node) *census { return &census{node: n, stores: make(map[string]*storeCensus)} }

// tally counts the session's shopper in a zone, once per window. Called with mu held.
func (s *Session) tally(zone string) {
	now := tallied{windowOf(unixMS(s.node.Clock.Now())), zone}
	if s.tallied == now || !slices.Contains(s.data, consent.ZoneCount) {
		return
	}
	s.tallied = now
	s.node.census.count(s.scope.Store, s.index.Site().Version, zone, s.subject, now.window)
}

func windowOf(ms int64) int64 { return ms - ms%consent.CountWindow.Milliseconds() }

func (c *census) count(store, version, zone string, who consent.Ref, window int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stores[store]
	if s == nil || s.window < window {
		s = &storeCensus{window: window, maps: version, zones: make(map[string]zoneCensus)}
		c.stores[store] = s
	}
	if s.shut || s.window != window {
		return
	}
	if s.maps != version {
		s.maps = ""
	}
	z := s.zones[zone]
	if z == nil {
		z = make(zoneCensus)
		s.zones[zone] = z
	}
	if len(z) < consent.CountMost {
		z[c.node.Ledger.CountMark(store, zone, time.UnixMilli(window), who)] = struct{}{}
	}
}

func (c *census) run(ctx context.Context) error {
	return everySecond(ctx, func() { c.tick(ctx, c.node.Clock.Now()) })
}

// tick hands in what is about to close, and closes what has.
func (c *census) tick(ctx context.Context, now time.Time) {
	for _, counted := range c.due(now) {
		if err := c.node.Ledger.KeepCounts(ctx, counted); err != nil {
			if ctx.Err() == nil {
				c.node.Log.Warn("zone counts not handed in; they will be told too low, unless it succeeds in time", "error", err)
			}
			continue
		}
		c.taken(counted)
	}
	before := consent.WindowOf(now).Add(-consent.CountWindow)
	if c.mustClose(before) && c.close(ctx, before) {
		c.mu.Lock()
		c.closed = unixMS(before)
		c.mu.Unlock()
	}
}

// due lists what is to be handed in, and shuts it. What could not be handed in before its window closed
// is dropped.
func (c *census) due(now time.Time) (list []consent.Counted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for store, s := range c.stores {
		end := time.UnixMilli(s.window).Add(consent.CountWindow)
		switch {
		case !now.Before(end):
			delete(c.stores, store)
		case !now.Before(end.Add(-countsShut)) && !s.kept:
			s.shut = true
			list = append(list, consent.Counted{Store: store, Map: s.maps, Window: time.UnixMilli(s.window).UTC(), Zones: s.marks()})
		}
	}
	return list
}

func (s *storeCensus) marks() map[string][]string {
	marks := make(map[string][]string, len(s.zones))
	for zone, z := range s.zones {
		marks[zone] = slices.Sorted(maps.Keys(z))
	}
	return marks
}

func (c *census) taken(counted consent.Counted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stores[counted.Store]; s != nil && s.window == unixMS(counted.Window) {
		s.kept = true
		clear(s.zones)
	}
}

// mustClose reports whether the window has closed since this node began to look, and is not closed yet. One
// that ended before is not this node's to tell of.
func (c *census) mustClose(window time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed == 0 {
		c.closed = unixMS(window)
	}
	return c.closed < unixMS(window)
}

func (c *census) close(ctx context.Context, window time.Time) bool {
	done := true
	for _, x := range c.node.Atlas.All() {
		site := x.Site()
		if err := c.node.Ledger.CloseCounts(ctx, site.ID, site.Version, window); err != nil {
			done = false
			if ctx.Err() == nil {
				c.node.Log.Warn("zone counts not published yet", "store", site.ID, "error", err)
			}
		}
	}
	return done
}
