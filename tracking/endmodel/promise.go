// SPDX-License-Identifier: Apache-2.0

package endmodel

// promise is a set of promises, those that a state breaks.
type promise uint8

const (
	silentAfterAnswer promise = 1 << iota
	erasedAfterAnswer
	unreadableAfterAnswer
	silentAfterLease
	erasedByHorizon
	newGrantShowsNothingOld
	promiseEnd
)

const allPromises = promiseEnd - 1

// broken says of each promise what it looks like when it is broken. "Old" is of the ended epoch.
var broken = map[promise]string{
	silentAfterAnswer:       "1: an old position left a node after the answer",
	erasedAfterAnswer:       "2: Redis held an old position after the answer, and no failover since the last purge explains it",
	unreadableAfterAnswer:   "2: Redis held an old position after the answer, and a node was entitled to serve it",
	silentAfterLease:        "3: an old position left a node at L + T_L or later",
	erasedByHorizon:         "4: Redis or its replica held an old position at L + T_L + D + T_P or later",
	newGrantShowsNothingOld: "5: an old position left a node that knew of the new grant",
}

// brokenBySend is what a frame with an old position breaks that leaves node n now.
func (s *state) brokenBySend(n int) promise {
	return when(s.success, silentAfterAnswer) |
		when(s.sinceL >= LeaseTime, silentAfterLease) |
		when(s.node[n].known == grantedAgain, newGrantShowsNothingOld)
}

// brokenByHolding is what Redis breaks by what it holds now. The purge is confirmed before the answer,
// so only a failover can bring an old position back, and not for longer than until the next purge.
func (s *state) brokenByHolding(g Guards) promise {
	old := s.redis.position()
	readable := s.mayServe(g, nodeA) || s.mayServe(g, nodeB)
	return when(s.success && old && s.excuse == 0, erasedAfterAnswer) |
		when(s.success && old && readable, unreadableAfterAnswer) |
		when(s.sinceL == Horizon && (old || s.replica.position()), erasedByHorizon)
}

func when(holds bool, p promise) promise {
	if holds {
		return p
	}
	return 0
}
