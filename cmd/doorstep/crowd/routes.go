// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/mobile-sdk-spec/go/sim"
)

// Routes are the walks through one store: planned on its map by the simulator, or recorded ones.
type Routes struct {
	plan  *sim.Map
	fence *client.Fence
	exits []recording // recorded walks that come near the boundary, cut where they are nearest
	stays []recording // recorded walks, whole
}

// How a demonstration's phones err, and how its walkers walk. Visits are short, so that half a minute
// shows a hundred of them.
var walkNoise = sim.Noise{SigmaM: 1.5, Correlation: 5 * time.Second, AccuracyM: 8}

const (
	walkSpeed  = 1.3             // metres a second
	shortVisit = 8 * time.Second // inside, before leaving by the door
	stepsIn    = 5               // fixes inside that a visit takes: two to enter, some to be seen
	longVisit  = 10 * time.Minute
	approach   = 2   // metres outside the door
	wayOut     = 90  // metres outside at the end
	tries      = 500 // walks to choose from before there is none
)

// ReadRoutes reads a store's map as a phone gets it and, unless traces is "", the recorded walks in that
// folder: NDJSON files, at any depth. The error of a folder that is of no use names the file and what
// to do.
func ReadRoutes(fence []byte, traces string) (*Routes, error) {
	r := &Routes{}
	var err error
	if r.plan, err = sim.ParseMap(fence); err != nil {
		return nil, err
	}
	if r.fence, err = client.ParseFence(fence); err != nil {
		return nil, err
	}
	if traces != "" {
		if err := r.readFolder(traces); err != nil {
			return nil, err
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, leaves := range []bool{true, false} { // rather now than when everybody is waiting
		if _, err := r.pick(rng, leaves); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Store is the id of the store that the routes are in.
func (r *Routes) Store() string { return r.fence.Store }

// errNoWay means that a visit of some kind cannot be walked.
var errNoWay = errors.New("no walk stays inside the store for long enough to be let in: use walks that were recorded on this map")

// pick chooses a walk for a visit that leaves the store, or one that stays: one on which the phone
// finds itself inside for long enough, which a short visit near a door with an erring phone may not.
func (r *Routes) pick(rng *rand.Rand, leaves bool) (*sim.Walker, error) {
	opt := sim.Options{SpeedMPS: walkSpeed, Noise: walkNoise, ApproachM: approach, OutM: wayOut,
		Plan: sim.VisitPlan{Inside: shortVisit, EndBy: sim.Exit}}
	from := r.exits
	if !leaves {
		opt.Plan.Inside = longVisit
		from = r.stays
	}
	for range tries {
		opt.Seed = rng.Uint64()
		var lines recording
		if len(from) > 0 {
			lines = from[rng.IntN(len(from))]
		}
		trial, err := r.walker(lines, opt)
		if err != nil {
			return nil, err
		}
		if r.staysIn(trial) {
			return r.walker(lines, opt) // the same walk, from its beginning
		}
	}
	return nil, errNoWay
}

func (r *Routes) walker(lines recording, opt sim.Options) (*sim.Walker, error) {
	if lines == nil {
		return sim.NewWalker(r.plan, opt)
	}
	return sim.NewTraceWalker(bytes.NewReader(bytes.Join(lines, []byte("\n"))), r.plan, opt)
}

// staysIn reports whether the first fixes after coming inside are all inside.
func (r *Routes) staysIn(w *sim.Walker) bool {
	in := 0
	for fix, _, ok := w.Next(); ok && in < stepsIn; fix, _, ok = w.Next() {
		switch inside := r.fence.Inside(fix.Lat, fix.Lng, levelOf(fix)); {
		case inside:
			in++
		case in > 0:
			return false
		}
	}
	return in == stepsIn
}

func levelOf(f sim.Fix) *int {
	if !f.HasLevel {
		return nil
	}
	return &f.Level
}
