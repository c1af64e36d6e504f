// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
	_ "time/tzdata" // opening hours are the store's own, whatever the machine knows of zones

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/geofence"
	sdkjs "doorstep/mobile-sdk-spec/js"
	"doorstep/tracking"
	"doorstep/tracking/cards"
	"doorstep/tracking/live"
	"doorstep/tracking/live/redisserver"
	"doorstep/tracking/server"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/webhooks"
)

// settings are what a running server is made of, checked by whoever fills them in.
type settings struct {
	data       string // folder of the ledger and its keys
	database   string // address of the ledger, if it is not in the data folder
	redis      string // URL; empty: embedded
	listen     string
	admin      string // address of the operator's listener; empty: none
	public     string // the address people reach, if it is not the listener's
	origins    []string
	proxies    []netip.Prefix
	issuers    []auth.Issuer
	devKey     *auth.DevKey
	indexes    []*geofence.Index
	registry   *consent.Registry
	undeclared server.Undeclared        // when an app is kept out; zero: as usual
	webhooks   string                   // file of who outside is told of alerts; empty: nobody
	cards      func(string) *cards.Deck // of stores for which none are set; nil for none
	withdrawn  func(tracking.Answer)    // told of each withdrawal; nil outside of measurements
	log        *slog.Logger
	ahead      *atomic.Int64    // nanoseconds by which the ledger's clock is ahead; nil outside tests
	upkeep     <-chan time.Time // when to forget what is due; nil: every minute
}

// ledgerNow is the ledger's clock, which rules about grants.
func (s settings) ledgerNow() time.Time {
	if s.ahead == nil {
		return time.Now()
	}
	return time.Now().Add(time.Duration(s.ahead.Load()))
}

// stack is a whole server in one value: what main runs, and what the end-to-end tests run.
type stack struct {
	settings
	db       *sqlstore.DB
	ledger   *consent.Ledger
	live     tracking.Live
	redis    *redisserver.Server // the one that was started here; nil otherwise
	backend  string              // what holds the live state, for people
	scanURL  string              // by which another process may scan it; empty if none can
	node     *tracking.Node
	server   *server.Server
	listener net.Listener
	metrics  net.Listener // nil without an operator's listener
	closers  []func() error
	around   func(http.Handler) http.Handler // for tests that look at what is said; nil otherwise
}

// assemble opens everything a server needs, in the order of dependence. What was opened is closed
// again if something later fails.
func assemble(ctx context.Context, set settings) (st *stack, err error) {
	st = &stack{settings: set}
	defer func() {
		if err != nil {
			err = errors.Join(err, st.Close())
		}
	}()
	for _, step := range []func(context.Context) error{st.openListener, st.openLedger, st.openLive, st.makeNode} {
		if err := step(ctx); err != nil {
			return st, err
		}
	}
	return st, nil
}

func (st *stack) openListener(context.Context) (err error) {
	if st.listener, err = net.Listen("tcp", st.listen); err != nil {
		return fmt.Errorf("--listen %s: %w: choose a free address, or port 0 for any", st.listen, err)
	}
	st.closers = append(st.closers, st.listener.Close)
	if st.admin == "" {
		return nil
	}
	if st.metrics, err = net.Listen("tcp", st.admin); err != nil {
		return fmt.Errorf("--admin-listen %s: %w: choose a free address", st.admin, err)
	}
	st.closers = append(st.closers, st.metrics.Close)
	return nil
}

// makeData makes the data folder, if it is not there: nobody else's to read.
func makeData(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("--data %s: %w: name a folder that can be written", dir, cause(err))
	}
	return nil
}

