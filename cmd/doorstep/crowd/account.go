// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"errors"
	"time"

	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
)

// account is what one phone reported during a visit, when, and what it was told became of it: enough to
// say which report hid the shopper and which one ended the visit. Only its owner touches it.
//
// Reports are numbered, fixes and the phone's own words ("out") alike. Fixes are acknowledged: a
// refused one at once and alone, so that an ack never spans a change of outcome. Words are not. A change
// of state is told first, and the fix that brought it about is acknowledged right after:
//
//	told                        brought about by
//	active                      the fix that the next ack is about
//	suspended, seems_out        the fix that the next ack is about
//	suspended, phone_outside    the first "out" since the visit was last active
//	ended, left_store           time, if the suspension has run out; or else a fix: see confirming
//	ended, phone_outside        a "far", or as many "out" in a row as end a visit: see lastWord
type account struct {
	rules geofence.Rules
	said  []report // by number, from 1
	acked int64

	await    *int64 // where the number goes that the next ack is about
	active   int64  // the fix that made the visit active
	refusedT int64  // server time of the last ack of a refused fix

	hidden *told // since the visit was last active
	ended  *told
}

// report is one thing that a phone said.
type report struct {
	at    time.Time // right before it was sent
	fix   bool      // else the phone's own word
	where string    // as its fence has it, said or not: inside, edge, out, far, unknown
	fate  fate      // of a fix
}

type fate uint8

const (
	unknown fate = iota // not acknowledged yet, or never
	counted             // toward entering or resuming
	accepted
	outside // refused as such
	refused // for another reason
)

// told is a change of state that a phone was told of.
type told struct {
	at     time.Time
	server int64 // when the server wrote it, Unix milliseconds
	reason string
	by     int64 // the report that brought it about; 0 while that is not known, and for time
}

// Reasons for which the fence hides and ends.
const (
	seemsOut  = string(geofence.SeemsOut)
	leftStore = string(geofence.LeftStore)
	phoneSays = string(geofence.PhoneSays)
)

// says reports whether it is the phone's own word, and that one, and was taken.
func (r report) says(word string) bool { return !r.fix && r.where == word && r.fate != refused }

// report takes down what is about to be sent: a fix, or only where it is.
func (a *account) report(fix bool, where string, at time.Time) {
	a.said = append(a.said, report{at: at, fix: fix, where: where})
}

// unsaid takes the last report back: it could not be sent.
func (a *account) unsaid() { a.said = a.said[:len(a.said)-1] }

// ack takes down what became of fixes, and returns how many of them it is about.
func (a *account) ack(k client.Ack) (fixes int, became fate) {
	became = fateOf(k)
	if k.Seq <= a.acked {
		return 0, became // a beat
	}
	last := min(k.Seq, int64(len(a.said)))
	for i := a.acked; i < last; i++ {
		if a.said[i].fix {
			a.said[i].fate = became
			fixes++
		}
	}
	if became == refused && last > 0 { // a word too, if it came too fast to be taken
		a.said[last-1].fate = refused
	}
	a.acked = k.Seq
	if became >= outside {
		a.refusedT = k.T
	}
	if a.await != nil {
		*a.await, a.await = k.Seq, nil
	} else if a.ended != nil && became >= outside {
		a.ended.by = k.Seq // it came after the end that it brought about
	}
	return fixes, became
}

func fateOf(k client.Ack) fate {
	switch {
	case k.Refused["outside"] > 0:
		return outside
	case len(k.Refused) > 0:
		return refused
	case k.AcceptedSeq == k.Seq:
		return accepted
	}
	return counted
}

// state takes down what the phone was told.
func (a *account) state(s client.State, at time.Time) {
	t := &told{at: at, server: s.T, reason: s.Reason}
	switch {
	case a.ended != nil:
	case s.State == "active":
		a.hidden, a.await = nil, &a.active
	case s.State == "suspended" && s.Reason == phoneSays:
		a.hidden = t
		t.by = a.first(func(r report) bool { return r.says("out") })
	case s.State == "suspended" && s.Reason == seemsOut:
		a.hidden, a.await = t, &t.by
	case s.State == "ended":
		a.ended, a.await = t, nil
	}
}

// first is the number of the first report of a kind since the visit was last active; 0 if there is none.
func (a *account) first(kind func(report) bool) int64 {
	for i := a.active; i < int64(len(a.said)); i++ {
		if kind(a.said[i]) {
			return i + 1
		}
	}
	return 0
}

