// SPDX-License-Identifier: Apache-2.0

package tracking

// Looker is who looks, as far as the shopper is told: never a name.
type Looker struct {
	Role, Team string
	Company    string // whose staff, if not the controller's
	Emergency  bool   // by a glass that two people broke
}

// looked keeps a look alive, or ends it, and lets the phone say so (look back). While nobody looks
// no position of this visit is published, and nobody does whom the phone has not been told of: it
// reports whether that is so.
func (s *Session) looked(on bool, by Looker) (told bool) {
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
	if s.looking == 0 || by.Emergency && !s.emergency {
		s.lookedSince, s.emergency = s.node.Clock.Now(), by.Emergency
		s.phone.Seen(by, s.lookedSince)
	}
	s.looking = s.node.Clock.Boot() + lookLife
	return true
}

func (s *Session) lookAway() {
	if s.looking == 0 {
		return
	}
	s.looking, s.emergency = 0, false
	if s.phone != nil {
		s.phone.Unseen()
	}
}
