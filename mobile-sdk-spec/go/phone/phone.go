// SPDX-License-Identifier: Apache-2.0

// Package phone is the state machine of SPEC.md, section 5, over the connection that package client makes: what an SDK
// does between what its app asks of it, what the system's location says, and what the server says. It is the Go reference
// for who writes an SDK in another language, and passes the conformance run.
//
// An app has one [Phone] per installation. It shows the shopper [Phone.State], and reads the system's location only while
// [Phone.Located] says so.
package phone

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
)

// State is a state of SPEC.md, 5.1.
type State string

// The states. ASKING is the app's own time between Prompt and Decide.
const (
	Off        State = "OFF"
	Ready      State = "READY"
	Local      State = "LOCAL"
	Connecting State = "CONNECTING"
	Entering   State = "ENTERING"
	Active     State = "ACTIVE"
	Suspended  State = "SUSPENDED"
	Backoff    State = "BACKOFF"
	Paused     State = "PAUSED"
	Stopping   State = "STOPPING"
	Ended      State = "ENDED"
)

// located are the states in which location is on (D-2).
var located = []State{Local, Connecting, Entering, Active, Suspended, Backoff}

// Reading is what the system says of where the phone is. At is when, by the monotonic clock that Config.Now is.
type Reading struct {
	At        time.Time
	Lat, Lng  float64
	AccuracyM float64 // 0 is none
	Basis     string  // p68, p95, unknown
	Level     *int
	Mocked    bool
}

// Kept is what survives a restart of the app, beside the installation's key.
type Kept struct {
	Grants []Grant             // one for each store and purpose
	Store  string              // the last one that was decided about, or picked
	Stop   []client.Withdrawal // not confirmed yet
}

// Grant is a yes that stands, with what came with it.
type Grant struct {
	Store, Purpose string
	Receipt        string        // the shopper's to read and to export; it authorises nothing
	StopToken      string        // can do nothing but stop
	Pocket         time.Duration // how long it lets a phone go on in a pocket (D-7); 0 if it does not
}

// Config is what a phone needs. Client is required; its Config.Persist must be left empty.
type Config struct {
	Client *client.Client
	Now    func() time.Time   // monotonic; time.Now if nil
	Heard  func(client.Event) // what the server says, for the shopper to be shown; one connection's in order, and after the phone has acted on it
	Keep   func(Kept)         // writes down what must survive a restart, before it is acted on; it may not call the phone
}

// Phone is the machine. It is safe for concurrent use.
type Phone struct {
	c    *client.Client
	cfg  Config
	does decisions
	done context.Context
	over context.CancelFunc
	work sync.WaitGroup

	mu        sync.Mutex // owns the rest
	state     State
	kept      Kept
	fences    []*client.Fence // where the shopper would be helped
	fence     *client.Fence   // the one that is meant; nil while none is, or several are (P-6)
	picked    string          // the shopper's choice where stores overlap
	pocketed  time.Time       // since when the app has not been on screen; zero while it is
	session   *client.Session // open, or the one to come back to
	run       int             // of the connection: what an earlier one says counts no more
	outs      int             // readings outside, in a row
	lostAt    time.Time       // when the connection went
	troubleAt time.Time       // since when there has been none; zero while there is
	openedAt  time.Time
	attempt   int
	notBefore time.Time // of the next ticket
	lease     time.Time // in server time
	sent      *Reading
	sentAt    time.Time
	outsideAt time.Time       // when it last said that it was outside
	end       client.State    // the reason of the last end
	untaken   *client.Problem // why a withdrawal cannot be taken
	obstacle  *client.Problem // why there was no way in, the last time
}

// ErrNoSession is Help's.
var ErrNoSession = errors.New("phone: no session is open")

// ErrNotReady is Start's.
var ErrNotReady = errors.New("phone: the shopper has not said yes, or a withdrawal is under way")

// New takes up what was kept, if anything: a withdrawal goes on, a session does not.
func New(cfg Config, kept Kept) *Phone { return newPhone(cfg, kept, rightly) }

func newPhone(cfg Config, kept Kept, does decisions) *Phone {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Heard == nil {
		cfg.Heard = func(client.Event) {}
	}
	if cfg.Keep == nil {
		cfg.Keep = func(Kept) {}
	}
	p := &Phone{c: cfg.Client, cfg: cfg, does: does, state: Off, kept: kept.clone()}
	p.done, p.over = context.WithCancel(context.Background())
	switch {
	case len(kept.Stop) > 0:
		p.state = Stopping
		for _, w := range kept.Stop {
			p.goOn(func() { p.confirm(w) })
		}
	case len(kept.Grants) > 0:
		p.state = Ready
	}
	return p
}

