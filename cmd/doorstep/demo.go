// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/server/auth"
)

type demoCmd struct {
	For     time.Duration `help:"Stop after this long, with a summary; 0 runs until interrupted."`
	JSON    bool          `name:"json" help:"Print the summary as one line of JSON, the last."`
	Redis   string        `help:"redis:// URL of the live state. Without it: a redis-server found on this machine, or memory."`
	Map     string        `type:"path" help:"A real store: GeoJSON file or folder of levels. Without it: a store drawn for this program."`
	Traces  string        `type:"path" help:"Folder of recorded walks (NDJSON) on that map, to be replayed."`
	Walkers *int          `help:"Shoppers at a time; by default a dozen to look at, or as many as --for needs for its figures."`
	Listen  string        `default:"127.0.0.1:0" help:"Address to serve on; port 0 is any free one."`
	Seed    uint64        `default:"1" help:"Seed of the walkers."`
}

// Run plays the demonstration. It fails if a promise was broken on the way.
func (c *demoCmd) Run(ctx context.Context, s streams) error {
	if (c.Map == "") != (c.Traces == "") {
		return usageError{errors.New("--map and --traces go together: a real store and the walks that were recorded in it")}
	}
	if c.For != 0 && c.For < crowd.ShortestRun {
		return usageError{fmt.Errorf("--for %v: a visit takes its time: choose %v or more, or leave it out to run until interrupted", c.For, crowd.ShortestRun)}
	}
	if c.walkers() < 0 {
		return usageError{fmt.Errorf("--walkers %d: choose 0 or more, or leave it out for as many as are needed", c.walkers())}
	}
	index, err := c.index()
	if err != nil {
		return err
	}
	routes, err := c.routes(index)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "doorstep-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	set, err := c.settings(dir, index, s)
	if err != nil {
		return err
	}
	st, err := assemble(ctx, set)
	if err != nil {
		return err
	}
	defer st.Close()
	sum, err := c.play(ctx, st, routes, s)
	if err != nil {
		return err
	}
	return c.report(sum, s)
}

func (c *demoCmd) index() (*geofence.Index, error) {
	if c.Map != "" {
		x, _, err := loadIndex(c.Map)
		return x, err
	}
	site, err := demostore.Load()
	if err != nil {
		return nil, err
	}
	return geofence.NewIndex(site)
}

// routes are where the shoppers walk. They are read before anything is started.
func (c *demoCmd) routes(x *geofence.Index) (*crowd.Routes, error) {
	fence, err := x.Fence()
	if err != nil {
		return nil, err
	}
	r, err := crowd.ReadRoutes(fence, c.Traces)
	if err != nil && c.Traces != "" {
		return nil, fmt.Errorf("--traces: %w", err)
	}
	return r, err
}

func (c *demoCmd) settings(dir string, x *geofence.Index, s streams) (settings, error) {
	dev, err := auth.NewDevKey()
	if err != nil {
		return settings{}, err
	}
	level := slog.LevelWarn
	return settings{data: dir, redis: c.Redis, listen: c.Listen, indexes: []*geofence.Index{x}, devKey: dev,
		issuers: []auth.Issuer{dev.Issuer()}, registry: consent.DevelopmentRegistry(), cards: demostore.Cards,
		log: slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))}, nil
}

// play runs the server, the console and the walkers until the time is over.
func (c *demoCmd) play(ctx context.Context, st *stack, routes *crowd.Routes, s streams) (sum crowd.Summary, err error) {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- st.Run(serving) }()
	defer func() { stop(); <-served }()
	select {
	case <-st.node.Started():
	case err := <-served:
		served <- err
		return sum, err
	}
	if err := c.greet(st, s); err != nil {
		return sum, err
	}
	scanner, stopScanning, err := st.scanner(ctx)
	if err != nil {
		return sum, err
	}
	defer stopScanning()
	all, err := c.gather(ctx, st, routes, scanner)
	if err != nil {
		return sum, err
	}
	defer all.Close()
	sum = all.Run(ctx, func(line string) {
		if !c.JSON {
			fmt.Fprintln(s.out, line)
		}
	})
	sum.Backend = st.backend
	return sum, nil
}

// gather brings in the crowd, and a desk for it.
func (c *demoCmd) gather(ctx context.Context, st *stack, routes *crowd.Routes, scanner crowd.Scanner) (*crowd.Crowd, error) {
	code, err := st.server.StaffCode(auth.Staff{Shift: "shift-demo", Tag: "Demo desk", Role: auth.RoleFloor, Store: st.indexes[0].Site().ID,
		Teams: []string{"Shoes"}, ExpiresAt: time.Now().Add(12 * time.Hour)})
	if err != nil {
		return nil, err
	}
	index := st.indexes[0]
	frame := index.Site().Frame()
	return crowd.Gather(ctx, crowd.Options{
		Outside: func(x, y float64) bool { return index.Distance(frame.LatLng(x, y), 0, false) > 2*shownTo },
		URL:     st.address(), Code: code, Routes: routes, Scanner: scanner, Rules: st.node.Rules,
		Walkers: c.walkers(), For: c.For, Seed: c.Seed, Mint: func(shopper string) (string, error) {
			return st.devKey.MintShopper(shopper, "doorstep-demo", "adult", 15*time.Minute)
		}})
}

// walkers is how many were asked for; or as many as somebody wants to look at, or as figures need.
func (c *demoCmd) walkers() int {
	switch {
	case c.Walkers != nil:
		return *c.Walkers
	case c.For > 0:
		return measured
	}
	return lookers
}

// shownTo is how exact consoles are told a place, in metres.
const shownTo = 0.01

const (
	lookers  = 12  // walkers when somebody only wants to look
	measured = 220 // walkers when --for asks for figures: enough for a hundred of each kind in half a minute
)

// greet says what runs, what it does not survive, and where to look.
func (c *demoCmd) greet(st *stack, s streams) error {
	if c.JSON {
		return nil
	}
	store := st.indexes[0].Site()
	fmt.Fprintf(s.out, "Doorstep %s: %s, on %s\n", version(), store.Name, st.address())
	fmt.Fprintf(s.out, "Everything is embedded and goes away with this process: consent in SQLite, positions in %s, keys and tokens made up.\n", st.backend)
	fmt.Fprintln(s.out, "Open one of these; each address works once:")
	st.invite(s.out, store.ID)
	fmt.Fprintln(s.out)
	return nil
}

func (c *demoCmd) report(sum crowd.Summary, s streams) error {
	if c.JSON {
		b, err := json.Marshal(sum)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.out, string(b))
	} else {
		sum.Print(s.out)
	}
	return sum.Verdict()
}
