// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"slices"
	"testing"
)

// The table tests drive Step with made-up places: in metres from the boundary.

const t0 = int64(1_700_000_000_000)

// tape plays fixes one second apart unless told otherwise.
type tape struct {
	t     *testing.T
	rules Rules
	p     Presence
	now   int64
	seq   int64
	said  []string
}

func newTape(t *testing.T) *tape { return &tape{t: t, rules: DefaultRules(), now: t0} }

func (tp *tape) fix() Fix {
	tp.seq++
	return Fix{Seq: tp.seq, T: tp.now, At: LatLng{54, 3}, AccuracyM: 10, Precise: true}
}

func placeAt(d float64, zones ...*Zone) Place {
	p := Place{Valid: true, Inside: d <= 0, DistM: d, LevelKnown: true}
	p.N = copy(p.Zones[:], zones)
	return p
}

func (tp *tape) step(f Fix, at Place) Outcome {
	tp.t.Helper()
	var out Outcome
	tp.p, out = tp.rules.Step(tp.p, f, at, tp.now)
	tp.hear(out)
	if out.Accepted != (out.Refused == "" && tp.p.State == Inside) {
		tp.t.Errorf("accepted %v, refused %q in state %d", out.Accepted, out.Refused, tp.p.State)
	}
	return out
}

func (tp *tape) hear(out Outcome) {
	for _, tr := range out.Transitions() {
		s := string(tr.Kind)
		if tr.Zone != nil {
			s += " " + tr.Zone.ID
			if tr.Certain {
				s += "!"
			}
		}
		if tr.Reason != "" {
			s += " " + string(tr.Reason)
		}
		tp.said = append(tp.said, s)
	}
}

// at plays one fix d metres from the boundary after a second, with accuracy a.
func (tp *tape) at(d, a float64, zones ...*Zone) Outcome {
	tp.t.Helper()
	tp.now += 1000
	f := tp.fix()
	f.AccuracyM = a
	return tp.step(f, placeAt(d, zones...))
}

// say plays the phone's own statement after a second.
func (tp *tape) say(where string) Outcome {
	tp.now, tp.seq = tp.now+1000, tp.seq+1
	var out Outcome
	tp.p, out = tp.rules.PhoneOutside(tp.p, where, tp.seq, tp.now)
	tp.hear(out)
	return out
}

// mocked plays a fix that pretends to be d metres from the boundary, after a second.
func (tp *tape) mocked(d float64) Outcome {
	tp.t.Helper()
	tp.now += 1000
	f := tp.fix()
	f.Mocked = true
	return tp.step(f, placeAt(d))
}

func (tp *tape) tick(ms int64) {
	tp.now += ms
	var out Outcome
	tp.p, out = tp.rules.Tick(tp.p, tp.now)
	tp.hear(out)
}

func (tp *tape) enter() *tape {
	tp.t.Helper()
	tp.at(-10, 10)
	tp.at(-10, 10)
	tp.expect(Inside, "enter")
	tp.said = nil
	return tp
}

func (tp *tape) expect(s State, said ...string) {
	tp.t.Helper()
	if tp.p.State != s {
		tp.t.Errorf("state %d, want %d", tp.p.State, s)
	}
	if !slices.Equal(tp.said, said) {
		tp.t.Errorf("said %q, want %q", tp.said, said)
	}
}

