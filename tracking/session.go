// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/geofence"
)

// Phone is one connection to an app. Its methods return at once and may be called from any
// goroutine; what cannot be sent in time costs the connection, never the caller.
type Phone interface {
	State(StateChange)
	Seen(role, team string, since time.Time)
	Unseen()
	HelpUpdate(id, state string)
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

// Session is one visit, as the node that owns its connection sees it. Everything below mu belongs
// to mu; the rest is set before the session can be found and never changes, except visit, epoch
// and admitted, which Open sets before opened is closed.
type Session struct {
	node     *Node
	scope    consent.Scope
	subject  consent.Ref
	purposes []string
	owner    string // random: who may write this visit's position
	opened   chan struct{}

	visit string
	epoch int64

	over  atomic.Bool // set under mu, read by the writer
	shown atomic.Bool // visible to staff; set under mu, read by the desk

	mu           sync.Mutex
	phone        Phone // nil while the app is away
	presence     geofence.Presence
	index        *geofence.Index // the map that judges
	next         *geofence.Index // the one that is to: nil, or another than index
	switchAfter  int64           // next judges what has a higher number
	confirmBy    time.Duration   // boot time by which the app must have confirmed a map; 0 for none
	openedAt     int64           // Unix milliseconds; 0 while opening
	renewed      time.Duration   // boot time of the last accepted fix, or of the opening
	endedAtEpoch int64           // an end that was applied while opening
	seq          int64           // of the last position handed to the writer
	lastAccepted int64
	looking      time.Duration // boot time until which a look counts; 0 for none
	lookedSince  time.Time
	checkins     []Alert // asked for before the visit was inside
}

// FixResult is what became of one fix.
type FixResult struct {
	Accepted   bool
	Refused    geofence.Refusal
	LeaseUntil int64 // Unix milliseconds
	Changed    bool  // the state changed with it
	Over       bool  // the session has ended: nothing more is taken
}

// Visit is the session's pseudonym: all that is told of it.
func (s *Session) Visit() string { return s.visit }

// Purposes are those the session was opened for.
func (s *Session) Purposes() []string { return s.purposes }

// Fix judges one fix and, if it is accepted, hands it to the writer. Nothing about a fix that is
// not accepted is kept.
func (s *Session) Fix(f geofence.Fix) FixResult {
	n := s.node
	n.Stats.Fixes.Add(1)
	now := unixMS(n.Clock.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() {
		return FixResult{Over: true}
	}
	if !n.serving.Load() {
		return FixResult{Refused: RefusedUnavailable, LeaseUntil: s.leaseUntil()}
	}
	s.changeOver(f.Seq)
	at := s.index.Locate(f.At, f.Level, f.HasLevel)
	var o geofence.Outcome
	s.presence, o = n.Rules.Step(s.presence, f, at, now)
	switch {
	case o.Accepted:
		n.Stats.Accepted.Add(1)
		s.lastAccepted = f.T
		s.renewed = time.Duration(n.boot.Load())
		s.keep(f, at)
	case o.Refused != "":
		n.Stats.Refused.Add(1)
	}
	changed := s.follow(&o)
	return FixResult{Accepted: o.Accepted, Refused: o.Refused, LeaseUntil: s.leaseUntil(),
		Changed: changed, Over: s.over.Load()}
}

// RefusedUnavailable is the refusal of a node that cannot confirm consent at the moment.
const RefusedUnavailable geofence.Refusal = "unavailable"

// Outside takes the phone's word that it is outside. It never renews anything.
func (s *Session) Outside(where string, seq int64) FixResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() {
		return FixResult{Over: true}
	}
	var o geofence.Outcome
	s.presence, o = s.node.Rules.PhoneOutside(s.presence, where, seq, unixMS(s.node.Clock.Now()))
	changed := s.follow(&o)
	return FixResult{LeaseUntil: s.leaseUntil(), Changed: changed, Over: s.over.Load()}
}

// keep hands an accepted position to the writer. Called with mu held.
func (s *Session) keep(f geofence.Fix, at geofence.Place) {
	s.seq = f.Seq
	if touchesSensitive(at) { // no name, no dot and no dwell; only a call for help from there is seen
		s.node.writer.blank(s)
		return
	}
	p := Position{T: f.T, Lat: f.At.Lat, Lng: f.At.Lng, AccuracyM: f.AccuracyM, Level: at.Level, HasLevel: at.LevelKnown}
	if zones, count, certain := s.presence.Zones(); count > 0 && !zones[0].Sensitive {
		p.Zone, p.Likely = zones[0].ID, !certain
	}
	s.node.writer.add(s, p, s.leaseUntil())
}

// touchesSensitive reports whether a fix may be in a zone that staff do not see into. When the level is
// not known, one on any level counts: in doubt, no dot.
func touchesSensitive(at geofence.Place) bool {
	for _, z := range at.Zones[:at.N] {
		if z.Sensitive {
			return true
		}
	}
	return false
}

// leaseUntil is when the session ends unless a fix is accepted. A session that never gets inside
// has the time of one lease for it. Called with mu held.
func (s *Session) leaseUntil() int64 {
	if until := s.presence.LeaseUntil(); until > 0 {
		return until
	}
	return s.openedAt + s.node.Rules.LeaseMS
}

// follow acts on the transitions of one step, in order, and reports whether the state changed.
// Called with mu held.
func (s *Session) follow(o *geofence.Outcome) (changed bool) {
	for _, t := range o.Transitions() {
		switch t.Kind {
		case geofence.Enter:
			changed = true
			s.tell(StateActive, "")
			s.flushCheckins()
			s.shown.Store(true)
			s.node.presenceChanged(s, true)
		case geofence.Resume:
			changed = true
			s.tell(StateActive, "")
			s.shown.Store(true)
			s.node.presenceChanged(s, true)
		case geofence.Suspend:
			changed = true
			s.shown.Store(false)
			s.node.Stats.Suspended.Add(1)
			s.node.writer.blank(s)
			s.node.presenceChanged(s, false)
			s.tell(StateSuspended, consent.Reason(t.Reason))
		case geofence.End:
			s.finish(consent.Reason(t.Reason))
			return true
		}
	}
	return changed
}

// tell sends a state to the phone, if there is one. Called with mu held.
func (s *Session) tell(state string, reason consent.Reason) {
	if s.phone != nil {
		s.phone.State(StateChange{State: state, Reason: reason, LastAccepted: s.lastAccepted})
	}
}

// finish is the one way in which a session that this node owns ends by itself: at once here, then
// durably and everywhere. Called with mu held.
func (s *Session) finish(reason consent.Reason) {
	if !s.shut(StateChange{State: StateEnded, Reason: reason, LastAccepted: s.lastAccepted}) {
		return
	}
	s.node.presenceChanged(s, false)
	purged := s.node.purger.soon([]Slot{{s.scope.Store, s.visit}})
	s.node.enders.add(purged, consent.EndRequest{
		ID: endID(s.visit), Kind: consent.EndSession, Scope: s.scope, Subject: s.subject,
		Visit: s.visit, Reason: reason, Claimed: s.node.Clock.Now(),
		KeepRequest: reason == consent.Reason(geofence.Silent),
	})
}

// endID is the id of the end of a visit: always the same one, so that however often it is asked for,
// and by whomever, it is one event.
func endID(visit string) string { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(visit)).String() }

