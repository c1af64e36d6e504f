// SPDX-License-Identifier: Apache-2.0

package geofence

import "testing"

// Where the lease and a suspension run out at the same moment, it is the fence that ends the visit: the shopper was
// outside, not silent.
func TestTieOfLeaseAndSuspension(t *testing.T) {
	for _, c := range []struct {
		lease int64
		says  string
	}{{12_000, "end silent"}, {12_001, "end left_store"}, {12_002, "end left_store"}} {
		tp := newTape(t)
		tp.rules.LeaseMS, tp.rules.SuspendMS = c.lease, 11_001
		tp.enter()
		tp.at(-5, 10) // accepted at 0 s, suspended at 1: runs out at 12.001 s
		tp.at(20, 10)
		tp.tick(11_001)
		tp.expect(Ended, "suspend seems_out", c.says)
	}
}

// Two fixes inside resume; between them nothing may speak for outside, but what says nothing may come.
func TestRowTowardResuming(t *testing.T) {
	for name, c := range map[string]struct {
		between func(tp *tape)
		state   State
		said    []string
	}{
		"nothing":          {func(tp *tape) {}, Inside, []string{"suspend seems_out", "resume"}},
		"a useless fix":    {func(tp *tape) { tp.at(-5, 60) }, Inside, []string{"suspend seems_out", "resume"}},
		"a mocked one":     {func(tp *tape) { tp.mocked(-5) }, Inside, []string{"suspend seems_out", "resume"}},
		"in doubt outside": {func(tp *tape) { tp.at(3, 10) }, Inside, []string{"suspend seems_out", "resume"}},
		"the phone's edge": {func(tp *tape) { tp.say("edge") }, Inside, []string{"suspend seems_out", "resume"}},
		"a fix outside":    {func(tp *tape) { tp.at(20, 10) }, Suspended, []string{"suspend seems_out"}},
		"the phone's out":  {func(tp *tape) { tp.say("out") }, Suspended, []string{"suspend seems_out"}},
		"the phone's far":  {func(tp *tape) { tp.say("far") }, Ended, []string{"suspend seems_out", "end phone_outside"}},
	} {
		t.Run(name, func(t *testing.T) {
			tp := newTape(t).enter()
			tp.at(20, 10)
			tp.at(-5, 10)
			c.between(tp)
			tp.at(-5, 10)
			tp.expect(c.state, c.said...)
		})
	}
}

// What a phone says before there is a visit leaves nothing, but that what was captured before it is the past.
func TestPhoneLeavesBeforeEntering(t *testing.T) {
	for _, where := range []string{"out", "far"} {
		tp := newTape(t)
		tp.say(where)
		tp.expect(Outside)

		tp.at(-10, 10)
		tp.expect(Entering)
		before := tp.now
		tp.say(where)
		tp.expect(Outside)
		f := tp.fix()
		if f.T = before; tp.step(f, placeAt(-10)).Refused != RefusedOrder {
			t.Errorf("%s: a fix captured before it counts", where)
		}
		tp.at(-10, 10)
		tp.expect(Entering) // and not inside: the row began anew
	}
}

// An end is the end: no statement, closing or silence changes anything.
func TestEndedIsFinal(t *testing.T) {
	tp := newTape(t).enter()
	tp.at(200, 10)
	tp.expect(Ended, "end left_store")
	was := tp.p
	if out := tp.say("out"); out.Refused != RefusedOutside {
		t.Errorf("refused %q", out.Refused)
	}
	tp.p, _ = tp.rules.Close(tp.p, LeftStore, tp.now+5_000)
	tp.tick(1_000_000)
	if tp.p != was {
		t.Errorf("was %+v, is %+v", was, tp.p)
	}
}

// For exactly a minute after an end by the fence it takes longer to enter.
func TestWaryForAMinute(t *testing.T) {
	for wait, state := range map[int64]State{58_998: Entering, 58_999: Inside} {
		tp := newTape(t).enter()
		tp.at(200, 10)
		tp.p = tp.p.Next()
		tp.now += wait - 1_000
		tp.at(-5, 10)
		tp.now++
		tp.at(-5, 10)
		if tp.p.State != state {
			t.Errorf("two fixes, the second %d ms after the end: state %d, want %d", wait+1_001, tp.p.State, state)
		}
	}
}

// Who is hidden is in no zone, and has been waiting nowhere.
func TestHiddenIsInNoZone(t *testing.T) {
	desk := &Zone{ID: "desk", HalfWidthM: 20}
	tp := newTape(t).enter()
	tp.at(-5, 5, desk)
	if _, n, certain := tp.p.Zones(); n != 1 || certain || tp.p.ZoneSince() != 0 {
		t.Errorf("only likely, and %d zones, certain %v, since %d", n, certain, tp.p.ZoneSince())
	}
	for range 10 {
		tp.at(-5, 5, desk)
	}
	if _, n, certain := tp.p.Zones(); n != 1 || !certain || tp.p.ZoneSince() == 0 {
		t.Fatalf("%d zones, since %d", n, tp.p.ZoneSince())
	}
	tp.at(20, 10)
	if z, n, certain := tp.p.Zones(); n != 0 || z != [2]*Zone{} || certain || tp.p.ZoneSince() != 0 {
		t.Errorf("hidden: %v, %d, %v, since %d", z, n, certain, tp.p.ZoneSince())
	}
}