// cause is a report that hid a shopper or ended a visit.
type cause struct {
	at      time.Time // when it was sent
	byPhone bool      // the phone's own word, not a fix
}

// exit is what is known of a visit that ended because the shopper left.
type exit struct {
	first     time.Time // when the first report outside was sent, credible or not
	hiding    cause
	suspended time.Time // when the app was told
	ending    cause     // zero if time ended it
	byTime    bool
	inferred  bool // the acks left two fixes that may have ended it; the server's clock decided
}

// blankWithin is how long it may take until a console hides somebody of whom there is no position.
const blankWithin = 2 * time.Second

// hiddenBefore reports whether a console hid the shopper for another reason: still inside, but where
// staff do not see, such as a fitting room.
func (x exit) hiddenBefore(hidden time.Time) bool {
	return hidden.Before(x.hiding.at) && hidden.Before(x.first.Add(blankWithin))
}

var errNoCause = errors.New("an exit that no report explains: a latency would be a guess")

// exit says what brought the end about. Everything the server had to say must have been taken down.
func (a *account) exit() (x exit, err error) {
	by := a.ended.by
	switch x.byTime = a.ranOut(); {
	case x.byTime:
		by = 0
	case a.ended.reason == phoneSays:
		by = a.lastWord()
	case by == 0:
		by, x.inferred = a.confirming()
	}
	hidden := a.hidden
	if hidden == nil { // so far outside that it ended at once
		hidden = &told{at: a.ended.at, by: by}
	}
	if hidden.by == 0 || by == 0 && !x.byTime {
		return x, errNoCause
	}
	x.hiding, x.suspended = a.cause(hidden.by), hidden.at
	if by > 0 {
		x.ending = a.cause(by)
	}
	x.first = x.hiding.at // which may not have been refused as outside, but as too fast to be believed
	if n := a.first(func(r report) bool { return r.fate == outside || !r.fix }); n > 0 && n < hidden.by {
		x.first = a.said[n-1].at
	}
	return x, nil
}

func (a *account) cause(seq int64) cause {
	r := a.said[seq-1]
	return cause{at: r.at, byPhone: !r.fix}
}

// ranOut reports whether time ended the visit: what the fence says then is left_store as well. The time
// begins anew with whatever speaks against the end. Within half a report of the limit, it is taken to
// be so.
func (a *account) ranOut() bool {
	if a.hidden == nil || a.hidden.by == 0 || a.ended.reason != leftStore {
		return false
	}
	began := a.hidden.server
	for _, r := range a.said[a.hidden.by:] {
		reached := a.hidden.server + r.at.Sub(a.said[a.hidden.by-1].at).Milliseconds() // as fast as the one that hid it
		if r.against() && reached < a.ended.server {
			began = reached
		}
	}
	return a.ended.server-began >= a.rules.SuspendMS-fixPace.Milliseconds()/2
}

// against reports whether a report puts the end off: from inside, or outside no farther than the doubt goes.
func (r report) against() bool {
	return r.fate != refused && (r.where == "edge" || r.fate == accepted || r.fate == counted)
}

// confirming is the fix that ended the visit, if its ack did not come after the end. The server closes
// beside judging, so that ack may have come before, or be lost: it is the last fix that was refused,
// or, not acknowledged, the next one, if that was on its way when the end was told. Between the two
// the server's clock decides: what ends a visit and the end are written in the same moment.
func (a *account) confirming() (seq int64, inferred bool) {
	for i := min(a.acked, int64(len(a.said))); i > a.active && seq == 0; i-- {
		if a.said[i-1].fate >= outside {
			seq = i
		}
	}
	for i := max(a.acked, 0); i < int64(len(a.said)); i++ {
		next := a.said[i]
		if !next.fix || next.at.After(a.ended.at) {
			continue
		}
		if seq == 0 {
			return i + 1, false
		}
		between := next.at.Sub(a.said[seq-1].at)
		if a.ended.server-a.refusedT > between.Milliseconds()/2 {
			seq = i + 1
		}
		return seq, true
	}
	return seq, false
}

// lastWord is the phone's word that ended the visit, reckoned as the fence does: as many "out" in a row
// as its rules ask for, which whatever speaks against the end breaks; or one "far".
func (a *account) lastWord() int64 {
	row := 0
	for i, r := range a.said {
		seq := int64(i + 1)
		switch {
		case r.says("far") && seq > a.active:
			return seq
		case r.against():
			row = 0
		case r.says("out"):
			if row++; row >= a.rules.EndFixes && a.hidden != nil && seq > a.hidden.by {
				return seq
			}
		}
	}
	return 0
}
