// SPDX-License-Identifier: Apache-2.0

// Package bench measures a server under the load of many phones, beside the least that a WebSocket server can do: echo.
// Both are driven in turns, in one run, at the same pace, because an echo alone varies by a third from run to run, so
// that only ratios count.
//
// Five processes take part at least, each with its own account of processor time, memory and file descriptors:
//
//	server      all that serves, under the settings that it is shipped with; or several, which count as one
//	Redis       its live state
//	this one    the phones and consoles of the server
//	echo        the yardstick: gorilla/websocket, read inside the handler
//	echo load   the phones of the yardstick: the same bytes, the same pace
//
// Phones are real: each has a shopper's token, a key, a grant on record, a ticket and a socket, and walks about on the
// store's map. What must become of each of its fixes is reckoned beside the server by the fence's own rules; what the
// server says became of them must be just that, to the last fix.
package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
)

// Options say what is measured. All but Profile are required.
type Options struct {
	Servers   []*Part // all nodes; each answers counts, purges, tidy and address
	RedisPID  int
	Echo      *Part           // runs ServeEcho
	EchoLoad  *Part           // runs ServeEchoLoad
	Index     *geofence.Index // the map of every store
	Stores    []string        // their ids
	Rules     geofence.Rules  // the server's
	MintPhone func(shopper string) (string, error)
	MintStaff func(shift, store string) (string, error)
	Sessions  int
	Hz        float64       // fixes a second of each phone, at most 1
	For       time.Duration // how long each of the two is measured, in all turns together
	Profile   string        // folder for profiles of the server: idle.heap, and turn.cpu of its first turn; empty for none
	Say       func(string)  // how it goes, a line at a time
}

// Figures of the play.
const (
	turns       = 5
	alertsOpen  = 200
	claimed     = 50
	claimsEach  = 2                // as many as one person may have
	silentMost  = 8 * time.Second  // and as much again for the last of them; the lease is 30 s
	warmFixes   = 5                // until everybody is inside, with three positions at least
	homes       = 200              // addresses that shoppers come from: a server is slow to take many from one
	settle      = 10 * time.Second // for what is on its way
	withdrawals = 1_000
	withdrawHz  = 20
	stormMost   = 10_000
	stormWithin = 20 * time.Second
)

// Counts are the server's own, since it started.
type Counts struct {
	Fixes, Accepted, Refused, Written, Batches, Unstored int64
}

// and is what two nodes did.
func (c Counts) and(d Counts) Counts {
	return Counts{c.Fixes + d.Fixes, c.Accepted + d.Accepted, c.Refused + d.Refused, c.Written + d.Written, c.Batches + d.Batches, c.Unstored + d.Unstored}
}

// run is one measurement.
type run struct {
	Options
	urls     []string       // of the nodes, among which phones and consoles are spread
	http     *http.Client   // of staff
	homes    []*http.Client // of shoppers
	floor    *floor
	phones   []*phone
	consoles []*console
	staff    map[string]int // consoles by store
	board    board
	closing  atomic.Bool
	turn     atomic.Bool // the server's
	loaded   atomic.Bool // who steps out can come back in before the turn is over

	toConsole, toSuspended, toHidden, toGone, toPurged, toAnswer, toWelcome timing

	dots atomic.Int64 // positions shown

	mu       sync.Mutex
	problems map[string]int // guarded by mu
	lost     int            // guarded by mu
}

