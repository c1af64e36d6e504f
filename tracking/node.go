// SPDX-License-Identifier: Apache-2.0

// Package tracking is a session's life: how it opens, what becomes of a fix, how alerts reach the
// people on duty, and above all how it ends so that it stays ended, on every node, whatever fails.
//
// A Node is one server process's part in that. It knows nothing of HTTP, Redis or SQL: the ports
// it needs are in ports.go. DESIGN.md tells the ending protocol and why each guard is there;
// package endmodel explores it exhaustively.
package tracking

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/consent"
	"doorstep/geofence"
)

// Config is what a Node is made of. Everything is required but what says otherwise, Log and Prove.
type Config struct {
	ID     string // unique among the nodes that ever run at the same time; shown in no answer
	Ledger Ledger
	Alerts AlertStore
	Live   Live
	Atlas  *Atlas
	// Stores is where the settings of stores are kept, and ReadMap reads a map that is kept there; both nil
	// for a node whose stores never change.
	Stores  Stores
	ReadMap func(store string, sources []byte) (*geofence.Index, error)
	// MayGoLive refuses a store, by its map, that must not track anybody; it stays closed. Nil: none is.
	MayGoLive func(x *geofence.Index) error
	// Reread takes up what was published since: notices, apps suspended. Optional.
	Reread func(ctx context.Context) error
	Clock  Clock
	Rules  geofence.Rules
	// Prove signs that a visit is gone, for whoever was sent an event about it before.
	Prove func(alert string, e consent.End, at time.Time) string
	Log   *slog.Logger
}

// Errors of a node, by which its caller decides what to answer.
var (
	ErrUnavailable  = errors.New("consent cannot be confirmed now")             // retry
	ErrNotComplete  = errors.New("recorded, but not yet confirmed everywhere")  // retry with the same id
	ErrNotGranted   = errors.New("no grant in force for this purpose")          // ask the shopper
	ErrNobodyOnDuty = errors.New("nobody is signed in for this purpose")        // later
	ErrNoStore      = errors.New("no such store")                               // configuration
	ErrShuttingDown = errors.New("this node is shutting down")                  // another node
	ErrOver         = errors.New("the session has ended")                       // a new one
	ErrRole         = errors.New("this takes another role")                     // staff
	ErrTooManyLooks = errors.New("two shoppers at a time: let go of one first") // staff
)

// Node is one server process's part in tracking. Run must be running for anything to be served.
type Node struct {
	Config
	Stats Stats

	lease    lease
	serving  atomic.Bool               // the lease's validity as of the last flush, on the boot clock
	until    atomic.Pointer[time.Time] // and its end on the clock of the process: both for the hot path
	draining atomic.Bool
	boot     atomic.Int64 // the boot clock as of the last flush: good enough to date a fix

	sessions      *sessions
	ended         *endedVisits
	desks         *desks
	writer        *writer
	purger        *purger
	enders        *enders
	announcer     *announcer
	census        *census
	acks          *acks
	poll          chan struct{} // a nudge: poll now
	storesChanged chan struct{} // their settings are to be read again
	rulesChanged  chan struct{} // what was published is to be read again
	readingStores sync.Mutex    // held from reading them to having put them in force
	started       chan struct{} // closed once the first poll has been applied
	once          sync.Once
}

// New makes a node; Run starts it.
func New(c Config) *Node {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Prove == nil {
		c.Prove = func(string, consent.End, time.Time) string { return "" }
	}
	n := &Node{
		Config:        c,
		sessions:      newSessions(),
		ended:         newEndedVisits(),
		poll:          make(chan struct{}, 1),
		started:       make(chan struct{}),
		storesChanged: make(chan struct{}, 1),
		rulesChanged:  make(chan struct{}, 1),
	}
	n.desks = newDesks(n)
	n.writer = newWriter(n)
	n.purger = newPurger(n)
	n.enders = newEnders(n)
	n.announcer = newAnnouncer(n)
	n.acks = newAcks(n)
	n.census = newCensus(n)
	return n
}

// Run joins the node table and works until ctx ends, then lets go of every session (with a retry
// code, so that the apps come back elsewhere) and leaves the table.
func (n *Node) Run(ctx context.Context) error {
	if err := n.Ledger.Join(ctx, n.ID); err != nil {
		return fmt.Errorf("tracking: join the node table: %w", err)
	}
	if err := n.ReadStores(ctx); err != nil { // once listed: what changes from now on is in the feed
		return fmt.Errorf("tracking: %w", err)
	}
	n.rereadRules()
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	g, work := errgroup.WithContext(work)
	loops := []func(context.Context) error{
		n.pollLoop, n.listen, n.writer.run, n.purger.run, n.enders.run, n.sweepLoop, n.dueLoop, n.desks.run, n.storesLoop, n.rulesLoop,
		n.announcer.run, n.census.run,
	}
	for _, loop := range loops {
		g.Go(func() error { return ignoreCancel(loop(work)) })
	}
	g.Go(func() error {
		select {
		case <-ctx.Done():
			n.drain()
			cancel()
		case <-work.Done():
		}
		return nil
	})
	err := g.Wait()
	leave, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer done()
	return errors.Join(err, n.Ledger.Leave(leave, n.ID))
}

// Started is closed when the node has heard from the ledger for the first time.
func (n *Node) Started() <-chan struct{} { return n.started }

// Serving reports whether the node holds a valid lease now.
func (n *Node) Serving() bool { return n.lease.valid(n.Clock.Boot()) }

// mayAccept is Serving for the hot path, without a system call: the clock of the process tells the lease's end to the
// point, so that nothing is called accepted past it. That clock stands still while the machine sleeps, which the last
// flush's look at the boot clock makes good.
func (n *Node) mayAccept(now time.Time) bool {
	until := n.until.Load()
	return n.serving.Load() && until != nil && now.Before(*until)
}

// Sessions is the number of sessions registered on this node.
func (n *Node) Sessions() int { return n.sessions.count() }

// drain closes the gate, then every session. The visits are not ended: an app that resumes on
// another node goes on, and one that does not runs out of its lease.
func (n *Node) drain() {
	n.draining.Store(true)
	for s := range n.sessions.all() {
		s.letGo(closeShutdown)
	}
	n.desks.closeAll()
	n.desks.wait(2 * time.Second) // each closes its views in the journal
	n.enders.drain(5 * time.Second)
}

func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
