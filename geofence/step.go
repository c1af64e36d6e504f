// SPDX-License-Identifier: Apache-2.0

package geofence

import "math"

// Step judges one fix that fell at a place, at a moment. It is a pure function.
//
// First time passes: a lease or suspension that has run out ends the visit (see Tick), and the fix
// comes too late. Then, in this order, the first that applies:
//
//	ended           outside      a visit that is gone takes nothing
//	order           order        seq ≤ the last one's, or captured no later: the same fix again
//	range           range        not a number, or no place on earth
//	approximate     approximate
//	age             stale        now - T > MaxAgeMS             exactly MaxAgeMS is accepted
//	                future       T - now > MaxAheadMS           exactly MaxAheadMS is accepted
//	accuracy        accuracy     unknown or > MaxAccuracyM      exactly MaxAccuracyM is accepted
//	in doubt        mocked       never counts for anything; outside, it suspends all the same
//	                speed        faster than MaxSpeedMPS from the last counted fix, less both accuracies
//	where it fell   outside      below
//
// What a fix outside does to a visit, by how far out it is (a = its accuracy; limits belong inward):
//
//	boundary       min(a, OutCapM)      and max(EndMinM, ·)                 FarM
//	  ──┼────────────────┼────────────────────┼──────────────────────────────┼──────▶ metres outside
//	    │ in doubt:      │ suspended          │ suspended; EndFixes in a     │ ended
//	    │ the detector   │ at once            │ row, within reach: ended     │
//
// The change detector (CUSUM, Page 1954) adds up what alone would be too little to hide somebody:
// S ← max(0, S + clip((d - SlackM) / max(ScaleMinM, a/2), -2, 1)), suspended when S > HideAbove.
//
// Within reach: toward the end a fix counts as no farther out than somebody gets at PaceMPS since the
// last fix inside. A shopper who leaves is that far in time; an error that jumps is not.
//
// Suspended, the visit ends when SuspendMS have passed without a fix that speaks against it: one inside,
// or outside no farther than the doubt goes. Such a fix starts them anew. The lease it does not renew.
//
// A fix inside counts: toward entering (accuracy ≤ EnterAccuracyM; EnterFixes in a row, or one
// EnterMS after the first; soon after an end by the fence, one AgainMS after the first and none outside), toward resuming (ResumeFixes, none credibly outside in between), or, in a
// visit under way, it is accepted.
func (r Rules) Step(p Presence, f Fix, at Place, now int64) (Presence, Outcome) {
	var out Outcome
	r.Advance(&p, &f, &at, now, &out)
	return p, out
}

// Advance is Step in place, for the hot path: a visit is copied nowhere, and a phone's goroutine stays small. p becomes
// the visit after the fix; out must be new.
func (r *Rules) Advance(p *Presence, f *Fix, at *Place, now int64, out *Outcome) {
	r.Pass(p, now, out)
	if p.State == Ended {
		out.Refused = RefusedOutside
		return
	}
	if f.Seq <= p.seq || p.captured != 0 && f.T <= p.captured {
		out.Refused = RefusedOrder
		return
	}
	p.seq = f.Seq
	if out.Refused = r.unfit(f, at, now); out.Refused != "" {
		p.breakRow()
		return
	}
	p.captured = f.T
	doubt := r.doubt(p, f)
	switch {
	case !at.Inside:
		r.outside(p, out, f, at.DistM, doubt, now)
	case doubt != "":
		p.breakRow()
		out.Refused = doubt
	default:
		p.score = r.cusum(p.score, f.AccuracyM, at.DistM)
		p.sure, p.insideT = 0, f.T
		p.putOff(now, r.SuspendMS)
		r.inside(p, out, f, at, now)
	}
}

// unfit says why a fix cannot be judged by where it fell. "" means that it can.
func (r *Rules) unfit(f *Fix, at *Place, now int64) Refusal {
	switch {
	case !at.Valid || !inRange(f.At) || math.IsNaN(f.AccuracyM) || math.IsInf(f.AccuracyM, 0):
		return RefusedRange
	case !f.Precise:
		return RefusedApproximate
	case now-f.T > r.MaxAgeMS:
		return RefusedStale
	case f.T-now > r.MaxAheadMS:
		return RefusedFuture
	case f.AccuracyM <= 0 || f.AccuracyM > r.MaxAccuracyM:
		return RefusedAccuracy
	}
	return ""
}

