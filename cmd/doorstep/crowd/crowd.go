// SPDX-License-Identifier: Apache-2.0

// Package crowd fills a store with shoppers, for demonstrations and measurements. It sees what people
// see: shoppers use the Go reference client over real sockets and HTTP, staff sign in with a one-time
// code and use the staff's API, and somebody else looks into the live state. Any server can be driven
// by its address; nothing here knows how one is made.
//
//	Routes    where shoppers walk: planned on a store's map, or recorded
//	visit     one shopper once: asked, decided, walked in, served, gone
//	Watcher   a console without a screen, which notes when it was told what
//	Scanner   counts what the live state still holds of a visit
//	Summary   what all of them saw, counted where it happened, and whether the promises held
//
// A [Crowd] is all of it at once.
package crowd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"doorstep/geofence"
)

// Options say whom a crowd visits, and how. All but For and Seed are required; a crowd of no Walkers
// only watches.
type Options struct {
	URL     string                               // the server: scheme, host and port
	Code    string                               // a one-time code, by which the crowd's console signs in on the floor
	Mint    func(shopper string) (string, error) // a token for a shopper of that id
	Routes  *Routes                              // which say the store, too
	Scanner Scanner
	Rules   geofence.Rules          // those of the server
	Outside func(x, y float64) bool // of a place in metres of the store's frame, as consoles are told of it
	Walkers int                     // shoppers at a time
	For     time.Duration           // how long, at least: see Run; 0: until the context ends, and at leisure
	Seed    uint64
}

// Scanner looks into the live state, as far from the server as it can be.
type Scanner interface {
	// Left is how many keys hold anything of a visit, now.
	Left(visit string) (int, error)
}

// Crowd is everyone who takes part: the shoppers, the console that watches and claims.
type Crowd struct {
	Options
	tally   *tally
	watch   *Watcher
	started time.Time
	lasted  time.Duration
	fresh   chan string // alerts of our own walkers, to whoever waits for one: those of people at the pages are left to people
}

// ShortestRun is what For must be at least: with less, no visit begins.
const ShortestRun = 15 * time.Second

// Figures of the play.
const (
	acts        = 3 // at most
	fixPace     = time.Second
	withdrawAt  = 3                // fixes inside before a walker changes its mind
	curtainTime = 12 * time.Second // before the end, no new visit begins
	exitTime    = 17 * time.Second // and none that is to leave through a door, which takes longer
	lookFor     = 1500 * time.Millisecond
	looksAtOnce = 2 // as many as one person may have
)

// Gather signs the crowd's console in. Close gives up what it holds.
func Gather(ctx context.Context, o Options) (*Crowd, error) {
	p := &Crowd{Options: o, tally: newTally(), fresh: make(chan string)}
	var err error
	p.watch, err = Watch(ctx, o.URL, o.Code)
	return p, err
}

// Run plays until the time is over, or ctx is. say is told how it goes. On a machine that is too busy to
// show one visit of each kind in that time, it plays again, three times in all at most.
func (p *Crowd) Run(ctx context.Context, say func(string)) Summary {
	p.started = time.Now()
	for act := range acts {
		p.play(ctx, act, say)
		if p.For == 0 || ctx.Err() != nil || len(p.summary().missing()) == 0 {
			break
		}
	}
	return p.summary()
}

// play is one act: all walkers come in, and nobody new does before its end.
func (p *Crowd) play(ctx context.Context, act int, say func(string)) {
	if p.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.For)
		defer cancel()
	}
	var all sync.WaitGroup
	for range looksAtOnce {
		all.Go(func() { p.claim(ctx) })
	}
	all.Go(func() { p.tell(ctx, say) })
	for n := range p.Walkers {
		all.Go(func() { p.shopper(ctx, n, act) })
	}
	all.Wait()
	p.lasted = time.Since(p.started)
}

// Close signs the console off.
func (p *Crowd) Close() { p.watch.Close() }

// shopper is one visit after another, each by somebody new.
func (p *Crowd) shopper(ctx context.Context, n, act int) {
	rng := rand.New(rand.NewPCG(p.Seed, uint64(act*p.Walkers+n)))
	if !pause(ctx, time.Duration(rng.Int64N(int64(p.spread())))) {
		return
	}
	for round := n; p.timeLeft(ctx) > curtainTime; round++ {
		if kindOf(round).leaves() && p.timeLeft(ctx) < exitTime {
			continue
		}
		w, err := p.walker(round, rng)
		if err != nil {
			p.tally.problem(err.Error())
			return
		}
		if err := w.visit(ctx); err != nil {
			p.tally.problem(err.Error())
			if !pause(ctx, time.Second) {
				return
			}
		}
		if p.For == 0 && !pause(ctx, time.Duration(rng.Int64N(int64(10*time.Second)))) {
			return
		}
	}
}

// spread is over how long the walkers come in.
func (p *Crowd) spread() time.Duration {
	if p.For == 0 {
		return 20 * time.Second
	}
	return 4 * time.Second
}

func (p *Crowd) timeLeft(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	if end, ok := ctx.Deadline(); ok {
		return time.Until(end)
	}
	return time.Hour
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// claim does what a person at the desk would: takes an alert, looks where the shopper is, lets go.
func (p *Crowd) claim(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case alert := <-p.fresh:
			if !p.claimOne(ctx, alert) {
				return
			}
		}
	}
}

func (p *Crowd) claimOne(ctx context.Context, alert string) (goOn bool) {
	raised, cancel := context.WithTimeout(ctx, tellWithin)
	_, err := p.watch.Until(raised, alert, func(a Seen) time.Time { return a.Raised })
	cancel()
	if err != nil {
		return ctx.Err() == nil // whoever called says so, if that was wrong
	}
	p.tally.seen(time.Since(p.started))
	if p.watch.Act(ctx, alert, "claim", 1) != nil {
		return true // it is gone already, or a person was faster
	}
	if p.watch.Look(alert) != nil || !pause(ctx, lookFor) {
		return false
	}
	_ = p.watch.Act(ctx, alert, "release", 2) // gone meanwhile, as often as not; a person has two at a time
	return true
}

func (p *Crowd) tell(ctx context.Context, say func(string)) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s := p.tally.summary()
			say(fmt.Sprintf("%4.0f s  %d sessions, %d fixes, %d positions; hidden after %.0f ms, gone %.0f ms; withdrawals answered after %.0f ms (medians)",
				time.Since(p.started).Seconds(), s.Sessions, s.FixesSent, s.Accepted, s.ExitToHidden.P50, s.ExitToGone.P50, s.WithdrawToAnswer.P50))
		}
	}
}

func (p *Crowd) summary() Summary {
	if err := p.watch.Err(); err != nil {
		p.tally.problem("the console was cut off: " + err.Error())
	}
	s := p.tally.summary()
	s.Store, s.Seconds, s.Walkers = p.Routes.Store(), p.lasted.Seconds(), p.Walkers
	s.full = p.For >= fullRun && p.lasted >= p.For
	seen := p.watch.Totals()
	s.Alerts, s.Dots, s.Unsafe, s.ConsoleCuts = seen.Alerts, seen.Dots, seen.Unsafe, seen.Cuts
	for _, at := range seen.Shown {
		if p.Outside(at[0], at[1]) {
			s.Outside++
		}
	}
	return s
}
