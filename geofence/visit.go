// SPDX-License-Identifier: Apache-2.0

package geofence

// Presence is where one visit stands. It is small, comparable, and holds at most one position: that
// of the last fix inside that counted, to judge speed; it is gone with the visit. The zero value is
// outside. Only Rules' methods change it.
//
//	          counted fix            EnterFixes or EnterMS
//	Outside ───────────────▶ Entering ───────────────▶ Inside ◀───────────┐
//	   ▲                        │                       │  │ credibly     │ ResumeFixes
//	   └── credibly outside, ───┘                silent │  │ outside      │ inside
//	       or silent                                    ▼  ▼              │
//	                                           Ended ◀── Suspended ───────┘
//
// Outside → Ended only by Close. Ended is final. Nothing is emitted for a visit that never entered.
type Presence struct {
	State State

	seq         int64 // of the last fix or statement of any kind
	captured    int64 // T of the last fix that could be judged
	leaseUntil  int64 // Entering, Inside, Suspended
	hiddenUntil int64 // Suspended
	since       int64 // Entering: T of the first counted fix
	row         int   // counted fixes toward entering or resuming
	sure        int   // fixes in a row that count toward the end
	insideT     int64 // T of the last fix inside that was believed
	waryUntil   int64 // Outside, Entering: entering takes AgainMS until then
	score       float64

	last          LatLng // the last counted fix
	lastT         int64
	lastAccuracyM float64

	shown     [2]*Zone // named now (not while hidden): one if certain
	shownAt   [2]int64 // when a fix last fell there
	certain   bool
	zoneSince int64 // certain: since when
	hint      *Zone // on its way to being certain
	hintSince int64
}

// LeaseUntil is when the visit ends unless another fix is accepted or, while suspended, unless it
// resumes before: Unix milliseconds. While entering, it is when that is given up. 0 when nothing
// runs out (outside, ended).
func (p *Presence) LeaseUntil() int64 {
	switch p.State {
	case Entering, Inside:
		return p.leaseUntil
	case Suspended:
		return min(p.leaseUntil, p.hiddenUntil)
	}
	return 0
}

// LastSeq is the highest sequence number seen, whatever became of it.
func (p Presence) LastSeq() int64 { return p.seq }

// Zones are the zones to name now: one if certain, at most two, newest first, if only likely. None
// unless inside: who is hidden is in no zone. Sensitive zones are among them; not naming those to
// staff is the caller's.
func (p Presence) Zones() (zones [2]*Zone, n int, certain bool) {
	if p.State != Inside {
		return zones, 0, false
	}
	for _, z := range p.shown {
		if z != nil {
			zones[n] = z
			n++
		}
	}
	return zones, n, p.certain
}

// ZoneSince is since when the certain zone holds (Unix milliseconds), for "waiting too long". 0 if
// no zone is certain or the visit is hidden.
func (p Presence) ZoneSince() int64 {
	if p.State != Inside || !p.certain {
		return 0
	}
	return p.zoneSince
}

// Transition is one change of a visit.
type Transition struct {
	Kind    Kind
	T       int64  // when it was decided: the step's now
	Reason  Reason // of suspend and end
	Zone    *Zone  // of zone_enter and zone_exit
	Certain bool   // of zone_enter: certain, or only likely; of zone_exit: what it was
}

// Outcome is what one step did. Accepted: the fix is to be stored (the state after it is Inside).
// Neither accepted nor refused: counted toward entering or resuming, and not stored.
type Outcome struct {
	Accepted bool
	Refused  Refusal
	n        int
	list     [6]Transition // resume or enter, two zones left, two entered; or suspend, two left, end
}

// Transitions are the changes in order; the slice points into o. A zone is entered once as likely
// and once more if it becomes certain, and left once: what is entered and not left is what
// Presence.Zones has, except that a suspension hides zones without leaving them.
func (o *Outcome) Transitions() []Transition { return o.list[:o.n] }

func (o *Outcome) add(t Transition) { o.list[o.n] = t; o.n++ }

func (o Outcome) refuse(why Refusal) Outcome { o.Refused = why; return o }

// breakRow forgets a row toward entering. (Toward resuming, only a credible fix outside does.)
func (p *Presence) breakRow() {
	if p.State == Entering {
		p.row = 0
	}
}

