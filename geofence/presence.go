// SPDX-License-Identifier: Apache-2.0

package geofence

// State is where a visit stands.
type State uint8

// The states of a visit. Ended is final: a new visit starts from the zero Presence.
const (
	Outside State = iota
	Entering
	Inside
	Suspended // hidden from staff, reversible
	Ended     // gone
)

// Refusal says why a fix was not accepted. The empty Refusal means that it was. The values are
// the frame error codes of the specification.
type Refusal string

// The refusals that the fence decides. (Others — stale sequence, undeclared — are decided before it.)
const (
	RefusedOutside     Refusal = "outside"
	RefusedAccuracy    Refusal = "accuracy"
	RefusedStale       Refusal = "stale"
	RefusedFuture      Refusal = "future"
	RefusedOrder       Refusal = "order"
	RefusedMocked      Refusal = "mocked"
	RefusedSpeed       Refusal = "speed"
	RefusedRange       Refusal = "range"
	RefusedApproximate Refusal = "approximate"
)

// Kind names a transition.
type Kind string

// The transitions, in the words of `doorstep store replay`.
const (
	Enter     Kind = "enter"
	ZoneEnter Kind = "zone_enter"
	ZoneExit  Kind = "zone_exit"
	Suspend   Kind = "suspend"
	Resume    Kind = "resume"
	End       Kind = "end"
)

// Reason says why a visit was suspended or ended.
type Reason string

// The reasons the fence gives.
const (
	LeftStore   Reason = "left_store"   // confirmed outside
	SeemsOut    Reason = "seems_out"    // first credible fix outside
	Silent      Reason = "silent"       // no accepted fix for the lease
	StoreClosed Reason = "store_closed" // synthetic exit: closed, or its map withdrawn
	PhoneSays   Reason = "phone_outside"
)

// Fix is what a phone reports, in server time.
type Fix struct {
	Seq       int64
	T         int64 // capture time, Unix milliseconds of server time
	At        LatLng
	AccuracyM float64 // radius; 0 or less is unknown
	Level     int
	HasLevel  bool
	Mocked    bool
	Precise   bool // false: approximate location only
}
