// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"doorstep/mobile-sdk-spec/go/sim"
)

// wayFlags say where somebody walks, and what their phone makes of it.
type wayFlags struct {
	Trace  string        `type:"path" help:"Recorded walk: NDJSON of fixes, or GPX. Without one, a visit is made up: in by a door, from zone to zone, and out."`
	Stay   time.Duration `default:"3m" help:"How long a visit that is made up stays inside."`
	Leave  bool          `default:"true" negatable:"" help:"Leave through a door; a recorded walk that ends inside is carried on through the nearest one."`
	Noise  float64       `default:"0" help:"Metres of error to add, as a standard deviation."`
	Spikes float64       `default:"0" help:"Sudden drifts of 25 m, times an hour."`
	Gaps   float64       `default:"0" help:"Spans of up to 12 s without a fix, times an hour."`
	Drops  float64       `default:"0" help:"Spans of up to 20 s without a network, times an hour."`
	Skew   time.Duration `default:"0s" help:"How far the phone's clock is ahead, such as 90s or -2h."`
	Seed   uint64        `default:"1" help:"Seed of what is by chance."`

	begins time.Time // of the walk; now if zero
}

func (c *wayFlags) check() error {
	if !(c.Noise >= 0 && c.Noise <= 100) {
		return wrong("--noise %v: choose metres from 0 to 100", c.Noise)
	}
	for flag, perHour := range map[string]float64{"--spikes": c.Spikes, "--gaps": c.Gaps, "--drops": c.Drops} {
		if !(perHour >= 0 && perHour <= 3600) {
			return wrong("%s %v: choose times an hour from 0 to 3600", flag, perHour)
		}
	}
	if c.Stay < 10*time.Second || c.Stay > 12*time.Hour {
		return wrong("--stay %v: choose from 10s to 12h", c.Stay)
	}
	return nil
}

// walker walks the trace, or makes a visit up.
func (c *wayFlags) walker(fence []byte, seed uint64) (*sim.Walker, error) {
	m, err := sim.ParseMap(fence)
	if err != nil {
		return nil, err
	}
	opt := c.options(seed)
	if c.Trace == "" {
		return sim.NewWalker(m, opt)
	}
	f, err := openFile("--trace", c.Trace, "name a recorded walk: NDJSON, a fix a line, or GPX")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	trace, err := c.readTrace(f)
	if err != nil {
		return nil, err
	}
	w, err := sim.NewTraceWalker(trace, m, opt)
	if err != nil {
		return nil, fmt.Errorf("--trace %s: %w", c.Trace, err)
	}
	return w, nil
}

func (c *wayFlags) options(seed uint64) sim.Options {
	plan := sim.VisitPlan{Inside: c.Stay, EndBy: sim.None}
	if c.Leave {
		plan.EndBy = sim.Exit
	}
	return sim.Options{Seed: seed, Start: c.begins, Plan: plan, OutM: 130, Noise: sim.Noise{
		SigmaM: c.Noise, Correlation: 5 * time.Second, AccuracyM: max(8, 1.5*c.Noise), SpikesPerHour: c.Spikes, SpikeM: 25,
		GapsPerHour: c.Gaps, Gap: 12 * time.Second, DropsPerHour: c.Drops, Drop: 20 * time.Second, Skew: c.Skew}}
}

// readTrace reads the file through, since the simulator does not say which field of a line is wrong,
// and hands on what was read: the simulator takes whole numbers only as such.
func (c *wayFlags) readTrace(f io.Reader) (io.Reader, error) {
	b := bufio.NewReader(f)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = b.Discard(3) // a byte-order mark
	}
	if first, err := b.Peek(1); err == nil && first[0] == '<' {
		return b, nil // GPX
	}
	r := readFixes("--trace "+c.Trace, b)
	var read bytes.Buffer
	lines := json.NewEncoder(&read)
	for n := 0; ; n++ {
		fix, err := r.next()
		switch {
		case errors.Is(err, io.EOF) && n < 2:
			return nil, fmt.Errorf("%s: %d fixes: a walk has two or more", r.name, n)
		case errors.Is(err, io.EOF):
			return &read, nil
		case err != nil:
			return nil, err
		}
		if err := onEarth(*fix.Lat, *fix.Lng); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", r.name, r.line, err)
		}
		if err := lines.Encode(fix); err != nil {
			return nil, err
		}
	}
}
