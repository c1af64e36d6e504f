// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"sync"
	"time"
)

// maxResumes bounds the visits that hold a resume token: more than one node carries sockets for.
const maxResumes = 100_000

// Resume is what a resume token stands for: the ticket it replaces, and the one visit it continues.
// A visit names a scope and an epoch, so a token of an ended visit opens nothing even if it is good.
type Resume struct {
	Visit  string
	Ticket Ticket
}

// Resumes holds the resume tokens of this node's visits, at most one each. A token is good once,
// until the session's lease ends or its AuthUntil, whichever is earlier; issuing the next one, as
// every welcome does, ends the one before. It is safe for concurrent use.
type Resumes struct {
	now func() time.Time

	mu       sync.Mutex // guards what follows
	byToken  map[digest]*resume
	byVisit  map[string]*resume
	sweepDue time.Time
}

type resume struct {
	Resume
	key   digest
	until time.Time
}

// NewResumes returns an empty set.
func NewResumes(now func() time.Time) *Resumes {
	return &Resumes{now: now, byToken: make(map[digest]*resume), byVisit: make(map[string]*resume)}
}

// Issue returns a new token for r, good until the given end of the lease or r.Ticket.AuthUntil. The
// visit's older token is void from now on. ErrFull if there is no room, ErrExpired if the time is over.
func (s *Resumes) Issue(r Resume, lease time.Time) (string, error) {
	now := s.now()
	until := earlier(lease, r.Ticket.AuthUntil)
	if !now.Before(until) {
		return "", ErrExpired
	}
	token := newSecret()
	e := &resume{r, digestOf(token), until}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	s.drop(s.byVisit[r.Visit])
	if len(s.byVisit) >= maxResumes {
		return "", ErrFull
	}
	s.byVisit[r.Visit], s.byToken[e.key] = e, e
	return token, nil
}

// Extend moves the end of a visit's token with its lease. A visit without a token is no error; a
// token that has ended stays ended.
func (s *Resumes) Extend(visit string, lease time.Time) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.byVisit[visit]; e != nil && now.Before(e.until) {
		e.until = earlier(lease, e.Ticket.AuthUntil)
	}
}

// Redeem returns what the token stands for, once, to one of any number of concurrent callers.
// ErrExpired if its time is over, ErrUnknown if it was used, replaced, dropped or never issued
// here. To a client both mean: get a ticket (close code 4006).
func (s *Resumes) Redeem(token string) (Resume, error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byToken[digestOf(token)]
	if e == nil {
		return Resume{}, ErrUnknown
	}
	s.drop(e)
	if !now.Before(e.until) {
		return Resume{}, ErrExpired
	}
	return e.Resume, nil
}

// Drop voids the visit's token: called when the visit ends, for whatever reason.
func (s *Resumes) Drop(visit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(s.byVisit[visit])
}

func (s *Resumes) drop(e *resume) {
	if e == nil {
		return
	}
	delete(s.byToken, e.key)
	if s.byVisit[e.Visit] == e {
		delete(s.byVisit, e.Visit)
	}
}

// sweep forgets what has ended, at most every ten seconds.
func (s *Resumes) sweep(now time.Time) {
	if now.Before(s.sweepDue) {
		return
	}
	s.sweepDue = now.Add(10 * time.Second)
	for _, e := range s.byVisit {
		if !now.Before(e.until) {
			s.drop(e)
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