// reset goes back to outside without a trace but the counters against replayed fixes.
func (p *Presence) reset() { *p = Presence{seq: p.seq, captured: p.captured, waryUntil: p.waryUntil} }

// Next is what the visit after p begins with, if nobody has said that they are still inside: for a minute after an
// end by the fence it takes AgainMS of fixes inside, without one outside, to enter. Two lucky ones on the way
// home are not a visit.
func (p Presence) Next() Presence { return Presence{waryUntil: p.waryUntil} }

// waryMS is how long after an end by the fence entering takes longer.
const waryMS = 60_000

// renew starts the lease anew from the capture, or from now if the phone's clock is ahead.
func (p *Presence) renew(f *Fix, now, lease int64) {
	p.leaseUntil = max(p.leaseUntil, min(f.T, now)+lease)
	p.last, p.lastT, p.lastAccuracyM = f.At, f.T, f.AccuracyM
}

// putOff lets the time until a suspension ends begin anew. The lease stays as it is.
func (p *Presence) putOff(now, ms int64) {
	if p.State == Suspended {
		p.hiddenUntil = now + ms
	}
}

func (p *Presence) suspend(out *Outcome, why Reason, now, ms int64) {
	p.State, p.hiddenUntil, p.row = Suspended, now+ms, 0
	out.add(Transition{Kind: Suspend, T: now, Reason: why})
}

// end leaves all zones and forgets everything. A visit that never entered ends without a word.
func (p *Presence) end(out *Outcome, why Reason, now int64) {
	entered := p.State == Inside || p.State == Suspended
	p.show(out, [2]*Zone{}, false, now)
	p.reset()
	p.State = Ended
	if why == LeftStore || why == PhoneSays {
		p.waryUntil = now + waryMS
	}
	if entered {
		out.add(Transition{Kind: End, T: now, Reason: why})
	}
}

// Tick judges the passing of time: a lease or a suspension that has run out (now ≥ the limit) ends
// the visit; entering is given up.
func (r Rules) Tick(p Presence, now int64) (Presence, Outcome) {
	var out Outcome
	r.Pass(&p, now, &out)
	return p, out
}

// Pass is Tick in place, for whoever has thousands of visits; out must be new.
func (r *Rules) Pass(p *Presence, now int64, out *Outcome) {
	until := p.LeaseUntil()
	switch {
	case until == 0 || now < until:
	case p.State == Entering:
		p.reset()
	case p.State == Suspended && p.hiddenUntil <= p.leaseUntil:
		p.end(out, LeftStore, now)
	default:
		p.end(out, Silent, now)
	}
}

// PhoneOutside judges a phone's own statement that it is outside; it carries no coordinates and
// never renews anything. "out" suspends, and ends when it is the EndFixes-th sign in a row; "far"
// ends; "edge" speaks against the end, as a fix there would, and "unknown" says nothing. Any other
// word is refused as out of range.
func (r Rules) PhoneOutside(p Presence, where string, seq, now int64) (Presence, Outcome) {
	p, out := r.Tick(p, now)
	if p.State == Ended {
		return p, out.refuse(RefusedOutside)
	}
	if seq <= p.seq {
		return p, out.refuse(RefusedOrder)
	}
	p.seq = seq
	switch where {
	case "edge":
		p.breakRow()
		p.sure = 0
		p.putOff(now, r.SuspendMS)
	case "unknown":
		p.breakRow()
	case "out", "far":
		p.phoneLeft(&out, where == "far", now, r)
	default:
		return p, out.refuse(RefusedRange)
	}
	return p, out
}

func (p *Presence) phoneLeft(out *Outcome, far bool, now int64, r Rules) {
	p.row = 0
	p.sure++
	switch {
	case p.State == Outside || p.State == Entering:
		p.reset()
	case far || p.State == Suspended && p.sure >= r.EndFixes:
		p.end(out, PhoneSays, now)
	case p.State == Inside:
		p.suspend(out, PhoneSays, now, r.SuspendMS)
	}
}

// Close ends a visit for a reason that is not in its fixes: the store closed, its map was withdrawn.
func (r Rules) Close(p Presence, reason Reason, now int64) (Presence, Outcome) {
	var out Outcome
	if p.State != Ended {
		p.end(&out, reason, now)
	}
	return p, out
}
