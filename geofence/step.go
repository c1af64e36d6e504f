// SPDX-License-Identifier: Apache-2.0

package geofence

// Presence is where one visit stands. It is small, comparable and holds at most one position: the
// last one that was accepted or counted, to judge speed. The zero value is outside.
type Presence struct {
	State State
}

// LeaseUntil is when the visit ends unless another fix is accepted or, while suspended, unless it
// resumes: Unix milliseconds. 0 when nothing runs out (outside, ended).
func (p Presence) LeaseUntil() int64 { return 0 }

// Zones are the zones to name now: one if certain, at most two if likely. None while hidden.
func (p Presence) Zones() (zones [2]*Zone, n int, certain bool) { return }

// Transition is one change of a visit.
type Transition struct {
	Kind    Kind
	T       int64 // when it was decided, Unix milliseconds of server time
	Reason  Reason
	Zone    *Zone // zone_enter and zone_exit
	Certain bool  // of a zone: certain, or likely
}

// Outcome is what one step did. Accepted: the fix is to be stored (the state after it is Inside).
// Neither accepted nor refused: counted toward entering or resuming, and not stored.
type Outcome struct {
	Accepted bool
	Refused  Refusal
	n        uint8
	list     [6]Transition
}

// Transitions are the changes in order; the slice points into o.
func (o *Outcome) Transitions() []Transition { return o.list[:o.n] }

// Step judges one fix.
func (r Rules) Step(p Presence, f Fix, at Place, now int64) (Presence, Outcome) { return p, Outcome{} }

// Tick judges the passing of time.
func (r Rules) Tick(p Presence, now int64) (Presence, Outcome) { return p, Outcome{} }

// PhoneOutside judges a phone's own statement that it is outside: edge, out, far or unknown.
func (r Rules) PhoneOutside(p Presence, where string, seq, now int64) (Presence, Outcome) {
	return p, Outcome{}
}

// Close ends the visit from outside the fence: the store closed, its map was withdrawn.
func (r Rules) Close(p Presence, reason Reason, now int64) (Presence, Outcome) { return p, Outcome{} }

// CheckIn fixes the zone by a tag that was read in the store.
func (r Rules) CheckIn(p Presence, z *Zone, now int64) (Presence, Outcome) { return p, Outcome{} }