func (st *stack) openLedger(ctx context.Context) error {
	if err := makeData(st.data); err != nil {
		return err
	}
	keys, err := consent.OpenKeys(keysPath(st.data), st.registry.ProofDays)
	if err != nil {
		return fmt.Errorf("--data %s: %w", st.data, err)
	}
	db, err := ledgerAt{st.data, st.database}.open(ctx, sqlstore.WithClock(st.ledgerNow))
	if err != nil {
		return err
	}
	st.closers = append(st.closers, db.Close)
	st.db = db
	st.ledger = consent.New(db, keys, st.registry, st.ledgerNow)
	if err := st.ledger.Bind(ctx); err != nil {
		return err
	}
	if path := consent.ProofKeyPath(keyringPath(st.data)); st.devKey == nil && there(path) {
		st.log.Warn("the key that reads the proofs of consent of erased shoppers lies beside the ledger: move it to whoever "+
			"answers for them in court; the server does not need it", "file", path)
	}
	return st.ledger.FinishErasures(ctx)
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readStored reads a map as the ledger keeps it.
func readStored(store string, stored []byte) (*geofence.Index, error) {
	site, _, err := geofence.Load(store, geofence.Source{Name: store + ".geojson", Data: stored})
	if err != nil {
		return nil, err
	}
	return geofence.NewIndex(site)
}

// openLive takes the Redis that is named; or else starts one that is found on the machine, without
// persistence; or else holds the live state in memory. It says which.
func (st *stack) openLive(ctx context.Context) error {
	url := st.settings.redis
	if url == "" {
		own, err := redisserver.Start(ctx)
		switch {
		case errors.Is(err, redisserver.ErrNoBinary):
			memory := live.NewMemory(time.Now)
			st.closers = append(st.closers, memory.Close)
			st.live, st.backend = memory, "memory"
			st.log.Warn("no redis-server on this machine: the live state is held in memory. One node only; it does not survive this process, and need not")
			return nil
		case err != nil:
			return err
		}
		st.closers = append(st.closers, own.Close)
		st.redis, url, st.scanURL = own, own.URL(), own.AdminURL()
		st.backend = "redis (embedded)"
		st.log.Info("started a redis-server without persistence for the live state: one machine only; it does not survive this process, and need not")
	} else {
		warnings, err := live.CheckDurability(ctx, url)
		if err != nil {
			return fmt.Errorf("--redis: %w", err)
		}
		for _, w := range warnings {
			st.log.Warn(w)
		}
		st.backend, st.scanURL = "redis", url
	}
	r, err := live.OpenRedis(ctx, url, live.Options{})
	if err != nil {
		return fmt.Errorf("--redis: %w", err)
	}
	st.closers = append(st.closers, r.Close)
	st.live = r
	return nil
}

// mayGoLive holds a store to the registry: its impact assessment, and the law of its place.
func (st *stack) mayGoLive(x *geofence.Index) error {
	return st.ledger.Registry().MayGoLive(tracking.FactsOf(x.Site()), st.ledgerNow())
}

func (st *stack) makeNode(ctx context.Context) error {
	given := st.indexes
	st.node = tracking.New(tracking.Config{
		ID: "node-" + rand.Text()[:12], Ledger: st.ledger, Alerts: st.db, Live: st.live,
		Atlas: tracking.NewAtlas(st.indexes...), Stores: st.db, ReadMap: readStored, MayGoLive: st.mayGoLive,
		Reread: func(ctx context.Context) error { return st.server.Reread(ctx) }, Clock: tracking.SystemClock{},
		Rules: geofence.DefaultRules(), Prove: prover(st.ledger.Keys, st.log), Log: st.log,
	})
	if err := st.node.ReadStores(ctx); err != nil {
		return fmt.Errorf("what was imported: %w", err)
	}
	for _, x := range given {
		if err := st.mayGoLive(x); err != nil {
			return fmt.Errorf("--map: %w", err)
		}
	}
	if st.indexes = st.node.Atlas.All(); len(st.indexes) == 0 {
		return errors.New("no store: name a map with --map, or import one with `doorstep store import`")
	}
	tokens, err := auth.NewTokens(auth.Settings{Issuers: st.issuers, Leeway: 5 * time.Second, Now: time.Now})
	if err != nil {
		return err
	}
	origins, err := auth.NewOrigins(append(st.origins, st.address()))
	if err != nil {
		return err
	}
	st.server, err = server.New(server.Config{
		Node: st.node, Stores: st.db, Outside: st.db, SignIns: st.db, Ledger: st.ledger, Atlas: st.node.Atlas, Tokens: tokens, Origins: origins,
		Hosts: st.hosts(), Proxies: st.proxies, Secure: st.secure(), DevKey: st.devKey, Undeclared: st.undeclared,
		SDK: sdkjs.Files, Cards: st.cards, Withdrawn: st.withdrawn, Now: time.Now, Log: st.log,
	})
	return err
}

// Run serves until ctx ends, then drains: not ready, sessions let go of, listeners closed.
func (st *stack) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return st.node.Run(ctx) })
	g.Go(func() error { return st.server.Run(ctx) })
	g.Go(func() error { return st.prune(ctx) })
	var more []prometheus.Collector
	if st.webhooks != "" {
		s := &webhooks.Sender{Store: st.db, Path: st.webhooks, Holder: st.node.ID, Now: st.ledgerNow, Log: st.log}
		g.Go(func() error { return s.Run(ctx) })
		more = append(more, s)
	}
	g.Go(func() error { return st.watchRedis(ctx) })
	g.Go(func() error { return st.watchKeys(ctx) })
	public := st.server.Handler()
	if st.around != nil {
		public = st.around(public)
	}
	g.Go(func() error { return serveHTTP(ctx, st.server.Spare(st.listener), public) })
	if st.metrics != nil {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", st.server.Metrics(more...))
		g.Go(func() error { return serveHTTP(ctx, st.metrics, mux) })
	}
	err := g.Wait()
	quiet, cancel := context.WithTimeout(context.Background(), 5*time.Second) // ctx is over, and nobody counts any more
	defer cancel()
	if lost := st.ledger.WriteCounts(quiet); lost != nil {
		st.log.Warn("the last counts of the public report could not be written", "error", lost)
	}
	return err
}

