// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
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
	if err := c.checkTrace(f); err != nil {
		return nil, err
	}
	plan := sim.VisitPlan{EndBy: sim.None}
	if c.Leave {
		plan.EndBy = sim.Exit
	}
	noise := sim.Noise{SigmaM: c.Noise, Correlation: 5 * time.Second, AccuracyM: max(8, 1.5*c.Noise)}
	w, err := sim.NewTraceWalker(f, m, sim.Options{Seed: c.Seed, Plan: plan, Noise: noise, OutM: 130})
	if err != nil {
		return nil, fmt.Errorf("--trace %s: %w", c.Trace, err)
	}
	return w, nil
}

// checkTrace reads the file through, since the simulator does not say which field of a line is wrong,
// and goes back to its start.
func (c *walkCmd) checkTrace(f *os.File) error {
	r := readFixes("--trace "+c.Trace, f)
	for n := 0; ; n++ {
		fix, err := r.next()
		switch {
		case errors.Is(err, io.EOF) && n < 2:
			return fmt.Errorf("%s: %d fixes: a walk has two or more", r.name, n)
		case errors.Is(err, io.EOF):
			_, err := f.Seek(0, io.SeekStart)
			return err
		case err != nil:
			return err
		}
		if err := onEarth(*fix.Lat, *fix.Lng); err != nil {
			return fmt.Errorf("%s, line %d: %w", r.name, r.line, err)
		}
	}
}
