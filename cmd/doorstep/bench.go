// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"doorstep/cmd/doorstep/bench"
	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/consent/sqlstore/postgresserver"
	"doorstep/geofence"
	"doorstep/tracking"
	"doorstep/tracking/live/redisserver"
	"doorstep/tracking/server/auth"
)

type benchCmd struct {
	Sessions int           `default:"1000" help:"Phones with a session each."`
	Rate     float64       `default:"1" help:"Fixes a second of each phone; 1 at most, as phones may."`
	For      time.Duration `default:"50s" help:"How long the server is measured, and the echo as long, in five turns each."`
	Stores   int           `default:"1" help:"Stores that they are in, evenly."`
	Nodes    int           `default:"1" help:"Servers that phones and consoles are spread over; more than one need --postgres."`
	Postgres bool          `help:"Keep the ledger in a PostgreSQL that is started for it, in place of a file."`
	Map      string        `type:"path" help:"The map of each store (GeoJSON file or folder of levels). Without it: a store drawn for this program."`
	Profile  string        `type:"existingdir" help:"Folder for profiles of the server: of its memory when idle, and of its first turn, which is slower for it."`
	JSON     bool          `name:"json" help:"Print the report as one line of JSON, the last."`
}

// benchPartCmd is one of the processes of a measurement; bench starts them.
type benchPartCmd struct {
	Echo   echoPart        `cmd:"" help:"The yardstick."`
	Load   echoLoadPart    `cmd:"" help:"The yardstick's phones."`
	Server benchServerPart `cmd:"" help:"The server."`
}

type echoPart struct{}

// Run echoes until nothing more is asked.
func (echoPart) Run(s streams) error { return bench.ServeEcho(s.in, s.out) }

type echoLoadPart struct{}

// Run drives the echo until nothing more is asked.
func (echoLoadPart) Run(s streams) error { return bench.ServeEchoLoad(s.in, s.out) }

// Run measures. It fails if something was lost, or the server did not do what the fence's rules say.
func (c *benchCmd) Run(ctx context.Context, s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	site, err := benchSite(c.Map)
	if err != nil {
		return err
	}
	index, err := geofence.NewIndex(site)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "doorstep-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o := bench.Options{Index: index, Rules: geofence.DefaultRules(), Sessions: c.Sessions, Hz: c.Rate, For: c.For, Profile: c.Profile, Say: func(line string) {
		if !c.JSON {
			fmt.Fprintln(s.out, line)
			return
		}
		fmt.Fprintln(s.err, line)
	}}
	for n := range c.Stores {
		o.Stores = append(o.Stores, benchStore(n))
	}
	stop, err := c.start(ctx, dir, &o)
	if err != nil {
		return errors.Join(err, stop())
	}
	rep, err := bench.Run(ctx, o)
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	return c.report(rep, s)
}

func (c *benchCmd) check() error {
	switch {
	case c.Sessions < 1:
		return wrong("--sessions %d: choose 1 or more; 1,000 or more for figures that say something", c.Sessions)
	case c.Rate <= 0 || c.Rate > 1:
		return wrong("--rate %v: choose more than 0 and at most 1: phones may send a fix a second", c.Rate)
	case c.For < time.Second:
		return wrong("--for %v: choose a second or more; 50s or more for figures that say something", c.For)
	case c.Stores < 1 || c.Stores > c.Sessions:
		return wrong("--stores %d: choose 1 or more, and no more than there are sessions", c.Stores)
	case c.Nodes < 1 || c.Nodes > c.Sessions:
		return wrong("--nodes %d: choose 1 or more, and no more than there are sessions", c.Nodes)
	case c.Nodes > 1 && !c.Postgres:
		return wrong("--nodes %d: a ledger in a file serves one node: add --postgres", c.Nodes)
	}
	return nil
}

