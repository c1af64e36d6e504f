// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math"
	"strings"
	"testing"
)

func TestZoneSteps(t *testing.T) {
	shoes := &Zone{ID: "shoes", HalfWidthM: 6}
	desk := &Zone{ID: "desk", HalfWidthM: 2}
	books := &Zone{ID: "books", HalfWidthM: 6}
	t.Run("certain after 8 s", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 8 {
			tp.at(-5, 6, shoes)
		}
		tp.expect(Inside, "zone_enter shoes")
		tp.at(-5, 6, shoes)
		tp.expect(Inside, "zone_enter shoes", "zone_enter shoes!")
		if z, n, certain := tp.p.Zones(); n != 1 || z[0] != shoes || !certain || tp.p.ZoneSince() != tp.now-8000 {
			t.Errorf("zones %v %d %v since %d", z, n, certain, tp.p.ZoneSince())
		}
	})
	t.Run("never certain beyond its half-width", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 60 {
			tp.at(-5, 6.1, shoes)
		}
		tp.expect(Inside, "zone_enter shoes")
	})
	t.Run("never certain on a level that is not known", func(t *testing.T) {
		tp := newTape(t).enter()
		somewhere := func() {
			tp.now += 1000
			at := placeAt(-5, shoes)
			at.LevelKnown = false
			f := tp.fix()
			f.AccuracyM = 5
			tp.step(f, at)
		}
		for range 20 {
			somewhere()
		}
		tp.expect(Inside, "zone_enter shoes")
		for range 8 {
			tp.at(-5, 5, shoes)
		}
		somewhere() // eight seconds, and not the moment to say so
		tp.expect(Inside, "zone_enter shoes")
		tp.at(-5, 5, shoes)
		tp.expect(Inside, "zone_enter shoes", "zone_enter shoes!")
		somewhere() // what is certain stays so
		tp.expect(Inside, "zone_enter shoes", "zone_enter shoes!")
	})
	t.Run("to and fro changes nothing", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 20 {
			tp.at(-5, 6, shoes)
			tp.at(-5, 6, books)
		}
		tp.expect(Inside, "zone_enter shoes", "zone_enter books")
	})
	t.Run("certain is kept for a moment, then left", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 9 {
			tp.at(-5, 6, shoes)
		}
		tp.said = nil
		for range 3 {
			tp.at(-5, 6, books)
		}
		tp.expect(Inside)
		tp.at(-5, 6, books)
		tp.expect(Inside, "zone_exit shoes!", "zone_enter books")
	})
	t.Run("a small zone in a large one", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 9 {
			tp.at(-5, 6, desk, shoes)
		}
		tp.expect(Inside, "zone_enter desk", "zone_exit desk", "zone_enter shoes!")
		for range 9 {
			tp.at(-5, 2, desk, shoes)
		}
		tp.expect(Inside, "zone_enter desk", "zone_exit desk", "zone_enter shoes!", "zone_exit shoes!", "zone_enter desk!")
		for i := range 30 {
			tp.at(-5, float64(2+4*(i%2)), desk, shoes)
		}
		if z, _, certain := tp.p.Zones(); z[0] != desk || !certain || len(tp.said) != 5 {
			t.Errorf("the zone flickers with the accuracy: %q", tp.said)
		}
	})
	t.Run("one accurate fix in a small zone is not 8 s there", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 8 {
			tp.at(-5, 6, shoes)
		}
		tp.at(-5, 2, desk, shoes)
		tp.expect(Inside, "zone_enter shoes", "zone_enter shoes!")
	})
	t.Run("kept over a suspension, left at the end", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 9 {
			tp.at(-5, 6, shoes)
		}
		tp.said = nil
		tp.at(10.1, 10)
		tp.at(-5, 6, shoes)
		tp.at(-5, 6, shoes)
		tp.expect(Inside, "suspend seems_out", "resume")
		if _, _, certain := tp.p.Zones(); !certain {
			t.Error("a false alarm must not cost the zone")
		}
		tp.at(101, 10)
		tp.expect(Ended, "suspend seems_out", "resume", "zone_exit shoes!", "end left_store")
	})
	t.Run("check-in", func(t *testing.T) {
		tp := newTape(t)
		if _, out := tp.rules.CheckIn(tp.p, desk, tp.now); out.Refused != RefusedOutside {
			t.Errorf("nobody checks in from outside: %+v", out)
		}
		tp.enter()
		before := tp.p.LeaseUntil()
		var out Outcome
		tp.p, out = tp.rules.CheckIn(tp.p, desk, tp.now)
		tp.hear(out)
		tp.expect(Inside, "zone_enter desk!")
		if tp.p.LeaseUntil() != before {
			t.Error("a check-in renewed the lease")
		}
	})
	t.Run("a check-in holds against the larger zone around it", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 7 {
			tp.at(-5, 6, shoes)
		}
		tp.p, _ = tp.rules.CheckIn(tp.p, desk, tp.now)
		tp.said = nil
		for range 20 {
			tp.at(-5, 6, desk, shoes)
		}
		tp.expect(Inside)
	})
	t.Run("a check-in is kept for a moment, then left", func(t *testing.T) {
		tp := newTape(t).enter()
		tp.p, _ = tp.rules.CheckIn(tp.p, desk, tp.now)
		tp.said = nil
		for range 3 {
			tp.at(-5, 20, shoes)
		}
		tp.expect(Inside)
		tp.at(-5, 20, shoes)
		tp.expect(Inside, "zone_exit desk!", "zone_enter shoes")
	})
	t.Run("a likely zone is forgotten after 8 s", func(t *testing.T) {
		tp := newTape(t).enter()
		tp.at(-5, 20, shoes)
		for range 8 {
			tp.at(-5, 20, books)
		}
		tp.expect(Inside, "zone_enter shoes", "zone_enter books")
		tp.at(-5, 20, books)
		tp.expect(Inside, "zone_enter shoes", "zone_enter books", "zone_exit shoes")
	})
	maps := func(zones ...*Zone) *Site {
		l := Level{}
		for _, z := range zones {
			l.Zones = append(l.Zones, *z)
		}
		return &Site{Levels: []Level{l}}
	}
	t.Run("a new map counts the 8 s anew", func(t *testing.T) {
		tp := newTape(t).enter()
		for range 8 {
			tp.at(-5, 6, shoes)
		}
		tp.p, _ = tp.rules.Remap(tp.p, maps(shoes), tp.now)
		for range 8 {
			tp.at(-5, 6, shoes)
		}
		tp.expect(Inside, "zone_enter shoes")
		tp.at(-5, 6, shoes)
		tp.expect(Inside, "zone_enter shoes", "zone_enter shoes!")
	})
	t.Run("a new map leaves a likely zone its own time", func(t *testing.T) {
		tp := newTape(t).enter()
		tp.at(-5, 20, shoes)
		for range 5 {
			tp.at(-5, 20, books)
		}
		out := Outcome{}
		tp.p, out = tp.rules.Remap(tp.p, maps(shoes), tp.now)
		tp.hear(out)
		for range 3 {
			tp.at(-5, 20)
		}
		tp.expect(Inside, "zone_enter shoes", "zone_enter books", "zone_exit books")
		tp.at(-5, 20)
		tp.expect(Inside, "zone_enter shoes", "zone_enter books", "zone_exit books", "zone_exit shoes")
	})
	t.Run("a new map forgets what the old one made suspicious", func(t *testing.T) {
		for _, changed := range []bool{false, true} {
			tp := newTape(t).enter()
			tp.at(10, 30)
			tp.at(10, 30)
			want := Suspended
			if changed {
				tp.p, _ = tp.rules.Remap(tp.p, maps(), tp.now)
				want = Inside
			}
			if tp.at(10, 30); tp.p.State != want {
				t.Errorf("changed %v: state %d, want %d", changed, tp.p.State, want)
			}
		}
	})
}

func TestRulesValidate(t *testing.T) {
	if err := DefaultRules().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Rules){
		"MaxAccuracyM":   func(r *Rules) { r.MaxAccuracyM = math.NaN() },
		"EnterAccuracyM": func(r *Rules) { r.EnterAccuracyM = 51 },
		"FarM":           func(r *Rules) { r.FarM = 201 },
		"LeaseMS":        func(r *Rules) { r.LeaseMS = 9_999 },
		"ResumeFixes":    func(r *Rules) { r.ResumeFixes = 0 },
	} {
		r := DefaultRules()
		change(&r)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (Rules{}).Validate(); err == nil {
		t.Error("no rules at all were accepted")
	}
}
