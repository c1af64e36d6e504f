// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"slices"
	"strings"
	"sync"
	"time"

	"doorstep/geofence"
	"doorstep/tracking/cards"
	"doorstep/tracking/rulebook"
)

// Atlas holds the stores that a node serves: each one's map, and whether it is open. It is safe for
// concurrent use; an index is immutable, so whoever holds one may go on using it.
type Atlas struct {
	mu     sync.RWMutex
	stores map[string]*storeEntry
}

type storeEntry struct {
	index  *geofence.Index // nil: no map, so nobody can be inside
	given  bool            // the map is a setting of this server, which the ledger's never replaces
	hours  geofence.Hours
	closed bool
	book   *rulebook.Book // rules about alerts; nil for none
	deck   *cards.Deck    // cards about zones; nil if none are set
	barred error          // why it must not track anybody, as things are
	kept   string         // the version under which the ledger keeps index: reckoned by whoever saved it
}

// open reports whether people may be tracked there at a moment.
func (e *storeEntry) open(at time.Time) bool {
	return e.index != nil && !e.closed && e.barred == nil && e.hours.Open(at)
}

// NewAtlas holds the given stores, whose maps are settings of this server.
func NewAtlas(indexes ...*geofence.Index) *Atlas {
	a := &Atlas{stores: make(map[string]*storeEntry)}
	for _, x := range indexes {
		a.stores[x.Site().ID] = &storeEntry{index: x, given: true}
	}
	return a
}

// Index returns a store's map, open or not.
func (a *Atlas) Index(store string) (*geofence.Index, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if e := a.stores[store]; e != nil && e.index != nil {
		return e.index, true
	}
	return nil, false
}

// Given reports whether a store's map is a setting of this server.
func (a *Atlas) Given(store string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	e := a.stores[store]
	return e != nil && e.given
}

// Open reports whether people may be tracked in a store at a moment: it has a map, its hours say so,
// and nobody has closed it.
func (a *Atlas) Open(store string, at time.Time) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	e := a.stores[store]
	return e != nil && e.open(at)
}

// Hours are when a store is open, and whether somebody has closed it all the same.
func (a *Atlas) Hours(store string) (hours geofence.Hours, closed bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if e := a.stores[store]; e != nil {
		return e.hours, e.closed
	}
	return geofence.Hours{}, false
}

// Book are a store's own rules about alerts; nil for none.
func (a *Atlas) Book(store string) *rulebook.Book {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if e := a.stores[store]; e != nil {
		return e.book
	}
	return nil
}

// Cards are what is set to be told of a store's zones; nil if nothing is.
func (a *Atlas) Cards(store string) *cards.Deck {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if e := a.stores[store]; e != nil {
		return e.deck
	}
	return nil
}

// books are the rules of all stores that have some.
func (a *Atlas) books() map[string]*rulebook.Book {
	a.mu.RLock()
	defer a.mu.RUnlock()
	books := make(map[string]*rulebook.Book)
	for id, e := range a.stores {
		if e.book != nil {
			books[id] = e.book
		}
	}
	return books
}

// Barred is why a store must not track anybody; nil if it may.
func (a *Atlas) Barred(store string) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if e := a.stores[store]; e != nil {
		return e.barred
	}
	return nil
}

// All returns every index, by store id.
func (a *Atlas) All() []*geofence.Index {
	a.mu.RLock()
	defer a.mu.RUnlock()
	all := make([]*geofence.Index, 0, len(a.stores))
	for _, e := range a.stores {
		if e.index != nil {
			all = append(all, e.index)
		}
	}
	slices.SortFunc(all, func(a, b *geofence.Index) int { return strings.Compare(a.Site().ID, b.Site().ID) })
	return all
}

// kept is the version under which the ledger keeps a store's map; given, that it does not say.
func (a *Atlas) kept(store string) (version string, given bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if e := a.stores[store]; e != nil {
		return e.kept, e.given
	}
	return "", false
}

// openStores tells which of the atlas's stores are open at a moment.
func (a *Atlas) openStores(at time.Time) map[string]bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	open := make(map[string]bool, len(a.stores))
	for id, e := range a.stores {
		open[id] = e.open(at)
	}
	return open
}

// set changes one store's entry under the lock.
func (a *Atlas) set(store string, f func(*storeEntry)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.stores[store]
	if e == nil {
		e = &storeEntry{}
		a.stores[store] = e
	}
	f(e)
}

// keep forgets what the ledger has said of the stores that it no longer names.
func (a *Atlas) keep(named map[string]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, e := range a.stores {
		if named[id] {
			continue
		}
		if e.hours, e.closed, e.book, e.deck = (geofence.Hours{}), false, nil, nil; !e.given {
			delete(a.stores, id)
		}
	}
}