// The exact limits at which a fix is or is not judged.
func TestStepRefusesUnfit(t *testing.T) {
	r := DefaultRules()
	for _, c := range []struct {
		name   string
		change func(f *Fix, at *Place)
		want   Refusal
	}{
		{"good", func(*Fix, *Place) {}, ""},
		{"accuracy 50", func(f *Fix, _ *Place) { f.AccuracyM = 50 }, ""},
		{"accuracy above 50", func(f *Fix, _ *Place) { f.AccuracyM = math.Nextafter(50, 51) }, RefusedAccuracy},
		{"accuracy 900", func(f *Fix, _ *Place) { f.AccuracyM = 900 }, RefusedAccuracy},
		{"accuracy unknown", func(f *Fix, _ *Place) { f.AccuracyM = 0 }, RefusedAccuracy},
		{"accuracy negative", func(f *Fix, _ *Place) { f.AccuracyM = -1 }, RefusedAccuracy},
		{"accuracy NaN", func(f *Fix, _ *Place) { f.AccuracyM = math.NaN() }, RefusedRange},
		{"accuracy infinite", func(f *Fix, _ *Place) { f.AccuracyM = math.Inf(1) }, RefusedRange},
		{"latitude 90.1", func(f *Fix, _ *Place) { f.At.Lat = 90.1 }, RefusedRange},
		{"longitude NaN", func(f *Fix, _ *Place) { f.At.Lng = math.NaN() }, RefusedRange},
		{"place not valid", func(_ *Fix, at *Place) { *at = Place{} }, RefusedRange},
		{"approximate", func(f *Fix, _ *Place) { f.Precise = false }, RefusedApproximate},
		{"15 s old", func(f *Fix, _ *Place) { f.T -= r.MaxAgeMS }, ""},
		{"older than 15 s", func(f *Fix, _ *Place) { f.T -= r.MaxAgeMS + 1 }, RefusedStale},
		{"5 s ahead", func(f *Fix, _ *Place) { f.T += r.MaxAheadMS }, ""},
		{"more than 5 s ahead", func(f *Fix, _ *Place) { f.T += r.MaxAheadMS + 1 }, RefusedFuture},
		{"the last number again", func(f *Fix, _ *Place) { f.Seq-- }, RefusedOrder},
		{"captured when the last was", func(f *Fix, _ *Place) { f.T = t0 + 2000 }, RefusedOrder},
		{"mocked", func(f *Fix, _ *Place) { f.Mocked = true }, RefusedMocked},
		{"12 m/s less accuracies", func(f *Fix, _ *Place) { f.At.Lat += (20 + 239) / 111_319.5 }, ""},
		{"faster than 12 m/s", func(f *Fix, _ *Place) { f.At.Lat += (20 + 241) / 111_319.5 }, RefusedSpeed},
		{"outside", func(_ *Fix, at *Place) { *at = placeAt(0.001) }, RefusedOutside},
		{"on the edge", func(_ *Fix, at *Place) { *at = placeAt(0) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tp := newTape(t).enter()
			tp.now += 20_000 // since the last fix; within the lease
			f, at := tp.fix(), placeAt(-5)
			c.change(&f, &at)
			if got := tp.step(f, at).Refused; got != c.want {
				t.Errorf("refused %q, want %q", got, c.want)
			}
		})
	}
}

func TestEnter(t *testing.T) {
	t.Run("one lucky fix is not a visit", func(t *testing.T) {
		tp := newTape(t)
		if out := tp.at(-5, 35); out.Accepted || out.Refused != "" {
			t.Errorf("the first fix must be counted, not stored: %+v", out)
		}
		tp.expect(Entering)
		tp.at(-5, 35)
		tp.expect(Inside, "enter")
	})
	t.Run("not accurate enough", func(t *testing.T) {
		tp := newTape(t)
		for range 20 {
			if got := tp.at(-5, 35.1).Refused; got != RefusedAccuracy {
				t.Fatalf("refused %q", got)
			}
		}
		tp.expect(Outside)
	})
	t.Run("a row is broken, 5 s are not", func(t *testing.T) {
		tp := newTape(t)
		tp.at(-5, 10) // t+0
		tp.at(-5, 45)
		tp.at(3, 10) // outside, not credibly
		tp.at(-5, 10)
		tp.expect(Entering) // broken row: this one counts as the first again
		tp.at(-5, 45)
		tp.at(-5, 10) // 5 s after the first
		tp.expect(Inside, "enter")
	})
	t.Run("4.999 s are not 5 s", func(t *testing.T) {
		tp := newTape(t)
		tp.at(-5, 10)
		tp.at(-5, 45)
		tp.now += 3_999
		f := tp.fix()
		tp.step(f, placeAt(-5))
		tp.expect(Entering)
	})
	t.Run("credibly outside starts over", func(t *testing.T) {
		tp := newTape(t)
		tp.at(-5, 10)
		tp.at(10.1, 10)
		tp.expect(Outside)
	})
	t.Run("silence gives up without a word", func(t *testing.T) {
		tp := newTape(t)
		tp.at(-5, 10)
		tp.tick(29_999)
		tp.expect(Entering)
		tp.tick(1)
		tp.expect(Outside)
	})
	t.Run("the same fix delivered twice is one", func(t *testing.T) {
		tp := newTape(t)
		tp.at(-5, 10)
		f := tp.fix()
		if got := tp.step(f, placeAt(-5)).Refused; got != RefusedOrder {
			t.Errorf("refused %q", got)
		}
		tp.expect(Entering)
	})
}

