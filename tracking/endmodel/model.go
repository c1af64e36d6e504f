// SPDX-License-Identifier: Apache-2.0

// Package endmodel is the protocol that ends a session, small enough to try every order of events.
//
// It is a model and not the implementation: one scope, one shopper's session in it and its one end,
// two nodes, the ledger, Redis with a replica, and an adversary who decides what happens next.
// [Explore] visits every state that can be reached and looks for one that breaks a promise. Each rule
// of the protocol is a field of [Guards]: with all of them nothing breaks, and without any one of
// them something does, which is why it is there.
//
//	      polls, late replies                      polls, late replies
//	  ┌──────────────────────── ledger ────────────────────────┐
//	  │                     0 granted   ▲                      │
//	  │                     1 ended     │ commit = L           │
//	  ▼                     2 granted   │                      ▼
//	node A, the coordinator   again     │                    node B
//	known, lease, queue ────────────────┘                    known, lease, queue
//	  │  │  └─────────── nudge, may be lost ───────────────▶   │  │
//	  │  │                                                     │  └─▶ console
//	  │  └─▶ console          writes, until their deadline     │
//	  └─ purge, repeated ─▶ Redis ◀────────────────────────────┘ from either node
//	                          │ nothing, a position, or a tombstone (the fence)
//	                          ▼ replicates when it likes
//	                       replica, which a failover puts in its place and tells nobody
//
// The ledger is one number, the change. At 0 the grant is in force, in the first epoch; the end is
// change 1 and opens the second epoch; change 2 is a grant given again. Every position in the model
// is of the first epoch, under the key of the visit that is over, so each is an old point once the
// ledger has moved on. The visit after the new grant has a key of its own and needs no state here:
// what matters of it is that nodes then have a grant in force under which to serve something.
//
// Answering 200 is a step, possible when the rule allows it. Until then the answer is 503: recorded,
// not complete. The end can be asked for again, which changes nothing, so 503 needs no state either.
//
// All timers share one tick: they differ in when they start, never in their rate. A timer at zero
// has run out. Within a tick everything happens in every order, and nothing but a repeated purge
// ever has to happen: whatever can come can also come later, or not at all.
//
// The adversary is stronger than a network. What is under way may arrive late, several times, out of
// order, or never. So one number stands for any quantity of messages: the time left to the most
// harmful of them, since the others can do nothing that this one cannot.
//
//   - Of a node's poll requests the youngest, because it can bring the longest lease; of its replies
//     from before the end, likewise. A reply that carries the end arrives at once: late, it would
//     bring the same news and less lease.
//   - Of the writes that were sent, the one with the latest deadline.
//   - Of the copies of a position that Redis has published or answered with, any, at either node.
//
// Three things lie outside. What a screen shows: a page drops what is older than T_C, which adds T_C
// to property 3 and nothing else. The success, without a confirmed purge, that an end has after
// T_L + D + T_P: properties 3 and 4 say that it is true then. And a Redis that cannot be reached,
// except before the first purge: what a purge cannot reach, no node can read.
package endmodel

// The figures, in ticks: small, but in the order of the real ones. A purge is repeated within the life
// of a position, and a fence outlives every write that could still be under way.
const (
	LeaseTime     = 2 // T_L
	WriteDeadline = 2 // D
	PositionLife  = 3 // T_P
	PurgeEvery    = 1
	FenceLife     = LeaseTime + WriteDeadline + 1
	Horizon       = LeaseTime + WriteDeadline + PositionLife // after L, until nothing is left anywhere
)

// Guards are the rules of the protocol. A false field takes the rule out.
type Guards struct {
	Lease              bool // accept and serve only under a lease that has not run out
	LeaseFromPollStart bool // the lease runs from the poll's start, not from the reply's arrival
	EpochEquality      bool // serve a position only if its epoch equals the one the node knows
	Fence              bool // a purge leaves a tombstone, which refuses writes
	Deadline           bool // Redis refuses a write that arrives after its deadline
	KnowledgeGrows     bool // news older than what the node knows is discarded
	CloseOnNews        bool // a node that hears of the end closes the session
	ListedFirst        bool // a node is in the node table before its first poll
	PurgeBeforeAnswer  bool // 200 waits for a confirmed purge
	WaitBeforeAnswer   bool // 200 waits for each listed node to acknowledge, or for T_L to pass
	RecheckOnDequeue   bool // a frame is checked again when it leaves the queue
	RepeatPurge        bool // the purge is repeated until the horizon
}

// AllGuards is the protocol as it is.
func AllGuards() Guards {
	return Guards{
		Lease: true, LeaseFromPollStart: true, EpochEquality: true, Fence: true, Deadline: true,
		KnowledgeGrows: true, CloseOnNews: true, ListedFirst: true, PurgeBeforeAnswer: true,
		WaitBeforeAnswer: true, RecheckOnDequeue: true, RepeatPurge: true,
	}
}

// The change numbers of the ledger.
const (
	granted = iota
	ended
	grantedAgain
)

const (
	nodeA = iota // the coordinator of the end
	nodeB
	nodes
)

var nodeName = [nodes]string{"A", "B"}

// node is what one node holds, and what is under way to and from it.
type node struct {
	in      bool  // entered in the node table
	awaited bool  // listed at L and not yet acknowledged
	known   uint8 // the change it has heard of
	lease   uint8 // ticks left
	request uint8 // a poll under way to the ledger: 0 none, else 1 + the ticks left of the lease it asks for
	reply   uint8 // a reply from before the end, under way to the node: counted likewise
	queue   bool  // a frame with a position waits for a console that is slow to read
}

// phone is where the shopper's session is: nowhere, or one of the two below plus the node.
type phone uint8

const (
	nowhere phone = iota
	asking        // the node has asked the ledger, and "granted, first epoch" is under way to it
	open    = asking + nodes
)

// cell is what Redis holds under the visit's key: nothing (0), a position (its 1 to PositionLife
// ticks to live), or a tombstone (above that).
type cell uint8

const tombstone = cell(PositionLife)

func (c cell) position() bool { return c > 0 && c <= PositionLife }

func (c cell) older() cell {
	if c == 0 || c == tombstone+1 {
		return 0
	}
	return c - 1
}

// state is everything, and comparable: it is its own key in the set of states seen.
type state struct {
	node    [nodes]node
	phone   phone
	ledger  uint8
	sinceL  uint8 // ticks since the end was committed; stops at Horizon
	told    bool  // the commit has returned to the coordinator
	wait    uint8 // ticks left of the T_L that began then
	late    uint8 // ticks in which a write that was sent may still be accepted
	redis   cell
	replica cell
	copies  bool  // a position was written once, so copies of it may be under way
	purged  bool  // a purge was confirmed
	next    uint8 // ticks until the purge is repeated
	excuse  uint8 // ticks in which a failover since the last purge explains what Redis holds
	faults  uint8 // failovers still to come
	success bool  // 200 was answered
	broken  promise
}

// start is a deployment that has just booted: nobody has a lease, and B is not in the node table yet.
func start(failovers uint8) state {
	s := state{faults: failovers}
	s.node[nodeA].in = true
	return s
}