// shut closes the session on this node: socket first, nothing more is accepted, and what the
// writer still holds will not be written. It reports whether it was open. Called with mu held.
func (s *Session) shut(last StateChange) bool {
	if s.over.Swap(true) {
		return false
	}
	s.shown.Store(false)
	if s.phone != nil {
		s.phone.Close(last)
		s.phone = nil
	}
	s.presence = geofence.Presence{State: geofence.Ended} // forgets the last position
	s.checkins = nil
	s.node.sessions.remove(s, s.visit)
	s.node.Stats.Ended.Add(1)
	return true
}

// letGo closes the connection without ending the visit: the app may resume within the lease.
func (s *Session) letGo(why consent.Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut(StateChange{State: StateSuspended, Reason: why, LastAccepted: s.lastAccepted})
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
	s.node.Stats.Resumed.Add(1)
	return nil
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

// Bye ends the visit because the app said so.
func (s *Session) Bye() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish(consent.Bye)
}

// tick lets time act on the session: suspensions that were not taken back, leases that ran out,
// looks that were not repeated, a map that was not confirmed; and a store that has closed around it.
func (s *Session) tick(now time.Time, boot time.Duration, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() {
		return
	}
	switch {
	case s.openedAt > 0 && !open:
		s.finish(closedReason)
		return
	case s.mapOverdue(boot):
		s.finish(consent.MapChanged)
		return
	}
	if s.looking > 0 && boot > s.looking {
		s.lookAway()
	}
	var o geofence.Outcome
	s.presence, o = s.node.Rules.Tick(s.presence, unixMS(now))
	s.follow(&o)
	lease := time.Duration(s.node.Rules.LeaseMS) * time.Millisecond
	// The first: it never got inside. The second: whatever the wall clock says, this long is silence.
	if s.openedAt > 0 && (unixMS(now) > s.leaseUntil() || boot > s.renewed+lease+time.Second) {
		s.finish(consent.Reason(geofence.Silent))
	}
}

// looked keeps a look alive, or ends it, and lets the phone say so (look back). While nobody looks
// no position of this visit is published, and nobody does whom the phone has not been told of: it
// reports whether that is so.
func (s *Session) looked(on bool, role, team string) (told bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() {
		return false
	}
	if !on {
		s.lookAway()
		return false
	}
	if s.phone == nil {
		return false
	}
	if s.looking == 0 {
		s.lookedSince = s.node.Clock.Now()
		s.phone.Seen(role, team, s.lookedSince)
	}
	s.looking = s.node.Clock.Boot() + lookLife
	return true
}

func (s *Session) lookAway() {
	if s.looking == 0 {
		return
	}
	s.looking = 0
	if s.phone != nil {
		s.phone.Unseen()
	}
}

// Ask raises an alert for this visit: a call for help at once, a check-in as soon as the shopper
// is inside.
func (s *Session) Ask(ctx context.Context, a Alert) error {
	s.mu.Lock()
	if s.over.Load() {
		s.mu.Unlock()
		return ErrOver
	}
	a.Store, a.Visit, a.Purpose = s.scope.Store, s.visit, s.purposes[0]
	if a.Kind == Arrived && s.presence.State != geofence.Inside {
		s.checkins = append(s.checkins[:min(len(s.checkins), maxCheckins-1)], a)
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock() // a durable commit must not hold up the session's end
	_, err := s.node.Raise(ctx, a)
	return err
}

const maxCheckins = 4

// flushCheckins raises what was asked for before the visit was inside. Called with mu held; the
// commit happens elsewhere.
func (s *Session) flushCheckins() {
	for _, a := range s.checkins {
		s.node.enders.raise(a)
	}
	s.checkins = nil
}

// Scope is what the session was opened for.
func (s *Session) Scope() consent.Scope { return s.scope }

// Subject is the shopper's reference.
func (s *Session) Subject() consent.Ref { return s.subject }

// Map is the index that this session's fixes are judged by.
func (s *Session) Map() *geofence.Index {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index
}
