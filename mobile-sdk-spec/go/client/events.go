// SPDX-License-Identifier: Apache-2.0

package client

// Event is one of State, Ack, Seen, Unseen, HelpUpdate, Call, MapChange, Throttle, AuthDue, TimeReply,
// Withdrawn, FrameError and, last, Closed.
type Event interface{ event() }

// Welcome opens a session. Durations are milliseconds.
type Welcome struct {
	T         int64    `json:"t"`
	EchoT     int64    `json:"echo_t"`
	Session   string   `json:"session"`
	Word      string   `json:"word"`
	Resumed   bool     `json:"resumed"`
	LastSeq   int64    `json:"last_seq"`
	Resume    string   `json:"resume"`
	ResumeMS  int64    `json:"resume_ms"`
	LeaseMS   int64    `json:"lease_ms"`
	MovingMS  int64    `json:"moving_ms"`
	StillMS   int64    `json:"still_ms"`
	MinMS     int64    `json:"min_ms"`
	BeatMS    int64    `json:"beat_ms"`
	Fence     string   `json:"fence"`
	Purposes  []string `json:"purposes"`
	Fields    []string `json:"fields"`
	AuthUntil int64    `json:"auth_until"`
}

// State tells where the session stands: entering, active, suspended, ended.
type State struct {
	T             int64  `json:"t"`
	State         string `json:"state"`
	Reason        string `json:"reason"`
	Code          int    `json:"code"`
	LastAcceptedT int64  `json:"last_accepted_t"`
	Restart       string `json:"restart"`
}

// Ack acknowledges everything up to Seq.
type Ack struct {
	T           int64          `json:"t"`
	Seq         int64          `json:"seq"`
	AcceptedSeq int64          `json:"accepted_seq"`
	LeaseUntil  int64          `json:"lease_until"`
	Refused     map[string]int `json:"refused"` // since the last one, by code
}

// Seen says that somebody can see the shopper.
type Seen struct {
	By        string `json:"by"`
	Team      string `json:"team"`
	Company   string `json:"company"`   // whose staff, if not the controller's
	Emergency bool   `json:"emergency"` // two people have decided on it
	Since     int64  `json:"since"`
}

// Unseen says that nobody looks any more.
type Unseen struct{}

// HelpUpdate says how a call for help is doing: seen, coming, done.
type HelpUpdate struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// Call asks the shopper to the desk, or says that somebody comes.
type Call struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	Until int64  `json:"until"`
}

// MapChange announces a new map. The client has fetched it and answered map_ok when it is delivered: fixes that another
// one judged are dropped from then on (M-1).
type MapChange struct {
	Fence string `json:"fence"`
	URL   string `json:"url"`
	By    int64  `json:"by"`
	Map   *Fence `json:"-"` // what was fetched; nobody need fetch it again
}

// Throttle slows the app down.
type Throttle struct {
	MinMS int64 `json:"min_ms"`
	ForMS int64 `json:"for_ms"`
}

// AuthDue asks for a fresh ticket. The client answers by itself.
type AuthDue struct {
	By int64 `json:"by"`
}

// TimeReply answers the client's own question for the time.
type TimeReply struct {
	T0 int64 `json:"t0"`
	T  int64 `json:"t"`
}

// Withdrawn confirms a withdrawal by socket.
type Withdrawn struct {
	ID      string  `json:"id"`
	Receipt string  `json:"receipt"`
	Removed Removed `json:"removed"`
}

// FrameError tells of something refused.
type FrameError struct {
	Code      string `json:"code"`
	Scope     string `json:"scope"` // frame, session
	Seq       int64  `json:"seq"`
	Field     string `json:"field"`
	Retryable bool   `json:"retryable"`
	RetryMS   int64  `json:"retry_ms"`
}

// Closed is the last event: the socket is closed, by whichever side.
type Closed struct {
	Code    int
	Retry   bool   // false: terminal until Restart
	Restart string // decision, user, permission, opens, update; empty when Retry
	Reason  string // of the last ended State, else the close frame's text
	Local   bool   // this side closed: Bye, Kill, or 25 s of silence
}

func (State) event()      {}
func (Ack) event()        {}
func (Seen) event()       {}
func (Unseen) event()     {}
func (HelpUpdate) event() {}
func (Call) event()       {}
func (MapChange) event()  {}
func (Throttle) event()   {}
func (AuthDue) event()    {}
func (TimeReply) event()  {}
func (Withdrawn) event()  {}
func (FrameError) event() {}
func (Closed) event()     {}
