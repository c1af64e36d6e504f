// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"math/rand/v2"
	"testing"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/geofence"
)

// demoFence is the map of the demonstration's store, as a phone gets it.
func demoFence(t *testing.T) []byte {
	t.Helper()
	site, err := demostore.Load()
	if err != nil {
		t.Fatal(err)
	}
	x, err := geofence.NewIndex(site)
	if err != nil {
		t.Fatal(err)
	}
	fence, err := x.Fence()
	if err != nil {
		t.Fatal(err)
	}
	return fence
}

// Every walk that a demonstration may choose comes inside, as the phone's own fence sees it, and those
// that are to leave do leave.
func TestRoutesComeInside(t *testing.T) {
	r, err := ReadRoutes(demoFence(t), "")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 600 {
		leaves := n%2 == 0
		w, err := r.pick(rng, leaves)
		if err != nil {
			t.Fatal(err)
		}
		inside, outside := 0, 0
		for fix, truth, ok := w.Next(); ok; fix, truth, ok = w.Next() {
			switch {
			case r.fence.Inside(fix.Lat, fix.Lng, levelOf(fix)):
				inside++
			case inside > 0 && !truth.Inside:
				outside++
			}
		}
		if inside < stepsIn || leaves && outside < 20 {
			t.Errorf("walk %d: %d fixes inside, then %d outside", n, inside, outside)
		}
	}
}