func TestSuspend(t *testing.T) {
	for _, c := range []struct {
		name string
		d, a float64
		want State
	}{
		{"as far as the accuracy", 10, 10, Inside},
		{"farther than the accuracy", 10.01, 10, Suspended},
		{"capped at 15 m", 15, 40, Inside},
		{"farther than 15 m", 15.01, 40, Suspended},
		{"100 m", 100, 10, Suspended},
		{"farther than 100 m", 100.01, 10, Ended},
	} {
		t.Run(c.name, func(t *testing.T) {
			tp := newTape(t).enter()
			if out := tp.at(c.d, c.a); out.Accepted || out.Refused != RefusedOutside {
				t.Errorf("a fix outside must be refused: %+v", out)
			}
			if tp.p.State != c.want {
				t.Errorf("state %d, want %d", tp.p.State, c.want)
			}
		})
	}
	t.Run("change detector", func(t *testing.T) {
		tp := newTape(t).enter()
		tp.at(9, 10) // S = 1
		tp.expect(Inside)
		tp.at(5, 10) // S = 1.2
		tp.expect(Suspended, "suspend seems_out")
	})
	t.Run("change detector forgets inside", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 20 {
			tp.at(9, 10)
			tp.at(-1, 10)
		}
		tp.expect(Inside)
	})
	for _, c := range []struct {
		name   string
		before func(tp *tape) // leaves the detector high, and the visit inside
		said   []string
	}{
		{"entering", func(tp *tape) {
			for range 10 {
				tp.at(50, 10)
			}
			tp.enter()
		}, nil},
		{"resuming", func(tp *tape) {
			tp.enter()
			for range 12 {
				tp.at(15, 40) // in doubt: hides, and never ends
			}
			tp.at(-1, 10)
			tp.at(-1, 10)
		}, []string{"suspend seems_out", "resume"}},
	} {
		t.Run("change detector begins anew on "+c.name, func(t *testing.T) {
			tp := newTape(t)
			c.before(tp)
			tp.expect(Inside, c.said...)
			tp.at(4, 10) // too little to hide anybody
			tp.expect(Inside, c.said...)
		})
	}
	for _, why := range []Refusal{RefusedMocked, RefusedSpeed} {
		t.Run(string(why)+" and outside suspends, and does not end", func(t *testing.T) {
			tp := newTape(t).enter()
			for range 5 {
				tp.now += 1000
				f := tp.fix()
				f.Mocked = why == RefusedMocked
				f.At.Lat += 0.01
				if got := tp.step(f, placeAt(150)).Refused; got != why {
					t.Fatalf("refused %q, want %q", got, why)
				}
			}
			tp.expect(Suspended, "suspend seems_out")
		})
	}
}

