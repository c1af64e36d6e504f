// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"errors"
	"testing"
	"time"

	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
)

var epoch = time.UnixMilli(1_700_000_000_000)

func at(ms int64) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

// step is one thing that an account takes down.
type step func(*account)

func fix(ms int64) step { return fixFrom("out", ms) }

func fixFrom(where string, ms int64) step {
	return func(a *account) { a.report(true, where, at(ms)) }
}

func word(w string, ms int64) step { return func(a *account) { a.report(false, w, at(ms)) } }

// threeInARow are rules that end a visit by three signs.
func threeInARow() geofence.Rules {
	r := geofence.DefaultRules()
	r.EndFixes = 3
	return r
}

func ackAccepted(seq, ms int64) step {
	return func(a *account) { a.ack(client.Ack{T: at(ms).UnixMilli(), Seq: seq, AcceptedSeq: seq}) }
}

func ackCounted(seq, ms int64) step {
	return func(a *account) { a.ack(client.Ack{T: at(ms).UnixMilli(), Seq: seq}) }
}

func ackRefused(seq int64, code string, ms int64) step {
	return func(a *account) {
		a.ack(client.Ack{T: at(ms).UnixMilli(), Seq: seq, Refused: map[string]int{code: 1}})
	}
}

func isTold(state, reason string, ms int64) step { return toldLate(state, reason, ms, ms) }

// toldLate is a state that the server wrote at one time and the phone read at another.
func toldLate(state, reason string, wrote, read int64) step {
	return func(a *account) {
		a.state(client.State{T: at(wrote).UnixMilli(), State: state, Reason: reason}, at(read))
	}
}

// enter is a fix that counts and one that makes the visit active: reports 1 and 2.
func enter() []step {
	return []step{fix(0), ackCounted(1, 1), fix(1000), isTold("active", "", 1001), ackAccepted(2, 1001)}
}

