// SPDX-License-Identifier: Apache-2.0

package server

import (
	"runtime"
	"sync"
	"sync/atomic"

	"doorstep/tracking/server/poll"
)

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
