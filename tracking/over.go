// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/geofence"
)

// tick lets time act on the session: suspensions that were not taken back, leases that ran out,
// looks that were not repeated, a map that was not confirmed; a store that has closed around it, and a live state that has
// taken nothing for so long that staff see nobody. What it ends is added to left: nobody has said so, and the visit may go on
// at another node.
func (s *Session) tick(now time.Time, boot time.Duration, open bool, left departures) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() {
		return
	}
	switch {
	case s.openedAt > 0 && !open:
		s.depart(closedReason, left)
		return
	case s.mapOverdue(boot):
		s.depart(consent.MapChanged, left)
		return
	case s.openedAt > 0 && s.batch.lost(boot):
		s.hangUp(closeUnavailable)
		return
	}
	if s.looking > 0 && boot > s.looking {
		s.lookAway()
	}
	var o geofence.Outcome
	s.node.Rules.Pass(&s.presence, unixMS(now), &o)
	if _, end := s.follow(&o); end != "" {
		s.depart(end, left)
	}
	lease := time.Duration(s.node.Rules.LeaseMS) * time.Millisecond
	// The first: it never got inside. The second: whatever the wall clock says, this long is silence.
	if s.openedAt > 0 && (unixMS(now) > s.leaseUntil() || boot > s.renewed+lease+time.Second) {
		s.depart(consent.Reason(geofence.Silent), left)
	}
}

// depart ends the session here, and leaves it to the sweep whether its visit ends with it. Called with mu held.
func (s *Session) depart(reason consent.Reason, left departures) {
	if r, open := s.stop(reason); open {
		left[s.scope.Store] = append(left[s.scope.Store], departure{s, r})
	}
}

// Bye ends the visit because the app said so.
func (s *Session) Bye() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish(consent.Bye)
}

// Revoke ends the visit because the store no longer wants this app.
func (s *Session) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish(consent.Revoked)
}

// Approximate ends the visit because the app has approximate locations only, and goes on sending them.
func (s *Session) Approximate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish(approximateReason)
}

const approximateReason consent.Reason = "approximate"

// finish is the one way in which a session that this node owns ends by itself: at once here, then
// durably and everywhere. Called with mu held.
func (s *Session) finish(reason consent.Reason) {
	if r, open := s.stop(reason); open {
		s.node.enders.add(s.node.purger.soon([]Slot{{s.scope.Store, s.visit}}), r)
	}
}

// stop closes the session on this node and hides its visit, and is the end to commit. It reports whether it was open. Called
// with mu held.
func (s *Session) stop(reason consent.Reason) (r consent.EndRequest, open bool) {
	if !s.shut(StateChange{State: StateEnded, Reason: reason, LastAccepted: s.lastAccepted}) {
		return r, false
	}
	s.node.presenceChanged(s, false)
	return consent.EndRequest{
		ID: endID(s.visit), Kind: consent.EndSession, Scope: s.scope, Subject: s.subject,
		Visit: s.visit, Reason: reason, Claimed: s.node.Clock.Now(),
		KeepRequest: reason == consent.Reason(geofence.Silent) || reason == approximateReason, // location off, and nothing else
	}, true
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