// Run measures. The report holds whatever went wrong; the error is of what kept it from being measured at all.
func Run(ctx context.Context, o Options) (Report, error) {
	r := &run{Options: o, floor: newFloor(o.Index), staff: make(map[string]int), board: board{calls: make(map[string]*call)},
		problems: make(map[string]int), http: asFrom(0)}
	rep := Report{Sessions: o.Sessions, Hz: o.Hz, Stores: len(o.Stores), Nodes: len(o.Servers)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer r.closing.Store(true)
	for _, step := range []struct {
		what string
		do   func(context.Context, *Report) error
	}{
		{"reach the server", r.reach},
		{"sign staff in", r.staffUp},
		{"open the sessions", r.openAll},
		{"open the echo's sockets", r.openEcho},
		{"raise alerts", r.raise},
		{"take turns", r.takeTurns},
		{"withdraw under load", r.withdrawMany},
		{"come back all at once", r.storm},
	} {
		if err := step.do(ctx, &rep); err != nil {
			return rep, fmt.Errorf("%s: %w", step.what, err)
		}
	}
	r.finish(&rep)
	return rep, ctx.Err()
}

func (r *run) say(format string, args ...any) { r.Say(fmt.Sprintf(format, args...)) }

func (r *run) problem(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems[what]++
}

// lose is a problem that lost something.
func (r *run) lose(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems[what]++
	r.lost++
}

// watching is how many consoles a store has.
func (r *run) watching(store string) int { return r.staff[store] }

func (r *run) reach(context.Context, *Report) error {
	r.urls = make([]string, len(r.Servers))
	for i, s := range r.Servers {
		if err := s.Ask("address", nil, &r.urls[i]); err != nil {
			return err
		}
	}
	return nil
}

// staffUp puts somebody on duty in every store, and as many in all as 50 claims need.
func (r *run) staffUp(ctx context.Context, rep *Report) error {
	n := max(len(r.Stores), claimed/claimsEach)
	for i := range n {
		r.staff[r.Stores[i%len(r.Stores)]]++
	}
	for i := range n {
		c, err := r.signIn(ctx, i, r.Stores[i%len(r.Stores)])
		if err != nil {
			return err
		}
		r.consoles = append(r.consoles, c)
	}
	rep.Consoles = n
	return nil
}

// openAll opens every session, lets each become idle, and weighs them.
func (r *run) openAll(ctx context.Context, rep *Report) error {
	for i := range homes {
		r.homes = append(r.homes, asFrom(i+1))
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range r.Sessions {
		p, err := r.phone(i, rng)
		if err != nil {
			return err
		}
		r.phones = append(r.phones, p)
	}
	begin := time.Now()
	if err := r.each(ctx, r.phones, "granted", (*phone).enter); err != nil {
		return err
	}
	rep.GrantsPerS = float64(r.Sessions) / time.Since(begin).Seconds()
	empty, err := r.weigh(r.Servers...)
	if err != nil {
		return err
	}
	stop := r.keepAlive(ctx)
	begin = time.Now()
	err = r.each(ctx, r.phones, "open", (*phone).open)
	stop()
	if err != nil {
		return err
	}
	rep.OpensPerS = float64(r.Sessions) / time.Since(begin).Seconds()
	pace(ctx, r.phones, r.Hz, time.Duration(warmFixes/r.Hz*float64(time.Second)))
	r.settleDown(ctx)
	full, err := r.weigh(r.Servers...)
	if err == nil {
		err = r.profile("heap", "idle.heap")
	}
	rep.KBPerIdleSession = kbEach(full.all-empty.all, r.Sessions)
	rep.KBHeap, rep.KBStacks = kbEach(full.Heap-empty.Heap, r.Sessions), kbEach(full.Stacks-empty.Stacks, r.Sessions)
	r.say("%d sessions, each %.1f kB when idle (objects %.1f, stacks %.1f)", r.Sessions, rep.KBPerIdleSession, rep.KBHeap, rep.KBStacks)
	return err
}

// node is the address of the one that the i-th phone or console talks to.
func (r *run) node(i int) string { return r.urls[i%len(r.urls)] }

// phone makes one; every eleventh stands where it can step out.
func (r *run) phone(i int, rng *rand.Rand) (*phone, error) {
	key, err := client.NewKey()
	if err != nil {
		return nil, err
	}
	p := &phone{run: r, n: i, store: r.Stores[i%len(r.Stores)]}
	if p.stand, err = r.floor.stand(rng, r.leaver(i)); err != nil {
		return nil, err
	}
	shopper := fmt.Sprintf("shopper-%d", i)
	p.app, err = client.New(client.Config{BaseURL: r.node(i), Installation: key, HTTP: r.homes[i%len(r.homes)],
		Token: func(context.Context) (string, error) { return r.MintPhone(shopper) }})
	return p, err
}

// leaver reports whether a phone is one of those with an alert that nobody claims.
func (r *run) leaver(i int) bool { return i >= claimed && i < alertsOpen }

// each does something to all phones, many at a time, and says how it goes.
func (r *run) each(ctx context.Context, phones []*phone, what string, do func(*phone, context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(openers)
	var done atomic.Int64
	said := time.Now()
	for _, p := range phones {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := do(p, ctx); err != nil {
				return err
			}
			done.Add(1)
			return nil
		})
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			r.say("%d of %d %s", done.Load(), len(phones), what)
		}
	}
	return g.Wait()
}