// serveHTTP serves a listener with every limit set, until ctx ends.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	quiet, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return srv.Shutdown(quiet)
}

// prune lets the ledger forget what has outlived its time, and finishes the erasures that a process left behind.
func (st *stack) prune(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	due := st.upkeep
	if due == nil {
		due = tick.C
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-due:
			if err := st.ledger.Prune(ctx); err != nil && ctx.Err() == nil {
				st.log.Warn("the ledger could not forget what is due; it will", "error", err)
			}
			if err := st.ledger.FinishErasures(ctx); err != nil && ctx.Err() == nil {
				st.log.Error("an erasure is not finished; it will be", "error", err)
			}
		}
	}
}

// watchRedis starts an embedded Redis again if it dies: nothing in it needs to survive.
func (st *stack) watchRedis(ctx context.Context) error {
	for st.redis != nil {
		select {
		case <-ctx.Done():
			return nil
		case <-st.redis.Done():
		}
		if ctx.Err() != nil {
			return nil
		}
		st.log.Error("the embedded redis-server is gone; starting another")
		if err := st.redis.Restart(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// Close releases everything, the last opened first.
func (st *stack) Close() error {
	var errs []error
	for i := len(st.closers) - 1; i >= 0; i-- {
		if err := st.closers[i](); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	st.closers = nil
	return errors.Join(errs...)
}

// address is where people reach the server: scheme, host and port.
func (st *stack) address() string {
	if st.public != "" {
		return st.public
	}
	return "http://" + st.listener.Addr().String()
}

func (st *stack) secure() bool { return len(st.public) > 8 && st.public[:8] == "https://" }

// hosts are the names that a proof may be made for; none means whatever the request says, on
// loopback.
func (st *stack) hosts() []string {
	if st.public == "" {
		return nil
	}
	return []string{hostOf(st.public)}
}