// start starts what is measured, and what it is measured by. stop ends whatever was started, and is never nil.
func (c *benchCmd) start(ctx context.Context, dir string, o *bench.Options) (stop func() error, err error) {
	var closers []func() error
	stop = func() error {
		var errs []error
		for i := len(closers) - 1; i >= 0; i-- {
			errs = append(errs, closers[i]())
		}
		return errors.Join(errs...)
	}
	key := filepath.Join(dir, "dev.key")
	dev, err := auth.OpenDevKey(key)
	if err != nil {
		return stop, err
	}
	o.MintPhone = func(shopper string) (string, error) {
		return dev.MintShopper(shopper, "doorstep-bench", "adult", auth.ShopperLife)
	}
	o.MintStaff = func(shift, store string) (string, error) {
		return dev.MintStaff(shift, "Desk", auth.RoleFloor, store, 8*time.Hour)
	}
	redis, err := redisserver.Start(ctx)
	if err != nil {
		return stop, err
	}
	closers = append(closers, redis.Close)
	o.RedisPID = redis.PID()
	secrets := []string{envPrefix + "_REDIS=" + redis.AdminURL()} // not among the arguments, which anybody can list
	if c.Postgres {
		db, err := postgresserver.Start(ctx)
		if err != nil {
			return stop, err
		}
		closers = append(closers, db.Close)
		secrets = append(secrets, envPrefix+"_DATABASE="+db.URL("postgres"))
	}
	self, err := os.Executable()
	if err != nil {
		return stop, err
	}
	start := func(as **bench.Part, args ...string) error {
		cmd := exec.Command(self, append([]string{"bench-part"}, args...)...)
		cmd.Env = append(os.Environ(), secrets...)
		var err error
		if *as, err = bench.StartPart(cmd); err == nil {
			closers = append(closers, (*as).Close)
		}
		return err
	}
	o.Servers = make([]*bench.Part, c.Nodes)
	for i := range o.Servers {
		if err := start(&o.Servers[i], "server", "--data", dir, "--dev-key", key, "--stores", fmt.Sprint(c.Stores), "--map", c.Map); err != nil {
			return stop, err
		}
		if err := o.Servers[i].Ask("address", nil, new(string)); err != nil { // it has made or found the tables before the next begins
			return stop, err
		}
	}
	return stop, errors.Join(start(&o.Echo, "echo"), start(&o.EchoLoad, "load"))
}

func (c *benchCmd) report(rep bench.Report, s streams) error {
	rep.Print(s.out)
	if c.JSON {
		b, err := json.Marshal(rep)
		if err != nil {
			return err
		}
		fmt.Fprintln(s.out, string(b))
	}
	return rep.Verdict()
}

func benchStore(n int) string { return fmt.Sprintf("store-%03d", n+1) }

// benchSite is the map that every store of a measurement has.
func benchSite(path string) (*geofence.Site, error) {
	if path == "" {
		return demostore.Load()
	}
	x, _, err := loadIndex(path)
	if err != nil {
		return nil, err
	}
	return x.Site(), nil
}

type benchServerPart struct {
	Data   string `required:"" type:"path"`
	DevKey string `required:"" type:"path"`
	Redis  string `required:""`

	Database string
	Stores   int    `required:""`
	Map      string `type:"path"`
}

// Run serves until nothing more is asked.
func (c *benchServerPart) Run(ctx context.Context, s streams) error {
	dev, err := auth.OpenDevKey(c.DevKey)
	if err != nil {
		return err
	}
	set := settings{data: filepath.Join(c.Data, "ledger"), database: c.Database, redis: c.Redis, listen: "127.0.0.1:0", devKey: dev, issuers: []auth.Issuer{dev.Issuer()},
		registry: consent.DevelopmentRegistry(), log: slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	site, err := benchSite(c.Map)
	if err != nil {
		return err
	}
	for n := range c.Stores {
		own := *site
		own.ID = benchStore(n)
		x, err := geofence.NewIndex(&own)
		if err != nil {
			return err
		}
		set.indexes = append(set.indexes, x)
	}
	var purged purges
	set.withdrawn = purged.add
	st, err := assemble(ctx, set)
	if err != nil {
		return err
	}
	defer st.Close()
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- st.Run(serving) }()
	defer func() { stop(); <-served }()
	select {
	case <-st.node.Started():
	case err := <-served:
		served <- nil
		return err
	}
	return bench.Orders{"tidy": bench.Tidy, "profile": bench.Profile, "address": func(json.RawMessage) (any, error) { return st.address(), nil },
		"counts": st.counts, "purges": purged.all}.Serve(s.in, s.out)
}

// purges is how long each withdrawal took until its purge was confirmed.
type purges struct {
	mu   sync.Mutex
	took []time.Duration
}

func (p *purges) add(a tracking.Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, a.Purged)
}

func (p *purges) all(json.RawMessage) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.took), nil
}

// counts are the node's own.
func (st *stack) counts(json.RawMessage) (any, error) {
	n := &st.node.Stats
	return bench.Counts{Fixes: n.Fixes.Load(), Accepted: n.Accepted.Load(), Refused: n.Refused.Load(), Written: n.Written.Load(),
		Batches: n.Batches.Load(), Unstored: n.Unstored.Load()}, nil
}