// doubt says why a fix is not to be believed.
func (r *Rules) doubt(p *Presence, f *Fix) Refusal {
	if f.Mocked {
		return RefusedMocked
	}
	if p.lastT == 0 {
		return ""
	}
	seconds := math.Abs(float64(f.T-p.lastT)) / 1000
	if metresBetween(p.last, f.At)-p.lastAccuracyM-f.AccuracyM > r.MaxSpeedMPS*seconds {
		return RefusedSpeed
	}
	return ""
}

// metresBetween is good to a percent over the kilometres that matter here.
func metresBetween(a, b LatLng) float64 {
	y := (b.Lat - a.Lat) * degToRad
	x := wrapLng(b.Lng-a.Lng) * degToRad * math.Cos((a.Lat+b.Lat)/2*degToRad)
	return math.Hypot(x, y) * semiMajorM
}

func (r *Rules) cusum(s, accuracy, d float64) float64 {
	step := (d - r.SlackM) / max(r.ScaleMinM, accuracy/2)
	return max(0, s+min(max(step, -2), 1))
}

// reach is how far out somebody can have walked since the last fix inside.
func (r *Rules) reach(p *Presence, f *Fix) float64 {
	return r.PaceMPS * float64(f.T-p.insideT) / 1000
}

// outside drops the fix, whatever else it does.
func (r *Rules) outside(p *Presence, out *Outcome, f *Fix, d float64, doubt Refusal, now int64) {
	out.Refused = RefusedOutside
	credible := d > min(f.AccuracyM, r.OutCapM)
	if doubt != "" {
		out.Refused = doubt
	} else {
		p.score = r.cusum(p.score, f.AccuracyM, d)
		if p.sure++; min(d, r.reach(p, f)) <= max(r.EndMinM, min(f.AccuracyM, r.OutCapM)) {
			p.sure = 0
		}
		if !credible {
			p.putOff(now, r.SuspendMS)
		}
	}
	switch {
	case p.State == Outside:
	case p.State == Entering:
		if p.breakRow(); credible || now < p.waryUntil {
			p.reset()
		}
	case doubt == "" && d > r.FarM:
		p.end(out, LeftStore, now)
	default:
		r.maybeSuspend(p, out, credible, doubt != "", now)
	}
}

// maybeSuspend decides between doing nothing, hiding and ending for a visit under way.
func (r *Rules) maybeSuspend(p *Presence, out *Outcome, credible, doubted bool, now int64) {
	if p.State == Inside && (credible || !doubted && p.score > r.HideAbove) {
		p.suspend(out, SeemsOut, now, r.SuspendMS)
	}
	if credible {
		p.row = 0
	}
	if p.State == Suspended && p.sure >= r.EndFixes {
		p.end(out, LeftStore, now)
	}
}

// entered reports whether what has been counted is a visit.
func (r *Rules) entered(p *Presence, f *Fix, now int64) bool {
	if now < p.waryUntil {
		return f.T-p.since >= r.AgainMS
	}
	return p.row >= r.EnterFixes || f.T-p.since >= r.EnterMS
}

// inside counts a credible fix, and accepts it if the visit is, or thereby comes, under way.
func (r *Rules) inside(p *Presence, out *Outcome, f *Fix, at *Place, now int64) {
	switch p.State {
	case Outside, Entering:
		if f.AccuracyM > r.EnterAccuracyM {
			p.breakRow()
			out.Refused = RefusedAccuracy
			return
		}
		if p.State == Outside {
			p.State, p.since = Entering, f.T
		}
		if p.row++; r.entered(p, f, now) {
			p.State = Inside
			out.add(Transition{Kind: Enter, T: now})
		}
		p.renew(f, now, r.LeaseMS)
	case Suspended:
		if p.row++; p.row >= r.ResumeFixes {
			p.State, p.hiddenUntil = Inside, 0
			out.add(Transition{Kind: Resume, T: now})
		}
	}
	if p.State != Inside {
		return
	}
	p.row = 0
	if len(out.Transitions()) > 0 {
		p.score = 0
	}
	p.renew(f, now, r.LeaseMS)
	r.zones(p, out, f, at, now)
	out.Accepted = true
}
