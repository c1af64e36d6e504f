// SPDX-License-Identifier: Apache-2.0

package bench

import "doorstep/geofence"

// reference is what must become of one phone's fixes: the fence's own rules, stepped beside the server on the same fixes.
type reference struct {
	presence geofence.Presence
	accepted int64 // positions
	last     int64 // the number of the last of them
	refused  map[geofence.Refusal]int64
}

// step judges one more fix. now is Unix milliseconds.
func (r *reference) step(rules geofence.Rules, f geofence.Fix, at geofence.Place, now int64) {
	var o geofence.Outcome
	r.presence, o = rules.Step(r.presence, f, at, now)
	switch {
	case o.Accepted:
		r.accepted++
		r.last = f.Seq
	case o.Refused != "":
		if r.refused == nil {
			r.refused = make(map[geofence.Refusal]int64)
		}
		r.refused[o.Refused]++
	}
}
