// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// AlertKind is what a person is needed for.
type AlertKind string

// The kinds.
const (
	Help    AlertKind = "help"
	Arrived AlertKind = "arrived"
	Waiting AlertKind = "waiting"
	Called  AlertKind = "called"
	Rule    AlertKind = "rule"
	// Emergency is what breaking the glass opens: in the hands of who asked for it, for GlassLife, and for nobody else.
	Emergency AlertKind = "emergency"
)

// AlertState is where an alert stands in its life.
type AlertState string

// The states. Resolved, Expired and Gone are final.
const (
	Raised    AlertState = "raised"
	Claimed   AlertState = "claimed"
	Snoozed   AlertState = "snoozed"
	Escalated AlertState = "escalated"
	Resolved  AlertState = "resolved"
	AlertOver AlertState = "expired"
	Gone      AlertState = "gone"
)

// Alert is the durable part of an alert: ids, kind, purpose, epoch and times. Zone, word and name
// are joined live and never stored with it.
type Alert struct {
	ID        string     `json:"id"` // UUIDv7; for help, the app's own
	Store     string     `json:"store"`
	Visit     string     `json:"visit"`
	Kind      AlertKind  `json:"kind"`
	Topic     string     `json:"topic,omitempty"`
	Ref       string     `json:"ref,omitempty"`    // a booking, opaque
	Booked    *Booked    `json:"booked,omitempty"` // what Ref was found to be
	Desk      string     `json:"desk,omitempty"`   // for Called: the zone to come to
	Purpose   string     `json:"purpose"`
	ShowMe    bool       `json:"show_me,omitempty"`
	State     AlertState `json:"state"`
	Epoch     int64      `json:"epoch,omitempty"`      // of the visit's scope when it was raised
	Version   int        `json:"version"`              // 1 when raised, one more with each change
	Holder    string     `json:"holder,omitempty"`     // shift pseudonym of who has it
	HolderTag string     `json:"holder_tag,omitempty"` // what colleagues see: "Mei", a role, a team
	Reason    string     `json:"reason,omitempty"`
	RaisedAt  time.Time  `json:"raised_at"`
	ChangedAt time.Time  `json:"changed_at"`
	DueAt     time.Time  `json:"due_at"` // when time does something to it: see Due
	// Patience is how long it waits for somebody before it escalates; zero means EscalateAfter.
	Patience time.Duration `json:"patience,omitempty"`
	Off      bool          `json:"off,omitempty"`      // the request outlived its position: "location off"
	OffUntil time.Time     `json:"off_until,omitzero"` // and until when it does, whatever is done to it
}

// Final reports whether nothing can happen to the alert any more.
func (a Alert) Final() bool { return a.State == Resolved || a.State == AlertOver || a.State == Gone }

// Action is what someone, or time, does to an alert.
type Action string

// The actions. Those from Wake on are the system's own; a person may escalate too.
const (
	Claim       Action = "claim"
	Keep        Action = "keep" // whoever has it is at work on it
	Release     Action = "release"
	HandOver    Action = "hand_over"
	Snooze      Action = "snooze"
	Resolve     Action = "resolve"
	Escalate    Action = "escalate"
	Wake        Action = "wake"
	Return      Action = "return" // whoever has it has done nothing about it for ClaimIdle
	Expire      Action = "expire"
	Vanish      Action = "vanish"
	LocationOff Action = "location_off"
)

// Errors of the alert life. Each is rendered once, at the edge.
var (
	ErrAlertVersion = errors.New("the alert has changed since you saw it")
	ErrAlertHeld    = errors.New("somebody else has this alert")
	ErrAlertFinal   = errors.New("the alert is over")
	ErrAlertAction  = errors.New("not possible in this state")
	ErrNoAlert      = errors.New("no such alert")
)

// Actor is who acts: a shift pseudonym and the tag colleagues see. The zero Actor is the system.
type Actor struct{ Shift, Tag string }

// Change asks for one step in an alert's life.
type Change struct {
	Action Action
	Expect int    // the version the actor saw; 0 for the system's own actions
	Key    string // idempotency key: repeated, it changes nothing and answers the alert as it is now, or ErrAlertFinal
	By     Actor
	To     Actor     // for HandOver
	Reason string    // for Vanish
	Now    time.Time // server time
	Until  time.Time // for Snooze
}

// Timings of an alert. The product page gives the bounds.
const (
	EscalateAfter  = 90 * time.Second
	ClaimIdle      = 5 * time.Minute // a claim about which nothing is done is returned
	SnoozeAtMost   = 15 * time.Minute
	RequestOutlive = 20 * time.Minute // an escalated alert, and a request without a position, is kept this long
)

