// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"sync"
	"sync/atomic"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/rulebook"
)

// Session is one visit, as the node that owns its connection sees it. Everything below mu belongs
// to mu; the rest is set before the session can be found and never changes, except visit, epoch,
// data and admitted, which Open sets before opened is closed.
type Session struct {
	node     *Node
	scope    consent.Scope
	subject  consent.Ref
	purposes []string
	data     []string // data types that the grants of those allow; set with visit
	owner    string   // random: who may write this visit's position
	batch    *storeBatch
	opened   chan struct{}

	visit string
	epoch int64

	over  atomic.Bool  // set under mu, read by the writer
	shown atomic.Bool  // visible to staff; set under mu, read by the desk
	lit   atomic.Int64 // boot time at which the app was last known to be on screen; the opening counts

	turn int64 // which pending of batch has this session's newest write; with at, belongs to batch.mu
	at   int   // and where in it

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
	emergency    bool                    // somebody looks who has broken the glass
	tallied      tallied                 // where it was counted last
	checkins     []Alert                 // asked for before the visit was inside
	book         *rulebook.Book          // the rules that ruled is of
	ruled        map[rulebook.Raise]bool // what it has raised by them; nil until something has
	asked        map[string]answer       // what has become of what it asked for; nil until something has
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

// Data are the data types that may be collected in this session: what the grants allow, as they were given.
func (s *Session) Data() []string { return s.data }

// Purposes are those the session was opened for.
func (s *Session) Purposes() []string { return s.purposes }

// Fix judges one fix and, if it is accepted, hands it to the writer. Nothing about a fix that is
// not accepted is kept.
func (s *Session) Fix(f geofence.Fix) FixResult {
	n := s.node
	n.Stats.Fixes.Add(1)
	clock := n.Clock.Now()
	now := unixMS(clock)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() {
		return FixResult{Over: true}
	}
	if !n.mayAccept(clock) {
		return FixResult{Refused: RefusedUnavailable, LeaseUntil: s.leaseUntil()}
	}
	s.changeOver(f.Seq)
	at := s.index.Locate(f.At, f.Level, f.HasLevel)
	var o geofence.Outcome
	n.Rules.Advance(&s.presence, &f, &at, now, &o)
	switch {
	case o.Accepted:
		n.Stats.Accepted.Add(1)
		s.lastAccepted = f.T
		s.renewed = time.Duration(n.boot.Load())
		s.keep(&f, &at)
	case o.Refused != "":
		n.Stats.Refused.Add(1)
	}
	changed := s.act(&o)
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
	changed := s.act(&o)
	return FixResult{LeaseUntil: s.leaseUntil(), Changed: changed, Over: s.over.Load()}
}

// keep hands an accepted position to the writer. Called with mu held.
func (s *Session) keep(f *geofence.Fix, at *geofence.Place) {
	s.seq = f.Seq
	if touchesSensitive(at) { // no name, no dot and no dwell; only a call for help from there is seen
		s.node.writer.blank(s)
		return
	}
	p := Position{T: f.T, Lat: f.At.Lat, Lng: f.At.Lng, AccuracyM: f.AccuracyM, Level: at.Level, HasLevel: at.LevelKnown}
	if zones, count, certain := s.presence.Zones(); count > 0 && !zones[0].Sensitive {
		p.Zone, p.Likely = zones[0].ID, !certain
		s.tally(p.Zone)
	}
	s.node.writer.add(s, &p, s.leaseUntil())
}

// touchesSensitive reports whether a fix may be in a zone that staff do not see into. When the level is
// not known, one on any level counts: in doubt, no dot.
func touchesSensitive(at *geofence.Place) bool {
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

// act is follow where the phone has said so: an end is the visit's. Called with mu held.
func (s *Session) act(o *geofence.Outcome) (changed bool) {
	changed, end := s.follow(o)
	if end != "" {
		s.finish(end)
	}
	return changed
}

// follow acts on the transitions of one step, in order, and reports whether the state changed. With end it stops: that is
// for the caller to carry out. Called with mu held.
func (s *Session) follow(o *geofence.Outcome) (changed bool, end consent.Reason) {
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
			return true, consent.Reason(t.Reason)
		}
	}
	return changed, ""
}

// Scope is what the session was opened for.
func (s *Session) Scope() consent.Scope { return s.scope }

// OnScreen notes that the app is looked at now.
func (s *Session) OnScreen() { s.lit.Store(s.node.boot.Load()) }

// OffScreen is how long ago the app was last known to be looked at. It outlives a connection.
func (s *Session) OffScreen() time.Duration { return time.Duration(s.node.boot.Load() - s.lit.Load()) }

// Subject is the shopper's reference.
func (s *Session) Subject() consent.Ref { return s.subject }

// Map is the index that this session's fixes are judged by.
func (s *Session) Map() *geofence.Index {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index
}
