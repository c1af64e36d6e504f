// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"iter"
	"sync"
	"time"

	"doorstep/consent"
)

// sessions are those that this node owns, by scope and by visit. Its lock is taken for look-ups
// only, never while a session's own lock is wanted.
type sessions struct {
	mu     sync.RWMutex
	scopes map[consent.Scope]*Session
	visits map[string]*Session
}

func newSessions() *sessions {
	return &sessions{
		scopes: make(map[consent.Scope]*Session),
		visits: make(map[string]*Session),
	}
}

func (r *sessions) byVisit(visit string) *Session {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.visits[visit]
}

func (r *sessions) byScope(s consent.Scope) *Session {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.scopes[s]
}

// place registers s for its scope before its visit is known, so that an end that is applied from
// now on finds it. It returns the session that was there.
func (r *sessions) place(s *Session) (before *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before = r.scopes[s.scope]
	r.scopes[s.scope] = s
	return before
}

func (r *sessions) name(s *Session, visit string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.visits[visit] = s
}

// remove forgets s, unless a newer session has taken its place.
func (r *sessions) remove(s *Session, visit string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.scopes[s.scope] == s {
		delete(r.scopes, s.scope)
	}
	if visit != "" && r.visits[visit] == s {
		delete(r.visits, visit)
	}
}

func (r *sessions) count() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.visits)
}

// all yields a snapshot.
func (r *sessions) all() iter.Seq[*Session] {
	r.mu.RLock()
	list := make([]*Session, 0, len(r.scopes))
	for _, s := range r.scopes {
		list = append(list, s)
	}
	r.mu.RUnlock()
	return func(yield func(*Session) bool) {
		for _, s := range list {
			if !yield(s) {
				return
			}
		}
	}
}

// endedVisits remembers what is over, for longer than anything about it could still arrive.
type endedVisits struct {
	mu     sync.RWMutex
	visits map[string]*endedVisit
}

// endedVisit is one end as it was carried out on this node.
type endedVisit struct {
	until    time.Duration // boot time until which it is remembered
	done     chan struct{} // closed once no console can be sent another byte about it
	consoles int           // set before done is closed
}

const rememberEnded = 2 * FenceLife

func newEndedVisits() *endedVisits {
	return &endedVisits{visits: make(map[string]*endedVisit)}
}

// add reports whether the visit was not known to be over before: then it is the caller who carries
// the end out and closes done.
func (e *endedVisits) add(visit string, now time.Duration) (v *endedVisit, fresh bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if v = e.visits[visit]; v != nil {
		return v, false
	}
	v = &endedVisit{until: now + rememberEnded, done: make(chan struct{})}
	e.visits[visit] = v
	return v, true
}

func (e *endedVisits) has(visit string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, ok := e.visits[visit]
	return ok
}

// allSince reports whether all of these were carried out here, at the given boot time or before.
func (e *endedVisits) allSince(ends []consent.End, at time.Duration) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, end := range ends {
		if v := e.visits[end.Visit]; v == nil || v.until-rememberEnded > at {
			return false
		}
	}
	return true
}

func (e *endedVisits) forget(now time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, v := range e.visits {
		if now > v.until {
			delete(e.visits, id)
		}
	}
}