// Close ends everything in this run of the app, as its process's end does. What is kept goes on in the next.
func (p *Phone) Close() {
	p.over()
	p.mu.Lock()
	p.run++
	p.state = Off
	s := p.session
	p.mu.Unlock()
	if s != nil {
		s.Kill()
	}
	p.work.Wait()
}

func (p *Phone) goOn(f func()) {
	p.work.Add(1)
	go func() {
		defer p.work.Done()
		f()
	}()
}

// State is what the shopper is shown.
func (p *Phone) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Located reports whether the app may read the location now.
func (p *Phone) Located() bool { return slices.Contains(located, p.State()) }

// Welcome is what the server said of the session that is open: the word, for one. Not of one that is being come back to.
func (p *Phone) Welcome() (w client.Welcome, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session == nil || !slices.Contains([]State{Entering, Active, Suspended}, p.state) {
		return w, false
	}
	return p.session.Welcome(), true
}

// Obstacle is why there was no way in, as long as the phone waits before it asks again; nil if nothing is in the way.
func (p *Phone) Obstacle() *client.Problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.obstacle
}

// Help calls for somebody. It returns the call's id.
func (p *Phone) Help(topic string, showMe bool) (id string, err error) {
	p.mu.Lock()
	s := p.session
	p.mu.Unlock()
	if s == nil {
		return "", ErrNoSession
	}
	return s.Help(topic, showMe)
}

// End is the reason of the last end, for the shopper to read.
func (p *Phone) End() client.State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end
}

// Refused is why the store cannot take a withdrawal as it is, nil if nothing is wrong with any. The phone is Stopping: the app says that the
// stop is not confirmed and that what was granted is still granted, and offers Withdraw("all").
func (p *Phone) Refused() *client.Problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.untaken
}

// Decide sends the shopper's answer to a prompt. An app whose prompt was put away calls nothing. Of a yes it looks up whether it
// is one for the pocket; if that cannot be known, it is not.
func (p *Phone) Decide(ctx context.Context, store string, prompt client.Prompt, a client.Answer) error {
	d, err := p.c.Decide(ctx, store, prompt, a)
	if err != nil {
		return err
	}
	if !d.Allows() {
		return nil
	}
	pocket, _ := p.c.PocketTime(ctx, prompt.Purpose)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept.Store = store
	p.ungrant(func(g Grant) bool { return g.Store == store && g.Purpose == prompt.Purpose }) // this one is in its place
	p.kept.Grants = append(p.kept.Grants, Grant{store, prompt.Purpose, d.Receipt, d.StopToken, pocket})
	if !slices.Contains(located, p.state) && p.state != Paused { // else it is one more purpose, from the next ticket on
		p.state = Ready
	}
	p.keep()
	return nil
}

// keep needs mu.
func (p *Phone) keep() {
	p.cfg.Keep(p.kept.clone())
}

func (k Kept) clone() Kept { return Kept{slices.Clone(k.Grants), k.Store, slices.Clone(k.Stop)} }

// Grants are the yeses that stand, with their receipts, for the shopper to read and to export.
func (p *Phone) Grants() []Grant {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.kept.Grants)
}

// granted are the purposes of a store that the shopper said yes to. It needs mu.
func (p *Phone) granted(store string) (purposes []string) {
	for _, g := range p.kept.Grants {
		if g.Store == store {
			purposes = append(purposes, g.Purpose)
		}
	}
	return purposes
}

// ungrant forgets yeses. It needs mu.
func (p *Phone) ungrant(which func(Grant) bool) {
	p.kept.Grants = slices.DeleteFunc(slices.Clone(p.kept.Grants), which)
}

// Start is the shopper's wish to be helped in any of these stores: location on, radio silent until a reading is inside the
// fence of one that they have said yes for. Where several of those overlap, nothing begins until one is picked.
func (p *Phone) Start(fences ...*client.Fence) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	agreed := slices.DeleteFunc(slices.Clone(fences), func(f *client.Fence) bool { return len(p.granted(f.Store)) == 0 })
	if p.state != Ready && p.state != Ended || len(agreed) == 0 {
		return ErrNotReady
	}
	p.fences, p.fence, p.picked, p.pocketed = agreed, nil, "", time.Time{}
	p.session, p.outs, p.attempt = nil, 0, 0
	p.obstacle = nil
	p.troubleAt, p.notBefore, p.end = time.Time{}, time.Time{}, client.State{}
	p.state = Local
	return nil
}

// Leave ends the session and keeps the grant.
func (p *Phone) Leave() {
	p.mu.Lock()
	s := p.quiet(Ready)
	p.mu.Unlock()
	if s != nil {
		_ = s.Bye() // a connection that is gone has ended already
	}
}

// quiet goes to a state in which location is off, and hands out the session to say so to. It needs mu.
func (p *Phone) quiet(to State) *client.Session {
	s := p.session
	p.session, p.sent, p.state = nil, nil, to
	p.run++
	return s
}
