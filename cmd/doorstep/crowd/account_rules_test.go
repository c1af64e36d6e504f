// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
)

// judge is a server without a network: the fence's own rules, and the frames that follow from them, in
// the order in which the server writes them. What it knows of causes is the truth.
type judge struct {
	rules    geofence.Rules
	presence geofence.Presence
	frames   []frame
	hiding   int64
	ending   int64
	byTime   bool
	pending  int64 // the newest fix that is not acknowledged yet
	accepted int64
}

// frame is one that the server wrote, and when.
type frame struct {
	at   time.Time
	take func(*account, time.Time)
}

func (j *judge) write(ms int64, take func(*account, time.Time)) {
	j.frames = append(j.frames, frame{at(ms), take})
}

func (j *judge) ack(ms int64, refused string) {
	k := client.Ack{T: at(ms).UnixMilli(), Seq: j.pending, AcceptedSeq: j.accepted}
	if refused != "" {
		k.Refused = map[string]int{refused: 1}
	}
	j.write(ms, func(a *account, _ time.Time) { a.ack(k) })
	j.pending = 0
}

func (j *judge) flush(ms int64) {
	if j.pending > 0 {
		j.ack(ms, "")
	}
}

func (j *judge) tell(ms int64, state string, why geofence.Reason) {
	j.flush(ms)
	s := client.State{T: at(ms).UnixMilli(), State: state, Reason: string(why)}
	j.write(ms, func(a *account, read time.Time) { a.state(s, read) })
}

// follow writes what transitions bring about. by is the report that was judged, 0 for time.
func (j *judge) follow(ms, by int64, o *geofence.Outcome) {
	for _, t := range o.Transitions() {
		switch t.Kind {
		case geofence.Enter, geofence.Resume:
			j.tell(ms, "active", "")
			j.hiding = 0
		case geofence.Suspend:
			j.tell(ms, "suspended", t.Reason)
			j.hiding = by
		case geofence.End:
			j.ending = by
			j.tell(ms, "ended", t.Reason)
		}
	}
}

func (j *judge) over() bool { return j.presence.State == geofence.Ended }

// tick lets time pass. Only what ran out can come of it.
func (j *judge) tick(ms int64) {
	var o geofence.Outcome
	j.presence, o = j.rules.Tick(j.presence, at(ms).UnixMilli())
	j.byTime = j.byTime || len(o.Transitions()) > 0
	j.follow(ms, 0, &o)
}

// fix judges one that lies dist metres outside (negative: inside). The ack of the fix that ends a visit
// races its end: it comes before, after or not at all.
func (j *judge) fix(seq, ms int64, dist float64, race string) {
	f := geofence.Fix{Seq: seq, T: at(ms).UnixMilli(), At: geofence.LatLng{Lat: 50}, AccuracyM: 8, Precise: true}
	var o geofence.Outcome
	j.presence, o = j.rules.Step(j.presence, f, geofence.Place{Valid: true, Inside: dist <= 0, DistM: dist}, f.T)
	if o.Accepted {
		j.accepted = seq
	}
	if j.pending > 0 && (o.Refused != "" || o.Accepted != (j.accepted == j.pending)) {
		j.flush(ms)
	}
	end := len(j.frames)
	if j.over() && race == "before" {
		j.pending = seq
		j.ack(ms, string(o.Refused))
	}
	j.follow(ms, seq, &o)
	switch {
	case !j.over() || race == "after":
		j.pending = seq
		if o.Refused != "" || len(j.frames) > end {
			j.ack(ms, string(o.Refused))
		}
	}
}

func (j *judge) word(w string, seq, ms int64) {
	var o geofence.Outcome
	j.presence, o = j.rules.PhoneOutside(j.presence, w, seq, at(ms).UnixMilli())
	j.follow(ms, seq, &o)
}

// Whatever a phone reports, and however late it is told, what its account makes of it is what the rules
// did: exactly, from acks and states alone, but for which of two fixes it was when an ack is lost.
func TestAccountAgreesWithTheRules(t *testing.T) {
	exits := 0
	rapid.Check(t, func(t *rapid.T) {
		j := judge{rules: geofence.DefaultRules()}
		j.rules.EndFixes = rapid.IntRange(2, 4).Draw(t, "signs to end by") // by one, it would hide and end at once
		a := account{rules: j.rules}
		obeys := rapid.Bool().Draw(t, "obeys")
		race := rapid.SampledFrom([]string{"before", "after", "lost"}).Draw(t, "race")
		late := rapid.Int64Range(0, 2500).Draw(t, "late") // milliseconds until the phone reads a frame
		dist := -10.0
		for seq := int64(1); seq <= 60 && !j.over(); seq++ {
			ms := seq * 1000
			read(&j, &a, at(ms), late)
			j.tick(ms - 1)
			if j.over() {
				break
			}
			if seq > 3 {
				dist = max(-10, dist+rapid.Float64Range(-4, 7).Draw(t, "further"))
			}
			where := whereIs(dist)
			silent := obeys && where != "inside"
			a.report(!silent, where, at(ms))
			if silent {
				j.word(where, seq, ms)
			} else {
				j.fix(seq, ms, dist, race)
			}
			for more := int64(1); j.over() && more <= late/1000; more++ { // until the phone is told
				a.report(!silent, where, at(ms+more*1000))
			}
		}
		if !j.over() {
			t.Skip("nobody left")
		}
		read(&j, &a, at(1<<40), late)
		if a.ended.reason == string(geofence.Silent) {
			t.Skip("nobody left: nothing was heard")
		}
		exits++
		check(t, &j, &a)
	})
	if exits < 30 {
		t.Errorf("only %d exits: this test saw next to nothing", exits)
	}
}

// whereIs is what the phone's fence says, of a fix that is good to 8 m.
func whereIs(dist float64) string {
	switch {
	case dist <= 0:
		return "inside"
	case dist <= 8:
		return "edge"
	case dist > 100:
		return "far"
	}
	return "out"
}

// read lets the phone read what has reached it by now.
func read(j *judge, a *account, now time.Time, late int64) {
	for len(j.frames) > 0 {
		f := j.frames[0]
		arrives := f.at.Add(time.Duration(late) * time.Millisecond)
		if arrives.After(now) {
			return
		}
		f.take(a, arrives)
		j.frames = j.frames[1:]
	}
}

func check(t *rapid.T, j *judge, a *account) {
	x, err := a.exit()
	if err != nil {
		t.Fatal(err)
	}
	if x.byTime != j.byTime {
		limit := *a
		limit.rules.SuspendMS += 600
		if !j.byTime && !limit.ranOut() {
			return // a report at the very limit counts as time
		}
		t.Fatalf("by time: %v, it was %v", x.byTime, j.byTime)
	}
	hiding := j.hiding
	if hiding == 0 {
		hiding = j.ending
	}
	if x.hiding != a.cause(hiding) {
		t.Fatalf("hidden by %v; it was report %d", x.hiding, hiding)
	}
	if !j.byTime && x.ending != a.cause(j.ending) {
		t.Fatalf("ended by %v; it was report %d of %d", x.ending, j.ending, len(a.said))
	}
	for name, d := range map[string]time.Duration{"hidden": a.ended.at.Sub(x.hiding.at), "first": x.hiding.at.Sub(x.first), "told": x.suspended.Sub(x.hiding.at)} {
		if d < 0 {
			t.Fatalf("%s: a time below zero", name)
		}
	}
}
