// SPDX-License-Identifier: Apache-2.0

package server

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"doorstep/tracking/server/poll"
)

// phones are the open connections, for the sweep: in a list, since that is gone through every second.
type phones struct {
	mu   sync.Mutex
	open []*phone // each knows its place
}

func newPhones() *phones { return new(phones) }

func (ps *phones) add(p *phone) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p.place = len(ps.open)
	ps.open = append(ps.open, p)
}

// remove has the last one take the place. One that was never added, or is removed already, has none.
func (ps *phones) remove(p *phone) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p.place >= len(ps.open) || ps.open[p.place] != p {
		return
	}
	end := len(ps.open) - 1
	last := ps.open[end]
	ps.open[p.place], last.place = last, p.place
	ps.open[end] = nil
	ps.open = ps.open[:end]
}

func (ps *phones) list() []*phone {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return slices.Clone(ps.open)
}

// pollers share the phones that are watched: one judges some hundred thousand fixes a second.
type pollers struct {
	all  []poll.Poller
	next atomic.Uint32
}

func newPollers() *pollers {
	return &pollers{all: make([]poll.Poller, (runtime.GOMAXPROCS(0)+processorsEach-1)/processorsEach)}
}

const processorsEach = 4

// poller is the one that waits for the next phone.
func (s *Server) poller() *poll.Poller {
	return &s.pollers.all[s.pollers.next.Add(1)%uint32(len(s.pollers.all))]
}
