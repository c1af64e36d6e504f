// SPDX-License-Identifier: Apache-2.0

package server

import "sync"

// phones are the open connections, for the sweep.
type phones struct {
	mu   sync.Mutex
	open map[*phone]struct{}
}

func newPhones() *phones { return &phones{open: make(map[*phone]struct{})} }

func (ps *phones) add(p *phone) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.open[p] = struct{}{}
}

func (ps *phones) remove(p *phone) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.open, p)
}

func (ps *phones) list() []*phone {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	list := make([]*phone, 0, len(ps.open))
	for p := range ps.open {
		list = append(list, p)
	}
	return list
}
