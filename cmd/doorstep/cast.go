// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"doorstep/geofence"
	"doorstep/tracking/server/auth"
)

// cast is everyone who takes part in a demonstration: the walkers, the console that watches and
// claims, and the process that looks into the live state.
type cast struct {
	cmd     *demoCmd
	stack   *stack
	index   *geofence.Index
	routes  *routes
	tally   *tally
	watch   *watcher
	scan    *scanner
	stop    context.CancelFunc
	walkers int
	started time.Time
	took    time.Duration
	fresh   chan string // alerts of our own walkers: those of people at the pages are left to people
}

// Figures of the play.
const (
	lookers     = 12  // walkers when somebody only wants to look
	measured    = 220 // walkers when --for asks for figures: enough for a hundred of each kind in half a minute
	fixPace     = time.Second
	withdrawAt  = 3                // fixes inside before a walker changes its mind
	curtainTime = 12 * time.Second // before the end, no new visit begins
	shortestRun = 15 * time.Second // with less, no visit begins
	lookFor     = 1500 * time.Millisecond
	looksAtOnce = 2 // as many as one person may have
)

func (c *demoCmd) cast(ctx context.Context, st *stack) (*cast, error) {
	p := &cast{cmd: c, stack: st, index: st.indexes[0], tally: newTally(), walkers: c.Walkers, fresh: make(chan string, 4096)}
	if p.walkers < 0 {
		p.walkers = lookers
		if c.For > 0 {
			p.walkers = measured
		}
	}
	var err error
	if p.routes, err = newRoutes(c.Traces, p.index); err != nil {
		return nil, err
	}
	code, err := st.server.StaffCode(auth.Staff{Shift: "shift-demo", Tag: "Demo desk", Role: auth.RoleFloor, Store: p.index.Site().ID,
		Teams: []string{"Shoes"}, ExpiresAt: time.Now().Add(12 * time.Hour)})
	if err != nil {
		return nil, err
	}
	if p.watch, err = watch(ctx, st.address(), code); err != nil {
		return nil, err
	}
	if p.scan, err = startScanner(ctx, st); err != nil {
		return nil, err
	}
	return p, nil
}

// run plays until the time is over, or ctx is. say is told how it goes.
func (p *cast) run(ctx context.Context, atMost time.Duration, say func(string)) {
	p.started = time.Now()
	watching, stopWatch := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stopWatch
	go p.watch.run(watching)
	if atMost > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, atMost)
		defer cancel()
	}
	var all sync.WaitGroup
	for range looksAtOnce {
		all.Go(func() { p.claim(ctx) })
	}
	all.Go(func() { p.tell(ctx, say) })
	for n := range p.walkers {
		all.Go(func() { p.shopper(ctx, n) })
	}
	all.Wait()
	p.took = time.Since(p.started)
}

// shopper is one visit after another, each by somebody new.
func (p *cast) shopper(ctx context.Context, n int) {
	rng := rand.New(rand.NewPCG(p.cmd.Seed, uint64(n)))
	if !pause(ctx, time.Duration(rng.Int64N(int64(p.spread())))) {
		return
	}
	for round := n; p.timeLeft(ctx) > curtainTime; round++ {
		w := &walker{base: p.stack.address(), key: p.stack.devKey, index: p.index, purpose: askPurpose, tally: p.tally, watch: p.watch,
			scan: p.scan, pace: fixPace, end: ending(round % 2), stay: withdrawAt, fence: p.routes.fence, obeys: round%4 < 2, asked: p.fresh}
		var err error
		if w.route, err = p.routes.pick(rng, w.end); err != nil {
			p.tally.problem(err.Error())
			return
		}
		if err := w.visit(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
			p.tally.problem(err.Error())
			if !pause(ctx, time.Second) {
				return
			}
		}
		if p.cmd.For == 0 && !pause(ctx, time.Duration(rng.Int64N(int64(10*time.Second)))) {
			return
		}
	}
}

// spread is over how long the walkers come in.
func (p *cast) spread() time.Duration {
	if p.cmd.For == 0 {
		return 20 * time.Second
	}
	return 4 * time.Second
}

func (p *cast) timeLeft(ctx context.Context) time.Duration {
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
func (p *cast) claim(ctx context.Context) {
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

func (p *cast) claimOne(ctx context.Context, alert string) (goOn bool) {
	if _, err := p.watch.until(ctx, alert, func(a *watched) time.Time { return a.raised }); err != nil {
		return false
	}
	p.tally.with(func(t *tally) {
		if t.firstSeen == 0 {
			t.firstSeen = time.Since(p.started)
		}
	})
	if p.watch.act(ctx, alert, "claim", 1) != nil {
		return true // it is gone already, or a person was faster
	}
	if p.watch.send(map[string]any{"type": "look", "alert": alert}) != nil || !pause(ctx, lookFor) {
		return false
	}
	_ = p.watch.act(ctx, alert, "release", 2) // gone meanwhile, as often as not; a person has two at a time
	return true
}

func (p *cast) tell(ctx context.Context, say func(string)) {
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

func (p *cast) summary(st *stack) summary {
	s := p.tally.summary()
	s.Store, s.Seconds, s.Walkers, s.Backend = p.index.Site().ID, p.took.Seconds(), p.walkers, st.backend
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	s.Dots, s.Unsafe = p.watch.dots, p.watch.unsafe
	for _, a := range p.watch.alerts {
		if !a.raised.IsZero() {
			s.Alerts++
		}
	}
	return s
}

func (p *cast) close() {
	if p.stop != nil {
		p.stop()
		<-p.watch.done
	}
	p.scan.close()
}

// print is the summary for people.
func (s summary) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %.0f s, %d walkers, live state in %s\n", s.Store, s.Seconds, s.Walkers, s.Backend)
	fmt.Fprintf(w, "  %d sessions opened, %d fixes sent: %d accepted as positions, %d counted toward entering, refused %v\n", s.Sessions, s.FixesSent, s.Accepted, s.Counted, s.Refused)
	fmt.Fprintf(w, "  %d alerts raised, %d positions shown to whoever had claimed one\n", s.Alerts, s.Dots)
	for _, row := range []struct {
		what string
		span span
	}{
		{"first credible fix outside → app says suspended", s.ExitToSuspended},
		{"first credible fix outside → console hides", s.ExitToHidden},
		{"confirming fix → console says gone", s.ExitToGone},
		{"truly over the boundary → console hides", s.CrossingToHidden},
		{"withdrawal → answered", s.WithdrawToAnswer},
		{"withdrawal → console says gone", s.WithdrawToGone},
	} {
		fmt.Fprintf(w, "  %-50s n %4d   p50 %8.1f ms   p99 %8.1f ms\n", row.what, row.span.N, row.span.P50, row.span.P99)
	}
	by := "another process"
	if s.Backend == "memory" {
		by = "this process: nobody else can look into its memory"
	}
	fmt.Fprintf(w, "  keys left about ended sessions: %d, in %d scans by %s\n", s.KeysLeft, s.Scans, by)
}
