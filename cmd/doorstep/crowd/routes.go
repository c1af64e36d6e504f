// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
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

// recording is a recorded walk: its lines, one fix each.
type recording [][]byte

// How a demonstration's phones err, and how its walkers walk. Visits are short, so that half a minute
// shows a hundred of them.
var walkNoise = sim.Noise{SigmaM: 1.5, Correlation: 5 * time.Second, AccuracyM: 8}

const (
	walkSpeed  = 1.3             // metres a second
	shortVisit = 8 * time.Second // inside, before leaving by the door
	stepsIn    = 5               // fixes inside that a visit takes: two to enter, some to be seen
	longVisit  = 10 * time.Minute
	approach   = 2  // metres outside the door
	wayOut     = 90 // metres outside at the end
	nearDoor   = 14 // metres from the boundary at which a recorded walk may be carried out
	leadIn     = 7  // recorded seconds before that
	shortTrace = 20 // a recorded walk of fewer fixes is not for staying
)

// ReadRoutes reads a store's map as a phone gets it, and the recorded walks in a folder, unless that
// is "".
func ReadRoutes(fence []byte, traces string) (*Routes, error) {
	r := &Routes{}
	var err error
	if r.plan, err = sim.ParseMap(fence); err != nil {
		return nil, err
	}
	if r.fence, err = client.ParseFence(fence); err != nil {
		return nil, err
	}
	if traces == "" {
		return r, nil
	}
	err = filepath.WalkDir(traces, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".ndjson") || strings.Contains(path, "waypoints") {
			return err
		}
		return r.read(path)
	})
	if err != nil {
		return nil, err
	}
	if len(r.exits) == 0 || len(r.stays) == 0 {
		return nil, fmt.Errorf("no recorded walks (*.ndjson) that come within %d m of this map's boundary: name the folder of walks that belongs to the map", nearDoor)
	}
	return r, nil
}

func (r *Routes) read(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var lines recording
	scan := bufio.NewScanner(bytes.NewReader(b))
	for scan.Scan() {
		lines = append(lines, bytes.Clone(scan.Bytes()))
	}
	if err := scan.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	nearest, dist, err := r.nearestToBoundary(lines)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if dist > -nearDoor && dist <= 0 && nearest >= leadIn {
		r.exits = append(r.exits, lines[nearest-leadIn:nearest+1])
	}
	if len(lines) >= shortTrace {
		r.stays = append(r.stays, lines)
	}
	return nil
}

// nearestToBoundary is the line at which a walk comes nearest to the boundary of its level, and how
// far that is: negative inside.
func (r *Routes) nearestToBoundary(lines recording) (line int, dist float64, err error) {
	dist = -1e9
	for i, l := range lines {
		var f struct {
			Lat, Lng float64
			Floor    *int
		}
		if err := json.Unmarshal(l, &f); err != nil {
			return 0, 0, fmt.Errorf("line %d: %w", i+1, err)
		}
		if d := r.fence.DistM(f.Lat, f.Lng, f.Floor); d > dist {
			line, dist = i, d
		}
	}
	return line, dist, nil
}

// pick chooses a walk for a visit that is to end in the given way: one on which the phone finds itself
// inside for long enough, which a short visit near a door with an erring phone may not.
func (r *Routes) pick(rng *rand.Rand, end ending) (*sim.Walker, error) {
	for {
		opt := sim.Options{Seed: rng.Uint64(), SpeedMPS: walkSpeed, Noise: walkNoise, ApproachM: approach, OutM: wayOut,
			Plan: sim.VisitPlan{Inside: shortVisit, EndBy: sim.Exit}}
		from := r.exits
		if end == byWithdrawal {
			opt.Plan.Inside = longVisit
			from = r.stays
		}
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
