// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"time"

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
	if zones, n, certain := s.presence.Zones(); n > 0 && certain {
		a.Patience = s.node.Atlas.Book(a.Store).Route(string(a.Kind), a.Topic, zones[0].ID).Patience
	}
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

// helpStates is what an app is told of a request, by the alert's state. That it is gone, the app has been told with its visit.
var helpStates = map[AlertState]string{Raised: "seen", Snoozed: "seen", Escalated: "seen", Claimed: "coming", Resolved: "done", AlertOver: "done"}

// answered tells the phone what has become of something it asked for, and that it is called: once for each version, in order.
func (s *Session) answered(a Alert) {
	state := helpStates[a.State]
	switch {
	case a.Kind == Called:
		s.called(a)
		return
	case a.Kind != Help && a.Kind != Arrived || a.Version == 1 || state == "": // the first version is answered with the request
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() || s.asked[a.ID].version >= a.Version {
		return
	}
	before := s.asked[a.ID].state
	if s.asked == nil {
		s.asked = make(map[string]answer)
	}
	s.asked[a.ID] = answer{version: a.Version, state: state}
	if s.phone != nil && before != state {
		s.phone.HelpUpdate(a.ID, state)
	}
}

// called tells the phone that a desk is ready, once, and again when it is back, until that is over.
func (s *Session) called(a Alert) {
	desk := s.node.zone(a.Store, a.Desk)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = make(map[string]answer)
	}
	before, told := s.asked[a.ID]
	if s.over.Load() || before.version >= a.Version {
		return
	}
	now := answer{version: a.Version, until: a.RaisedAt.Add(CallPatience)}
	if desk != nil && !a.Final() {
		now.desk = desk.Name
	}
	s.asked[a.ID] = now
	if s.phone != nil && !told && now.desk != "" {
		s.phone.Call(a.ID, now.desk, now.until)
	}
}

// answer is what a phone has been told of a request, or will be when it is back: how far it is, or the desk that is ready.
type answer struct {
	version int
	state   string
	desk    string
	until   time.Time
}

// repeatAnswers tells a phone that is back what it may have missed. Called with mu held.
func (s *Session) repeatAnswers() {
	for id, a := range s.asked {
		switch {
		case a.state != "":
			s.phone.HelpUpdate(id, a.state)
		case a.desk != "":
			s.phone.Call(id, a.desk, a.until)
		}
	}
}

// flushCheckins raises what was asked for before the visit was inside. Called with mu held; the
// commit happens elsewhere.
func (s *Session) flushCheckins() {
	for _, a := range s.checkins {
		s.node.enders.raise(a)
	}
	s.checkins = nil
}
