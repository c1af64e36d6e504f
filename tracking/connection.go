// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"time"

	"doorstep/consent"
	"doorstep/geofence"
)

// Phone is one connection to an app. Its methods return at once and may be called from any
// goroutine; what cannot be sent in time costs the connection, never the caller.
type Phone interface {
	State(StateChange)
	Seen(by Looker, since time.Time)
	Unseen()
	HelpUpdate(id, state string)
	// Call says that a desk is ready; it is named as the map names it.
	Call(id, desk string, until time.Time)
	// Map asks the app to change over to another map of the store, in time.
	Map(x *geofence.Index, by time.Time)
	// Close sends the final state and closes with the code that goes with its reason.
	Close(StateChange)
}

// StateChange is what the app is told about its session.
type StateChange struct {
	State        string // entering, active, suspended, ended
	Reason       consent.Reason
	LastAccepted int64 // Unix milliseconds; 0 if none
}

// The states an app sees.
const (
	StateEntering  = "entering"
	StateActive    = "active"
	StateSuspended = "suspended"
	StateEnded     = "ended"
)

// Reasons for letting go of a connection without ending the visit.
const (
	closeShutdown    consent.Reason = "shutting_down"
	closeUnavailable consent.Reason = "unavailable"
	closeTicket      consent.Reason = "ticket" // grants were re-stamped: come back with a new ticket
)

// tell sends a state to the phone, if there is one. Called with mu held.
func (s *Session) tell(state string, reason consent.Reason) {
	if s.phone != nil {
		s.phone.State(StateChange{State: state, Reason: reason, LastAccepted: s.lastAccepted})
	}
}

// Attach gives the session a new connection (a resume). It fails if the session is over.
func (s *Session) Attach(p Phone) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() {
		return ErrOver
	}
	if s.phone != nil {
		s.phone.Close(StateChange{State: StateSuspended, Reason: consent.Replaced})
	}
	s.phone = p
	s.looking = 0 // it is told by the next repetition
	s.repeatAnswers()
	s.node.Stats.Resumed.Add(1)
	return nil
}

// Detach tells the session that its connection is gone without a goodbye. The lease runs on.
func (s *Session) Detach(p Phone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phone == p {
		s.phone = nil
		s.looking = 0
	}
}

// letGo closes the connection without ending the visit: the app may resume within the lease.
func (s *Session) letGo(why consent.Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangUp(why)
}

// hangUp is letGo with mu held.
func (s *Session) hangUp(why consent.Reason) {
	s.shut(StateChange{State: StateSuspended, Reason: why, LastAccepted: s.lastAccepted})
}

// Standing is where the session stands, for a welcome: its state, the number of the last accepted
// fix, and when it ends without another (Unix milliseconds).
func (s *Session) Standing() (state string, lastSeq, leaseUntil int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.presence.State {
	case geofence.Inside:
		state = StateActive
	case geofence.Suspended:
		state = StateSuspended
	case geofence.Ended:
		state = StateEnded
	default:
		state = StateEntering
	}
	return state, s.seq, s.leaseUntil()
}
