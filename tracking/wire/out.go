// SPDX-License-Identifier: Apache-2.0

package wire

// Each frame to the app appends itself to a buffer, which it returns. Strings are escaped, times
// are Unix milliseconds of server time, and what is empty and optional is left out.

// Welcome opens a session.
type Welcome struct {
	T, EchoT  int64  // server time; hello's t as it came
	Session   string // pseudonym of the visit
	Word      string // the visit's word, shown on phone and console: "Maple ▲ green"
	Resumed   bool
	LastSeq   int64  // highest seq seen in this session
	Resume    string // token for coming back, single use
	ResumeMS  int64  // how long it helps
	LeaseMS   int64  // how long the session lives without an accepted fix
	MovingMS  int64  // a fix every so often when moving,
	StillMS   int64  // when still,
	MinMS     int64  // and never more often
	BeatMS    int64  // the server says something at least this often
	Fence     string // the map by which fixes are judged
	Purposes  []string
	Fields    []string // the fields of a fix that are declared for these purposes
	AuthUntil int64    // the session ends then unless renewed with auth
}

// Ack acknowledges everything up to Seq.
type Ack struct {
	T           int64
	Seq         int64 // highest seq judged
	AcceptedSeq int64 // highest seq accepted
	LeaseUntil  int64
	Refused     *Refusals // since the last ack; nil or empty is left out
}

// SessionState is where the session stands, as the shopper sees it.
type SessionState string

// The states a session is told of.
const (
	StateEntering  SessionState = "entering"
	StateActive    SessionState = "active"
	StateSuspended SessionState = "suspended"
	StateEnded     SessionState = "ended"
)

// State tells of a change. An ended one precedes every close.
type State struct {
	T             int64
	State         SessionState
	Reason        string // empty while all is well
	Code          int    // the close code that follows; 0 unless ended
	LastAcceptedT int64  // 0 if none was
	Restart       Restart
}

// Seen says that somebody can see the shopper since a time.
type Seen struct {
	By        string // a role
	Team      string // may be empty
	Company   string // whose staff, if not the controller's
	Emergency bool   // two people have decided on it
	Since     int64
}

// Unseen says that nobody looks any more.
type Unseen struct{}

// HelpState is how far an answer to a call for help has come.
type HelpState string

// The states of an answer.
const (
	HelpSeen   HelpState = "seen"
	HelpComing HelpState = "coming"
	HelpDone   HelpState = "done"
)

// HelpUpdate tells how a call for help is doing.
type HelpUpdate struct {
	ID    string
	State HelpState
}

// Call asks the shopper to come, or says that somebody comes.
type Call struct {
	ID, Text string
	Until    int64
}

// Map announces a new map; map_ok must come by By.
type Map struct {
	Fence, URL string
	By         int64
}

// Throttle slows the app down.
type Throttle struct{ MinMS, ForMS int64 }

// AuthDue asks for a fresh ticket by a time.
type AuthDue struct{ By int64 }

// TimeReply answers a time frame.
type TimeReply struct{ T0, T int64 }

// Withdrawn confirms a withdrawal.
type Withdrawn struct {
	ID, Receipt     string
	Nodes, Consoles int
	MS              int64
}

// The scopes of an error frame.
const (
	ScopeFrame   = "frame"
	ScopeSession = "session"
)

// ErrorFrame tells of something refused.
type ErrorFrame struct {
	Code      Code // a code of this package, or of an HTTP problem
	Scope     string
	Seq       int64  // 0 is left out
	Field     string // empty is left out
	Retryable bool
	RetryMS   int64
}

// Refusals counts refused fixes by code, without a map.
type Refusals struct{ n [13]uint32 }

// Add counts one. Codes that are not of a frame are ignored.
func (r *Refusals) Add(c Code) {
	for i := range r.n {
		if codeTable[i].code == c {
			r.n[i]++
		}
	}
}

// Empty reports whether nothing was counted.
func (r *Refusals) Empty() bool { return r.n == [13]uint32{} }

// Reset forgets the counts.
func (r *Refusals) Reset() { *r = Refusals{} }
