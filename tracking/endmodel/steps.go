// SPDX-License-Identifier: Apache-2.0

package endmodel

// step is one thing that can happen. do changes the state, or reports that it cannot happen now.
type step struct {
	text string
	do   func(s *state, g Guards) bool
}

// steps is all that can happen. Of two traces of the same length the one whose steps stand further up
// is reported, so they stand in the order in which they are natural.
var steps = buildSteps()

func buildSteps() []step {
	all := []step{{"B enters the node table", (*state).join}}
	for n, name := range nodeName {
		all = append(all, stepsOf(n, name)...)
	}
	return append(all, []step{
		{"the write reaches Redis", (*state).land},
		{"Redis replicates", (*state).replicate},
		{"the end is committed", (*state).end},
		{"the commit returns to A", (*state).commitReturns},
		{"a nudge reaches B", (*state).nudge},
		{"A purges the visit in Redis, confirmed", (*state).purge},
		{"A answers 200", (*state).answer},
		{"the shopper grants again", (*state).grantAgain},
		{"Redis fails over to its replica, and nobody is told", (*state).failOver},
		{"B is killed and starts again, knowing nothing", (*state).restart},
		{"a tick passes", (*state).tick},
	}...)
}

func stepsOf(n int, name string) []step {
	at := func(text string, do func(*state, Guards, int) bool) step {
		return step{text, func(s *state, g Guards) bool { return do(s, g, n) }}
	}
	return []step{
		at(name+" begins a poll", (*state).poll),
		at("the ledger commits "+name+"'s poll", (*state).commitPoll),
		at("a poll reply from before the end reaches "+name, (*state).replyArrives),
		at("the phone connects to "+name+", which asks the ledger", (*state).ask),
		at("the ledger's answer reaches "+name+", which opens the session", (*state).open),
		at(name+" accepts a fix and sends the write", (*state).accept),
		at(name+" gets a copy of the position and queues a frame", (*state).serve),
		at("the frame leaves "+name+"'s queue", (*state).dequeue),
		at(name+", its queue empty, acknowledges the end", (*state).acknowledge),
	}
}

func (s *state) tick(g Guards) bool {
	if s.repeatDue(g) {
		return false // a purge that is due happens within its tick
	}
	for n := range s.node {
		run(&s.node[n].lease, 0)
		run(&s.node[n].request, 1) // the lease it asks for runs out, the message remains
		run(&s.node[n].reply, 1)
	}
	if g.Deadline {
		run(&s.late, 0)
	}
	s.redis, s.replica = s.redis.older(), s.replica.older()
	run(&s.wait, 0)
	run(&s.next, 0)
	run(&s.excuse, 0)
	if s.ledger != granted && s.sinceL < Horizon {
		s.sinceL++
	}
	return true
}

// run lets a timer go on by one tick, down to its floor.
func run(timer *uint8, floor uint8) {
	if *timer > floor {
		*timer--
	}
}

// Redis.

func (s *state) land(Guards) bool {
	if s.late == 0 || s.redis > tombstone {
		return false
	}
	s.redis, s.copies = PositionLife, true
	return true
}

func (s *state) replicate(Guards) bool {
	s.replica = s.redis
	return true
}

// failOver loses what was not replicated. Before the first purge it needs no excuse.
func (s *state) failOver(Guards) bool {
	if s.faults == 0 {
		return false
	}
	s.faults--
	s.redis = s.replica
	if s.purged {
		s.excuse = PurgeEvery + 1
	}
	return true
}

// The end.

func (s *state) end(Guards) bool {
	if s.ledger != granted {
		return false
	}
	s.ledger = ended
	for n := range s.node {
		s.node[n].awaited = s.node[n].in
	}
	return true
}

// commitReturns is when the coordinator learns that it has ended something, and begins to count T_L.
func (s *state) commitReturns(g Guards) bool {
	if s.ledger == granted || s.told {
		return false
	}
	s.hear(g, nodeA, ended)
	s.told, s.wait = true, LeaseTime
	return true
}

func (s *state) nudge(g Guards) bool {
	return s.told && s.hear(g, nodeB, ended)
}

func (s *state) purge(g Guards) bool {
	first := s.told && !s.purged
	if !first && !s.repeatDue(g) {
		return false
	}
	s.redis = 0
	if g.Fence {
		s.redis = tombstone + FenceLife
	}
	s.purged, s.next, s.excuse = true, PurgeEvery, 0
	return true
}

func (s *state) repeatDue(g Guards) bool {
	return g.RepeatPurge && s.purged && s.next == 0 && s.sinceL < Horizon
}

func (s *state) answer(g Guards) bool {
	purging := g.PurgeBeforeAnswer && !s.purged
	waiting := g.WaitBeforeAnswer && s.wait > 0 && (s.node[nodeA].awaited || s.node[nodeB].awaited)
	if s.success || !s.told || purging || waiting {
		return false
	}
	s.success = true
	return true
}

func (s *state) grantAgain(Guards) bool {
	if s.ledger != ended {
		return false
	}
	s.ledger = grantedAgain
	return true
}