func TestAccountFindsCauses(t *testing.T) {
	for name, c := range map[string]struct {
		steps    []step
		first    int64 // when the reports were sent, in milliseconds
		hiding   int64
		ending   int64
		byPhone  bool
		byTime   bool
		inferred bool
	}{
		"fixes, the last ack before the end": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			fix(3000), ackRefused(4, "outside", 3001), fix(4000), ackRefused(5, "outside", 4001), isTold("ended", leftStore, 4002),
		}, first: 2000, hiding: 2000, ending: 4000},
		"the last ack after the end": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			fix(3000), ackRefused(4, "outside", 3001), fix(4000), isTold("ended", leftStore, 4001), ackRefused(5, "outside", 4001),
		}, first: 2000, hiding: 2000, ending: 4000},
		"the last ack after the end, and one more fix on its way": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			fix(3000), fix(4000), toldLate("ended", leftStore, 3001, 4001), ackRefused(4, "outside", 3001),
		}, first: 2000, hiding: 2000, ending: 3000},
		"the last ack lost": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			fix(3000), ackRefused(4, "outside", 3001), fix(4000), isTold("ended", leftStore, 4001),
		}, first: 2000, hiding: 2000, ending: 4000, inferred: true},
		"told after the next fix was sent": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			fix(3000), ackRefused(4, "outside", 3001), fix(4000), toldLate("ended", leftStore, 3001, 4001),
		}, first: 2000, hiding: 2000, ending: 3000, inferred: true},
		"suspended, told seconds late": {steps: []step{
			fix(2000), fix(3000), fix(4000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			ackRefused(4, "outside", 3001), ackRefused(5, "outside", 4001), isTold("ended", leftStore, 4001),
		}, first: 2000, hiding: 2000, ending: 4000},
		"in doubt first": {steps: []step{
			fix(2000), ackRefused(3, "outside", 2001), fix(3000), isTold("suspended", seemsOut, 3001), ackRefused(4, "outside", 3001),
			fix(4000), ackRefused(5, "outside", 4001), isTold("ended", leftStore, 4001),
		}, first: 2000, hiding: 3000, ending: 4000},
		"too fast to be believed, and outside": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "speed", 2001),
			fix(3000), ackRefused(4, "outside", 3001), isTold("ended", leftStore, 3001),
		}, first: 2000, hiding: 2000, ending: 3000},
		"a beat between": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackAccepted(2, 2001), ackRefused(3, "outside", 2001),
			fix(3000), ackRefused(4, "outside", 3001), isTold("ended", leftStore, 3001),
		}, first: 2000, hiding: 2000, ending: 3000},
		"one fix far away": {steps: []step{
			fix(2000), isTold("ended", leftStore, 2001), ackRefused(3, "outside", 2001),
		}, first: 2000, hiding: 2000, ending: 2000},
		"taken back in between": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			fix(3000), ackCounted(4, 3001), fix(4000), isTold("active", "", 4001), ackAccepted(5, 4001),
			fix(5000), isTold("suspended", seemsOut, 5001), ackRefused(6, "outside", 5001),
			fix(6000), ackRefused(7, "outside", 6001), isTold("ended", leftStore, 6001),
		}, first: 5000, hiding: 5000, ending: 6000},
		"time ran out": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			fix(3000), ackRefused(4, "outside", 3001), isTold("ended", leftStore, 12_001),
		}, first: 2000, hiding: 2000, byTime: true},
		"time ran out, as a fix showed": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			fix(12_100), isTold("ended", leftStore, 12_101), ackRefused(4, "outside", 12_101),
		}, first: 2000, hiding: 2000, byTime: true},
		"time ran out, put off by a fix inside": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			fix(9000), ackCounted(4, 9001), isTold("ended", leftStore, 19_001),
		}, first: 2000, hiding: 2000, byTime: true},
		"time ran out before what would have put it off": {steps: []step{
			word("out", 2000), isTold("suspended", phoneSays, 2001), word("edge", 12_500), toldLate("ended", leftStore, 12_001, 12_600),
		}, first: 2000, hiding: 2000, byPhone: true, byTime: true},
		"a word in doubt that came too fast": {steps: []step{
			word("out", 2000), isTold("suspended", phoneSays, 2001), word("out", 3000), word("edge", 4000), ackRefused(5, "rate", 4001),
			word("out", 5000), isTold("ended", phoneSays, 5001),
		}, first: 2000, hiding: 2000, ending: 5000, byPhone: true},
		"a fix in time that was put off": {steps: []step{
			fix(2000), isTold("suspended", seemsOut, 2001), ackRefused(3, "outside", 2001),
			fixFrom("edge", 9000), ackRefused(4, "outside", 9001), fix(12_500), ackRefused(5, "outside", 12_501), isTold("ended", leftStore, 12_501),
		}, first: 2000, hiding: 2000, ending: 12_500},
		"words in a row, broken by one in doubt": {steps: []step{
			word("out", 2000), isTold("suspended", phoneSays, 2001), word("out", 3000), word("edge", 4000),
			word("out", 5000), word("out", 6000), word("out", 7000), isTold("ended", phoneSays, 7001),
		}, first: 2000, hiding: 2000, ending: 7000, byPhone: true},
		"the phone's own words": {steps: []step{
			word("edge", 2000), word("out", 3000), isTold("suspended", phoneSays, 3001),
			word("out", 4000), word("out", 5000), isTold("ended", phoneSays, 5001),
		}, first: 2000, hiding: 3000, ending: 5000, byPhone: true},
		"its own words, told seconds late": {steps: []step{
			word("out", 2000), word("out", 3000), word("out", 4000), word("out", 5000),
			toldLate("suspended", phoneSays, 2001, 5100), toldLate("ended", phoneSays, 4001, 5100),
		}, first: 2000, hiding: 2000, ending: 4000, byPhone: true},
		"its own words, taken back in between": {steps: []step{
			word("out", 2000), isTold("suspended", phoneSays, 2001), word("out", 3000),
			fix(4000), ackCounted(5, 4001), fix(5000), isTold("active", "", 5001), ackAccepted(6, 5001),
			word("out", 6000), isTold("suspended", phoneSays, 6001),
			word("out", 7000), word("out", 8000), isTold("ended", phoneSays, 8001),
		}, first: 6000, hiding: 6000, ending: 8000, byPhone: true},
		"far, in its own word": {steps: []step{
			word("far", 2000), isTold("ended", phoneSays, 2001),
		}, first: 2000, hiding: 2000, ending: 2000, byPhone: true},
		"a word that came too fast": {steps: []step{
			word("out", 2000), ackRefused(3, "rate", 2001), word("out", 3000), isTold("suspended", phoneSays, 3001),
			word("out", 4000), word("out", 5000), isTold("ended", phoneSays, 5001),
		}, first: 2000, hiding: 3000, ending: 5000, byPhone: true},
	} {
		t.Run(name, func(t *testing.T) {
			a := account{rules: threeInARow()}
			for _, s := range append(enter(), c.steps...) {
				s(&a)
			}
			x, err := a.exit()
			if err != nil {
				t.Fatal(err)
			}
			ending := cause{}
			if !c.byTime {
				ending = cause{at(c.ending), c.byPhone}
			}
			if want := (cause{at(c.hiding), c.byPhone}); x.hiding != want || x.ending != ending {
				t.Errorf("hidden by %v, ended by %v; it was %v and %v", x.hiding, x.ending, want, ending)
			}
			if x.byTime != c.byTime || x.inferred != c.inferred || !x.first.Equal(at(c.first)) {
				t.Errorf("by time %v, inferred %v, first outside at %v", x.byTime, x.inferred, x.first.Sub(epoch))
			}
		})
	}
}

// What no report explains is no latency.
func TestAccountDoesNotGuess(t *testing.T) {
	for name, steps := range map[string][]step{
		"an end without a report":     {isTold("ended", leftStore, 2000)},
		"a word that was never said":  {isTold("suspended", phoneSays, 2000), fix(3000), ackRefused(3, "outside", 3001), isTold("ended", leftStore, 3001)},
		"too few words":               {word("out", 2000), isTold("suspended", phoneSays, 2001), word("out", 3000), isTold("ended", phoneSays, 3001)},
		"a suspension without an ack": {fix(2000), isTold("suspended", seemsOut, 2001), isTold("ended", leftStore, 12_001)},
	} {
		a := account{rules: threeInARow()}
		for _, s := range append(enter(), steps...) {
			s(&a)
		}
		if x, err := a.exit(); !errors.Is(err, errNoCause) {
			t.Errorf("%s: %+v, %v", name, x, err)
		}
	}
}

// Whom a console hid already, in a fitting room, was not hidden by leaving; later than that, a hiding
// before its cause is a cause that was mistaken.
func TestHiddenBefore(t *testing.T) {
	x := exit{first: at(5000), hiding: cause{at: at(9000)}}
	for ms, want := range map[int64]bool{1000: true, 5000: true, 6999: true, 7000: false, 8999: false, 9000: false, 9001: false} {
		if x.hiddenBefore(at(ms)) != want {
			t.Errorf("hidden after %d ms: %v", ms, !want)
		}
	}
	at0 := exit{first: at(5000), hiding: cause{at: at(5000)}}
	if at0.hiddenBefore(at(5001)) || !at0.hiddenBefore(at(4999)) {
		t.Error("the cause itself is the limit")
	}
}
