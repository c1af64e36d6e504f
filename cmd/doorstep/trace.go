// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"doorstep/mobile-sdk-spec/go/sim"
)

func (c *walkCmd) walker(fence []byte) (*sim.Walker, error) {
	m, err := sim.ParseMap(fence)
	if err != nil {
		return nil, err
	}
	f, err := openFile("--trace", c.Trace, "name a recorded walk: NDJSON, a fix a line")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	trace, err := c.readTrace(f)
	if err != nil {
		return nil, err
	}
	plan := sim.VisitPlan{EndBy: sim.None}
	if c.Leave {
		plan.EndBy = sim.Exit
	}
	noise := sim.Noise{SigmaM: c.Noise, Correlation: 5 * time.Second, AccuracyM: max(8, 1.5*c.Noise)}
	w, err := sim.NewTraceWalker(trace, m, sim.Options{Seed: c.Seed, Plan: plan, Noise: noise, OutM: 130})
	if err != nil {
		return nil, fmt.Errorf("--trace %s: %w", c.Trace, err)
	}
	return w, nil
}

// readTrace reads the file through, since the simulator does not say which field of a line is wrong,
// and hands on what was read: the simulator takes whole numbers only as such.
func (c *walkCmd) readTrace(f io.Reader) (io.Reader, error) {
	r := readFixes("--trace "+c.Trace, f)
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
