// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/geofence"
)

// tick lets time act on the session: suspensions that were not taken back, leases that ran out,
// looks that were not repeated, a map that was not confirmed; and a store that has closed around it.
func (s *Session) tick(now time.Time, boot time.Duration, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() {
		return
	}
	s.unasked = true
	defer func() { s.unasked = false }()
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
	s.node.Rules.Pass(&s.presence, unixMS(now), &o)
	s.follow(&o)
	lease := time.Duration(s.node.Rules.LeaseMS) * time.Millisecond
	// The first: it never got inside. The second: whatever the wall clock says, this long is silence.
	if s.openedAt > 0 && (unixMS(now) > s.leaseUntil() || boot > s.renewed+lease+time.Second) {
		s.finish(consent.Reason(geofence.Silent))
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

// finish is the one way in which a session that this node owns ends by itself: at once here, then
// durably and everywhere. Called with mu held.
func (s *Session) finish(reason consent.Reason) {
	if !s.shut(StateChange{State: StateEnded, Reason: reason, LastAccepted: s.lastAccepted}) {
		return
	}
	n, slots := s.node, []Slot{{s.scope.Store, s.visit}}
	n.presenceChanged(s, false)
	r := consent.EndRequest{
		ID: endID(s.visit), Kind: consent.EndSession, Scope: s.scope, Subject: s.subject,
		Visit: s.visit, Reason: reason, Claimed: n.Clock.Now(),
		KeepRequest: reason == consent.Reason(geofence.Silent),
	}
	if !s.unasked {
		n.enders.add(n.purger.soon(slots), r)
		return
	}
	n.enders.put(func(ctx context.Context) {
		if !n.hasMoved(ctx, s) {
			n.enders.add(n.purger.soon(slots), r)
		}
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