// ClaimsMost is how many alerts one person may have: each is a shopper whose place they can see.
const ClaimsMost = 2

var fromStates = map[Action][]AlertState{
	Claim:       {Raised, Escalated, Snoozed},
	Keep:        {Claimed},
	Release:     {Claimed},
	HandOver:    {Claimed},
	Snooze:      {Raised, Claimed, Escalated},
	Resolve:     {Claimed},
	Escalate:    {Raised, Claimed, Snoozed},
	Wake:        {Snoozed},
	Return:      {Claimed},
	Expire:      {Raised, Claimed, Snoozed, Escalated},
	Vanish:      {Raised, Claimed, Snoozed, Escalated},
	LocationOff: {Raised, Claimed, Snoozed, Escalated},
}

// holderOnly are the actions that a claim keeps everybody else from.
var holderOnly = map[Action]bool{Claim: true, Keep: true, Release: true, HandOver: true, Snooze: true, Resolve: true, Escalate: true}

// Next is the whole state machine: the alert after c, or why not. It changes nothing else. ALERTS.md draws it.
func (a Alert) Next(c Change) (Alert, error) {
	if a.Final() {
		return a, fmt.Errorf("%w: it is %s", ErrAlertFinal, a.State)
	}
	if a.State == Claimed && holderOnly[c.Action] && a.Holder != c.By.Shift { // before its version: who has it is the clear answer
		return a, fmt.Errorf("%w: %s", ErrAlertHeld, a.HolderTag)
	}
	if c.Expect != 0 && c.Expect != a.Version {
		return a, fmt.Errorf("%w: it is at version %d, you saw %d", ErrAlertVersion, a.Version, c.Expect)
	}
	if a.Kind == Emergency && (c.Action != Resolve && c.Action != Expire && c.Action != Vanish) {
		return a, fmt.Errorf("%w: a broken glass is nobody else's", ErrAlertAction)
	}
	if !slices.Contains(fromStates[c.Action], a.State) {
		return a, fmt.Errorf("%w: %s when %s", ErrAlertAction, c.Action, a.State)
	}
	return a.apply(c), nil
}

func (a Alert) apply(c Change) Alert {
	a.Version++
	a.ChangedAt = c.Now
	switch c.Action {
	case Claim:
		a.State, a.Holder, a.HolderTag = Claimed, c.By.Shift, c.By.Tag
		a.DueAt = c.Now.Add(ClaimIdle)
	case Keep:
		a.DueAt = c.Now.Add(ClaimIdle)
	case HandOver:
		a.Holder, a.HolderTag = c.To.Shift, c.To.Tag
		a.DueAt = c.Now.Add(ClaimIdle)
	case Release, Wake, Return:
		a.State, a.Holder, a.HolderTag = Raised, "", ""
		a.DueAt = c.Now.Add(a.Waits())
	case Snooze:
		a.State, a.Holder, a.HolderTag = Snoozed, "", ""
		a.DueAt = earlier(c.Until, c.Now.Add(SnoozeAtMost))
	case Escalate:
		a.State, a.Holder, a.HolderTag = Escalated, "", ""
		a.DueAt = c.Now.Add(RequestOutlive)
	case Resolve:
		a.State = Resolved
	case Expire:
		a.State = AlertOver
	case Vanish:
		a.State, a.Reason = Gone, c.Reason
	case LocationOff:
		if !a.Off {
			a.Off, a.OffUntil = true, c.Now.Add(RequestOutlive)
		}
	}
	return a.bounded()
}

// bounded holds what follows from the state, whichever way it was reached.
func (a Alert) bounded() Alert {
	if a.Off && a.State == Raised { // without a place there is nobody to send: it only runs out
		a.DueAt = a.OffUntil
	}
	if a.Off {
		a.DueAt = earlier(a.DueAt, a.OffUntil)
	}
	if a.Final() {
		a.Holder, a.HolderTag, a.Ref, a.Topic, a.Booked, a.Desk = "", "", "", "", nil, ""
	}
	return a
}

// Waits is how long it waits for somebody before it escalates.
func (a Alert) Waits() time.Duration {
	if a.Patience > 0 {
		return a.Patience
	}
	return EscalateAfter
}

// Due is the system's own action when DueAt has passed: escalate, wake, return or expire.
func (a Alert) Due(now time.Time) (Change, bool) {
	if a.Final() || now.Before(a.DueAt) {
		return Change{}, false
	}
	c := Change{Action: Expire, Now: now}
	if a.Kind == Emergency || a.Off && !now.Before(a.OffUntil) {
		return c, true
	}
	switch a.State {
	case Raised:
		c.Action = Escalate
	case Snoozed:
		c.Action = Wake
	case Claimed:
		c.Action = Return
	}
	return c, true
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