func TestEnd(t *testing.T) {
	t.Run("10 s suspended", func(t *testing.T) {
		tp := newTape(t).enter()
		tp.at(10.1, 10)
		if got, want := tp.p.LeaseUntil(), tp.now+10_000; got != want {
			t.Errorf("lease until %d, want %d", got, want)
		}
		tp.tick(9_999)
		tp.expect(Suspended, "suspend seems_out")
		tp.tick(1)
		tp.expect(Ended, "suspend seems_out", "end left_store")
		if out := tp.at(-5, 10); out.Refused != RefusedOutside || tp.p.State != Ended {
			t.Errorf("what is gone stays gone: %+v", out)
		}
	})
	for _, c := range []struct {
		name    string
		against func(tp *tape) // a second after the suspension
		anew    bool           // do the 10 s begin again?
	}{
		{"inside", func(tp *tape) { tp.at(-0.1, 50) }, true},
		{"outside, not credibly", func(tp *tape) { tp.at(9, 9) }, true},
		{"the phone says edge", func(tp *tape) { tp.say("edge") }, true},
		{"outside, credibly", func(tp *tape) { tp.at(9.01, 9) }, false},
		{"the phone says unknown", func(tp *tape) { tp.say("unknown") }, false},
		{"inside, mocked", func(tp *tape) { tp.mocked(-5) }, false},
		{"outside, not credibly, mocked", func(tp *tape) { tp.mocked(9) }, false},
		{"not accurate enough", func(tp *tape) { tp.at(-5, 50.1) }, false},
	} {
		t.Run("10 s begin anew: "+c.name, func(t *testing.T) {
			tp := newTape(t).enter()
			tp.at(10.1, 10)
			c.against(tp)
			tp.tick(8_999)
			tp.expect(Suspended, "suspend seems_out")
			tp.tick(1)
			if ended := tp.p.State == Ended; ended == c.anew {
				t.Errorf("ended: %v", ended)
			}
			tp.tick(1_000)
			tp.expect(Ended, "suspend seems_out", "end left_store")
		})
	}
	t.Run("doubt lasts no longer than the lease", func(t *testing.T) {
		tp := newTape(t).enter()
		tp.at(10.1, 10)
		for range 28 {
			tp.at(4, 10)
		}
		tp.expect(Suspended, "suspend seems_out")
		tp.tick(1_000)
		tp.expect(Ended, "suspend seems_out", "end silent")
	})
	t.Run("too late to resume", func(t *testing.T) {
		tp := newTape(t).enter()
		tp.at(10.1, 10)
		tp.at(-5, 10)
		tp.now += 9_000
		tp.at(-5, 10)
		tp.expect(Ended, "suspend seems_out", "end left_store")
	})
	t.Run("silent", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 29 {
			tp.at(-5, 51) // heard, and renews nothing
		}
		tp.tick(999)
		tp.expect(Inside)
		tp.tick(1)
		tp.expect(Ended, "end silent")
	})
	for _, c := range []struct {
		name  string
		ahead int64 // the phone's clock, of the server's
		lease int64 // from the server's now
	}{
		{"the lease counts from the capture", -9_000, 21_000},
		{"a fix at once has the whole lease", 0, 30_000},
		{"a phone's clock that is ahead lengthens no lease", 1, 30_000},
		{"nor one as far ahead as is taken", 5_000, 30_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			tp := newTape(t).enter()
			tp.now += 10_000
			f := tp.fix()
			f.T += c.ahead
			if !tp.step(f, placeAt(-5)).Accepted {
				t.Fatal("refused")
			}
			if got, want := tp.p.LeaseUntil(), tp.now+c.lease; got != want {
				t.Errorf("lease until %d, want %d", got, want)
			}
		})
	}
	t.Run("close", func(t *testing.T) {
		tp := newTape(t).enter()
		tp.p, _ = tp.rules.Close(tp.p, StoreClosed, tp.now)
		if tp.p != (Presence{State: Ended, seq: tp.p.seq, captured: tp.p.captured}) {
			t.Errorf("something is left of the visit: %+v", tp.p)
		}
	})
	t.Run("close before entering is silent", func(t *testing.T) {
		tp := newTape(t)
		tp.at(-5, 10)
		var out Outcome
		tp.p, out = tp.rules.Close(tp.p, StoreClosed, tp.now)
		tp.hear(out)
		tp.expect(Ended)
	})
}

// Two fixes in a row end a visit, if each is far enough out, and somebody can have walked there.
func TestTwoInARow(t *testing.T) {
	type fix struct {
		after int64 // ms since the one before
		d, a  float64
	}
	for _, c := range []struct {
		name  string
		fixes []fix
		want  State
	}{
		{"one is not two", []fix{{20_000, 14, 13}}, Suspended},
		{"two", []fix{{20_000, 14, 13}, {1000, 14, 13}}, Ended},
		{"two at 12 m", []fix{{20_000, 12, 5}, {1000, 12, 5}}, Suspended},
		{"two beyond 12 m", []fix{{20_000, 12.01, 5}, {1000, 12.01, 5}}, Ended},
		{"two as far as the accuracy", []fix{{20_000, 13, 13}, {1000, 13, 13}}, Suspended}, // by the detector
		{"two beyond the accuracy", []fix{{20_000, 13.01, 13}, {1000, 13.01, 13}}, Ended},
		{"two at 15 m", []fix{{20_000, 15, 40}, {1000, 15, 40}}, Suspended},
		{"two beyond 15 m", []fix{{20_000, 15.01, 40}, {1000, 15.01, 40}}, Ended},
		{"the second is not far enough", []fix{{10_000, 14, 10}, {1000, 12, 5}, {1000, 14, 10}}, Suspended},
		{"one inside between", []fix{{10_000, 14, 10}, {1000, -1, 5}, {9000, 14, 10}}, Suspended},
		{"a 12 m walk takes longer", []fix{{8000, 40, 5}, {1, 40, 5}}, Suspended},
		{"a 12 m walk takes 8 s", []fix{{8001, 40, 5}, {1, 40, 5}}, Ended},
		{"a walk takes longer than a jump", []fix{{1000, 40, 5}, {1000, 40, 5}, {6000, 40, 5}}, Suspended},
		{"a jump that stays", []fix{{1000, 40, 5}, {1000, 40, 5}, {6001, 40, 5}, {1000, 40, 5}}, Ended},
		{"the same one twice", []fix{{20_000, 14, 13}, {0, 14, 13}}, Suspended},
	} {
		t.Run(c.name, func(t *testing.T) {
			tp := newTape(t).enter()
			for _, f := range c.fixes {
				tp.now += f.after - 1000
				tp.at(f.d, f.a)
			}
			if tp.p.State != c.want {
				t.Errorf("state %d, want %d; said %q", tp.p.State, c.want, tp.said)
			}
		})
	}
}

