// SPDX-License-Identifier: Apache-2.0

package endmodel

// What a node knows, and for how long it may act on it.

func (s *state) join(Guards) bool {
	if s.node[nodeB].in {
		return false
	}
	s.node[nodeB].in = true
	return true
}

// restart loses B's memory and its connections, and with them all that was under way to it.
func (s *state) restart(Guards) bool {
	b := &s.node[nodeB]
	*b = node{in: b.in, awaited: b.awaited}
	if s.phone == asking+nodeB || s.phone == open+nodeB {
		s.phone = nowhere
	}
	return true
}

func (s *state) poll(g Guards, n int) bool {
	if g.ListedFirst && !s.node[n].in {
		return false
	}
	s.node[n].request = LeaseTime + 1
	return true
}

// commitPoll is the moment in which the ledger decides what the reply says.
func (s *state) commitPoll(g Guards, n int) bool {
	v := &s.node[n]
	request := v.request
	if request == 0 {
		return false
	}
	v.request = 0
	if s.ledger == granted {
		v.reply = max(v.reply, request)
		return true
	}
	s.hear(g, n, s.ledger)
	v.renew(g, request)
	return true
}

// replyArrives leaves the reply under way: it stands for others like it.
func (s *state) replyArrives(g Guards, n int) bool {
	v := &s.node[n]
	if v.reply == 0 || !s.hear(g, n, granted) {
		return false
	}
	v.renew(g, v.reply)
	return true
}

func (v *node) renew(g Guards, message uint8) {
	lease := message - 1
	if !g.LeaseFromPollStart {
		lease = LeaseTime
	}
	v.lease = max(v.lease, lease)
}

// hear is how all news enters a node. It reports false if the node knew better.
func (s *state) hear(g Guards, n int, change uint8) bool {
	if g.KnowledgeGrows && change < s.node[n].known {
		return false
	}
	s.node[n].known = change
	if g.CloseOnNews && change != granted && s.phone == open+phone(n) {
		s.phone = nowhere
	}
	return true
}

func (s *state) acknowledge(_ Guards, n int) bool {
	v := &s.node[n]
	if !v.awaited || v.known == granted || v.queue {
		return false
	}
	v.awaited = false
	return true
}

// The shopper's session.

func (s *state) ask(_ Guards, n int) bool {
	if s.ledger != granted {
		return false // the ledger says no, or opens another visit
	}
	s.phone = asking + phone(n)
	return true
}

// open is refused if the node has heard of the end since it asked: newer entries are applied first.
func (s *state) open(g Guards, n int) bool {
	if s.phone != asking+phone(n) || !s.leased(g, n) || !s.hear(g, n, granted) {
		return false
	}
	s.phone = open + phone(n)
	return true
}

func (s *state) accept(g Guards, n int) bool {
	if s.phone != open+phone(n) || !s.leased(g, n) {
		return false
	}
	s.late = WriteDeadline
	return true
}

// The console.

func (s *state) leased(g Guards, n int) bool { return s.node[n].lease > 0 || !g.Lease }

// mayServe is the check that a position of the first epoch has to pass at node n.
func (s *state) mayServe(g Guards, n int) bool {
	known := s.node[n].known
	inForce, equal := known != ended, known == granted
	return s.leased(g, n) && inForce && (equal || !g.EpochEquality)
}

func (s *state) serve(g Guards, n int) bool {
	if !s.copies || !s.mayServe(g, n) {
		return false
	}
	s.node[n].queue = true
	return true
}

// dequeue sends the frame, or drops it.
func (s *state) dequeue(g Guards, n int) bool {
	v := &s.node[n]
	if !v.queue {
		return false
	}
	v.queue = false
	if s.mayServe(g, n) || !g.RecheckOnDequeue {
		s.broken |= s.brokenBySend(n)
	}
	return true
}
