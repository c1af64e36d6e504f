// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"doorstep/mobile-sdk-spec/go/sim"
)

// simulateCmd writes walks down, for tests of apps and maps that need no server.
type simulateCmd struct {
	mapFlags
	wayFlags
	Walkers int    `default:"1" help:"How many; the seed rises by one with each."`
	Format  string `default:"ndjson" help:"ndjson or gpx."`
	Start   int64  `default:"1790000000000" help:"Unix milliseconds of the first fix: the same seed writes the same file."`
}

// Run writes every walk from its first fix to its last. What the phone cannot know, where it truly was, is not in it.
func (c *simulateCmd) Run(s streams) error {
	switch {
	case c.Walkers < 1 || c.Walkers > 10_000:
		return wrong("--walkers %d: choose from 1 to 10,000", c.Walkers)
	case c.Format != "ndjson" && c.Format != "gpx":
		return wrong("--format %q: choose ndjson or gpx", c.Format)
	}
	if err := c.check(); err != nil {
		return err
	}
	x, err := c.open()
	if err != nil {
		return err
	}
	fence, err := x.Fence()
	if err != nil {
		return err
	}
	return buffered(s.out, func(w *bufio.Writer) error {
		out, err := c.file(w)
		if err != nil {
			return err
		}
		for n := range c.Walkers {
			if err := c.one(fence, n, out); err != nil {
				return err
			}
		}
		return out.Close()
	})
}

// walks is a file of them.
type walks interface {
	Track(name string) error
	Fix(sim.Fix) error
	Close() error
}

func (c *simulateCmd) file(w io.Writer) (walks, error) {
	if c.Format == "gpx" {
		return sim.NewGPX(w)
	}
	return &fixLines{lines: json.NewEncoder(w)}, nil
}

func (c *simulateCmd) one(fence []byte, n int, out walks) error {
	c.begins = time.UnixMilli(c.Start)
	walker, err := c.walker(fence, c.Seed+uint64(n))
	if err != nil {
		return fmt.Errorf("walker %d: %w", n+1, err)
	}
	if err := out.Track("walker " + strconv.Itoa(n+1)); err != nil {
		return err
	}
	for {
		fix, _, more := walker.Next()
		if !more {
			return nil
		}
		if err := out.Fix(fix); err != nil {
			return err
		}
	}
}

// fixLines writes a fix a line, in the form that walk, store replay and demo read.
type fixLines struct {
	lines  *json.Encoder
	walker string
}

// Track begins the next walker.
func (l *fixLines) Track(name string) error {
	l.walker = name
	return nil
}

// Fix writes a line.
func (l *fixLines) Fix(f sim.Fix) error {
	line := struct {
		Walker    string  `json:"walker"`
		T         int64   `json:"t"`
		Lat       float64 `json:"lat"`
		Lng       float64 `json:"lng"`
		Floor     *int    `json:"floor"`
		AccuracyM float64 `json:"accuracy_m"`
		Offline   bool    `json:"offline,omitempty"`
	}{l.walker, f.T, f.Lat, f.Lng, levelOf(f), f.AccuracyM, f.Offline}
	return l.lines.Encode(line)
}

// Close ends nothing: each line stands for itself.
func (l *fixLines) Close() error { return nil }