func TestResume(t *testing.T) {
	tp := newTape(t).enter()
	tp.at(10.1, 10)
	if out := tp.at(-5, 10); out.Accepted || out.Refused != "" {
		t.Errorf("the first fix back is counted, not stored: %+v", out)
	}
	if _, n, _ := tp.p.Zones(); n != 0 {
		t.Error("who is hidden is in no zone")
	}
	tp.at(10.1, 10) // out again: the row is over
	tp.at(-5, 10)
	tp.expect(Suspended, "suspend seems_out")
	if out := tp.at(-5, 10); !out.Accepted {
		t.Errorf("the second fix back is accepted: %+v", out)
	}
	tp.expect(Inside, "suspend seems_out", "resume")
}

func TestPhoneOutside(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  State
		said  []string
	}{
		{[]string{"edge", "unknown", "edge"}, Inside, nil},
		{[]string{"out"}, Suspended, []string{"suspend phone_outside"}},
		{[]string{"out", "out"}, Ended, []string{"suspend phone_outside", "end phone_outside"}},
		{[]string{"out", "unknown", "out"}, Ended, []string{"suspend phone_outside", "end phone_outside"}},
		{[]string{"out", "edge", "out"}, Suspended, []string{"suspend phone_outside"}},
		{[]string{"far"}, Ended, []string{"end phone_outside"}},
		{[]string{"home"}, Inside, nil},
	} {
		tp := newTape(t).enter()
		before := tp.p.LeaseUntil()
		for _, w := range c.words {
			if out := tp.say(w); (w == "home") != (out.Refused == RefusedRange) || out.Accepted {
				t.Errorf("%s: %+v", w, out)
			}
		}
		tp.expect(c.want, c.said...)
		if tp.p.LeaseUntil() > before {
			t.Errorf("%q renewed the lease", c.words)
		}
		if _, out := tp.rules.PhoneOutside(tp.p, "out", tp.seq, tp.now); c.want != Ended && out.Refused != RefusedOrder {
			t.Errorf("the same number again: %+v", out)
		}
	}
}

// Two fixes in a row are not in a row with a statement between them that one may be outside.
func TestStatementsBreakTheRowTowardEntering(t *testing.T) {
	for _, w := range []string{"edge", "unknown", "out", "far"} {
		tp := newTape(t)
		tp.at(-5, 10)
		tp.say(w)
		tp.at(-5, 10)
		tp.expect(Entering)
		tp.at(-5, 10)
		tp.expect(Inside, "enter")
	}
}

// Soon after an end by the fence it takes ten seconds inside, without a fix outside, to enter anew; after any other
// end, or a minute later, as much as ever.
func TestEnterAgain(t *testing.T) {
	ended := map[string]func(tp *tape){
		"by fixes":             func(tp *tape) { tp.at(101, 5) },
		"by time suspended":    func(tp *tape) { tp.at(20, 5); tp.tick(10_000) },
		"by the phone's word":  func(tp *tape) { tp.say("far") },
		"because it went away": func(tp *tape) { tp.tick(30_000) },
	}
	for name, end := range ended {
		t.Run(name, func(t *testing.T) {
			start := func() *tape {
				tp := newTape(t)
				tp.at(-5, 10)
				tp.at(-5, 10)
				end(tp)
				if tp.p.State != Ended {
					t.Fatalf("not ended: %v", tp.said)
				}
				tp.p, tp.said = tp.p.Next(), nil
				return tp
			}
			fixes := 11 // a second apart: the last one ten seconds after the first
			if name == "because it went away" {
				fixes = 2
			}
			tp := start()
			for i := range fixes {
				if tp.p.State == Inside {
					t.Fatalf("entered with fix %d", i)
				}
				tp.at(-5, 10)
			}
			if tp.p.State != Inside {
				t.Errorf("not entered with fix %d: %v", fixes, tp.said)
			}
			if fixes == 2 {
				return
			}
			tp = start()
			for range 9 {
				tp.at(-5, 10)
			}
			tp.at(1, 10) // within the doubt, and yet it begins anew
			tp.at(-5, 10)
			tp.at(-5, 10)
			if tp.p.State == Inside {
				t.Error("entered with a fix outside in between")
			}
			tp = start()
			tp.now += 59_000
			tp.at(-5, 10)
			tp.at(-5, 10)
			if tp.p.State != Inside {
				t.Error("not entered with two fixes a minute later")
			}
		})
	}
}
