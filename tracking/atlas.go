// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"slices"
	"strings"
	"sync"

	"doorstep/geofence"
)

// Atlas holds the stores that a node serves, each with its index. It is safe for concurrent use;
// an index is immutable, so whoever holds one may go on using it.
type Atlas struct {
	mu     sync.RWMutex
	stores map[string]*geofence.Index
}

// NewAtlas holds the given stores.
func NewAtlas(indexes ...*geofence.Index) *Atlas {
	a := &Atlas{stores: make(map[string]*geofence.Index)}
	for _, x := range indexes {
		a.Put(x)
	}
	return a
}

// Put adds a store, or replaces its map for the sessions that open from now on.
func (a *Atlas) Put(x *geofence.Index) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stores[x.Site().ID] = x
}

// Index returns a store's index.
func (a *Atlas) Index(store string) (*geofence.Index, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	x, ok := a.stores[store]
	return x, ok
}

// All returns every index, by store id.
func (a *Atlas) All() []*geofence.Index {
	a.mu.RLock()
	defer a.mu.RUnlock()
	all := make([]*geofence.Index, 0, len(a.stores))
	for _, x := range a.stores {
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b *geofence.Index) int { return strings.Compare(a.Site().ID, b.Site().ID) })
	return all
}
