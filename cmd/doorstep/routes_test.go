// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"testing"
)

// Every walk that a demonstration may choose comes inside, as the phone's own fence sees it, and those
// that are to leave do leave.
func TestRoutesComeInside(t *testing.T) {
	x := demoIndex(t)
	r, err := newRoutes("", x)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 600 {
		end := ending(n % 2)
		w, err := r.pick(rng, end)
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
		if inside < stepsIn || end == byExit && outside < 20 {
			t.Errorf("walk %d: %d fixes inside, then %d outside", n, inside, outside)
		}
	}
}
