// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"

	"doorstep/geofence"
)

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