// keepAlive has every phone that is open send often enough to stay, until stopped: those that have been silent longest
// first, a few at a time.
func (r *run) keepAlive(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				for _, p := range r.phones {
					if p.due(now) {
						p.send(time.Now())
					}
				}
			}
		}
	}()
	return func() { cancel(); <-done }
}

// settleDown waits until every fix is answered for, or for as long as that may take. Before, everybody sends a few more, so
// that who was outside is in again, and nobody's lease ends meanwhile.
func (r *run) settleDown(ctx context.Context) {
	pace(ctx, r.phones, r.Hz, time.Duration(comesIn/r.Hz*float64(time.Second)))
	for end := time.Now().Add(settle); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		waiting := false
		for _, p := range r.phones {
			p.mu.Lock()
			waiting = waiting || p.conn != nil && p.heard.seq < p.seq
			p.mu.Unlock()
		}
		if !waiting {
			return
		}
	}
}

// weigh is what parts hold when they have given back what they do not need.
func (r *run) weigh(parts ...*Part) (sum weight, err error) {
	for _, p := range parts {
		var w weight
		if err := p.Ask("tidy", nil, &w); err != nil {
			return sum, err
		}
		if w.all, err = memoryOf(p.PID()); err != nil {
			return sum, err
		}
		sum.all, sum.Heap, sum.Stacks = sum.all+w.all, sum.Heap+w.Heap, sum.Stacks+w.Stacks
	}
	return sum, nil
}

// profile has the first node write one, if any are asked for.
func (r *run) profile(kind, file string) error {
	if r.Profile == "" {
		return nil
	}
	return r.Servers[0].Ask("profile", toProfile{filepath.Join(r.Profile, file), kind}, nil)
}

func kbEach(bytes int64, n int) float64 { return float64(bytes) / 1024 / float64(n) }

// openEcho opens as many sockets to the yardstick, sends as many fixes, and weighs them.
func (r *run) openEcho(ctx context.Context, rep *Report) error {
	stop := r.keepAlive(ctx)
	defer stop()
	empty, err := r.weigh(r.Echo)
	if err != nil {
		return err
	}
	o := toOpen{N: r.Sessions}
	if err := r.Echo.Ask("address", nil, &o.URL); err != nil {
		return err
	}
	if err := r.EchoLoad.Ask("open", o, nil); err != nil {
		return err
	}
	var p paced
	if err := r.EchoLoad.Ask("pace", toPace{r.Hz, warmFixes / r.Hz}, &p); err != nil {
		return err
	}
	if p.Sent != p.Back {
		return errors.New("the echo itself loses frames: the machine cannot carry this load")
	}
	full, err := r.weigh(r.Echo)
	rep.EchoKB = kbEach(full.all-empty.all, r.Sessions)
	rep.MemoryRatio = rep.KBPerIdleSession / rep.EchoKB
	r.say("%d sockets of the echo, each %.1f kB when idle", r.Sessions, rep.EchoKB)
	return err
}
