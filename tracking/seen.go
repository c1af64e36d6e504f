// SPDX-License-Identifier: Apache-2.0

package tracking

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
