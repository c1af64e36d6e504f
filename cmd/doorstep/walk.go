// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/mobile-sdk-spec/go/sim"
)

// walkCmd is one phone, for developers who do not want to walk: it asks, decides, waits outside
// without a word, and reports a walk, recorded or made up, at its own pace, or faster.
type walkCmd struct {
	wayFlags
	Map     string  `required:"" type:"path" help:"The store's map: GeoJSON file or folder of levels."`
	URL     string  `name:"url" required:"" help:"The server, such as http://127.0.0.1:8080."`
	Token   string  `help:"The shopper's token; or give --dev-key."`
	DevKey  string  `type:"path" help:"The development key that the server runs with: tokens are minted with it."`
	Sub     string  `default:"walker" help:"Whose token to mint."`
	Purpose string  `default:"assist" help:"What the grant is for."`
	Speed   float64 `default:"1" help:"Times as fast, from 0.1 to 60. Above about 8 the server sees somebody too fast to be walking."`
	Obey    bool    `default:"true" negatable:"" help:"Hold the fence as an app must: outside, say only so. --no-obey sends every fix."`
	Help    string  `name:"call" help:"Call for help with this topic once inside."`
}

// Run walks. It fails if the session could not be opened or ended otherwise than by leaving.
func (c *walkCmd) Run(ctx context.Context, s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	x, err := mapFlags{Map: c.Map}.open()
	if err != nil {
		return err
	}
	token, err := c.token()
	if err != nil {
		return err
	}
	fence, err := x.Fence()
	if err != nil {
		return err
	}
	walker, err := c.walker(fence, c.Seed)
	if err != nil {
		return err
	}
	held, err := client.ParseFence(fence)
	if err != nil {
		return err
	}
	key, err := client.NewKey()
	if err != nil {
		return err
	}
	phone, err := client.New(client.Config{BaseURL: strings.TrimSuffix(c.URL, "/"), Token: token, Installation: key,
		Now: func() time.Time { return time.Now().Add(c.Skew) }})
	if err != nil {
		return err
	}
	p := &pedestrian{walkCmd: c, phone: phone, walker: walker, fence: held, store: x.Site().ID, out: s.out}
	return p.visit(ctx)
}

// Below the slowest, a fix would come more seldom than the lease allows.
const slowest, fastest = 0.1, 60

func (c *walkCmd) check() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || !bareAddress(u):
		return wrong("--url %q: must be http://host:port or https://host without a path, as the server printed it", c.URL)
	case !(c.Speed >= slowest && c.Speed <= fastest): // NaN too
		return wrong("--speed %v: choose from %v to %v", c.Speed, slowest, fastest)
	case c.Purpose == "":
		return wrong("--purpose: empty: name a purpose that the server's registry declares, such as assist")
	case c.Token == "":
		return errors.Join(claim("--sub", c.Sub, longID), c.wayFlags.check())
	}
	return c.wayFlags.check()
}

func (c *walkCmd) token() (func(context.Context) (string, error), error) {
	if c.Token != "" {
		return func(context.Context) (string, error) { return c.Token, nil }, nil
	}
	k, err := devKeyFlag{c.DevKey}.open()
	if err != nil {
		return nil, err
	}
	return func(context.Context) (string, error) {
		return k.MintShopper(c.Sub, "doorstep-walk", "adult", 15*time.Minute)
	}, nil
}

// unreached explains an error of the first request: the server may not be there at all, or be
// something else.
func (c *walkCmd) unreached(err error) error {
	p, answered := errors.AsType[*client.Problem](err)
	switch network, failed := errors.AsType[net.Error](err); {
	case failed && network.Timeout():
		return fmt.Errorf("--url %s: no answer in time: is this the address that `doorstep serve` printed?", c.URL)
	case failed:
		return fmt.Errorf("--url %s: cannot be reached: %w: start `doorstep serve`, or give the address that it printed", c.URL, network)
	case answered && p.Code == "unknown":
		return fmt.Errorf("--url %s: what answers there is not Doorstep (HTTP %d): give the address that `doorstep serve` printed", c.URL, p.Status)
	}
	return fmt.Errorf("asking what to show: %w", err)
}

// pedestrian is the phone on its way.
type pedestrian struct {
	*walkCmd
	phone  *client.Client
	walker *sim.Walker
	fence  *client.Fence
	store  string
	out    io.Writer
	sent   int
	silent int
}

func (p *pedestrian) visit(ctx context.Context) error {
	prompt, err := p.phone.Prompt(ctx, client.PromptRequest{Store: p.store, Purpose: p.Purpose, Lang: "en", Opened: true})
	if err != nil {
		return p.unreached(err)
	}
	d, err := p.phone.Decide(ctx, p.store, prompt, client.Answer{Choice: "visit", Control: "button"})
	if err != nil {
		return fmt.Errorf("deciding: %w", err)
	}
	fmt.Fprintf(p.out, "%s: %q, for this visit\n", d.State, prompt.Title)
	fix, ok := p.arrive()
	if !ok {
		return errors.New("the walk never comes inside the store: nothing was sent")
	}
	session, err := p.phone.Connect(ctx, p.store, []string{p.Purpose})
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	fmt.Fprintf(p.out, "connected: you are %s\n", session.Welcome().Word)
	return p.walk(ctx, session, fix)
}

func (p *pedestrian) arrive() (sim.Fix, bool) {
	for {
		fix, _, ok := p.walker.Next()
		if !ok || p.fence.Inside(fix.Lat, fix.Lng, levelOf(fix)) {
			return fix, ok
		}
	}
}

func (p *pedestrian) walk(ctx context.Context, s *client.Session, fix sim.Fix) error {
	pace := time.NewTicker(time.Duration(float64(time.Second) / p.Speed))
	defer pace.Stop()
	defer func() { s.Kill() }()
	called := p.Help == ""
	if err := p.report(s, fix); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("interrupted before the walk was over; said goodbye"), s.Bye())
		case e, open := <-s.Events():
			if !open {
				return errors.New("the connection is gone")
			}
			done, err := p.heard(e)
			if done || err != nil {
				return err
			}
			if st, ok := e.(client.State); ok && st.State == "active" && !called {
				called = true
				if _, err := s.Help(p.Help, false); err != nil {
					return err
				}
			}
		case <-pace.C:
			fix, _, more := p.walker.Next()
			if more && fix.Offline {
				var err error
				if s, fix, more, err = p.lose(ctx, s, pace.C); err != nil {
					return err
				}
			}
			if !more {
				fmt.Fprintln(p.out, "the walk is over; saying goodbye")
				return s.Bye()
			}
			if err := p.report(s, fix); err != nil && !errors.Is(err, client.ErrClosed) && !errors.Is(err, client.ErrStopped) {
				return err
			}
		}
	}
}

// lose walks on without a network, and comes back to the session. After an error it is the one that was lost.
func (p *pedestrian) lose(ctx context.Context, s *client.Session, pace <-chan time.Time) (*client.Session, sim.Fix, bool, error) {
	fmt.Fprintln(p.out, "no network")
	s.Kill()
	for range s.Events() { // to the last
	}
	fix, more := sim.Fix{Offline: true}, true
	for more && fix.Offline {
		select {
		case <-ctx.Done():
			return s, fix, false, ctx.Err()
		case <-pace:
			fix, _, more = p.walker.Next()
		}
	}
	back, err := s.Resume(ctx)
	if err != nil {
		back, err = p.phone.Connect(ctx, p.store, []string{p.Purpose})
	}
	if err != nil {
		return s, fix, false, fmt.Errorf("connecting again: %w", err)
	}
	fmt.Fprintln(p.out, "connected again")
	return back, fix, more, nil
}

func (p *pedestrian) report(s *client.Session, fix sim.Fix) error {
	level := levelOf(fix)
	if where := p.fence.Where(fix.Lat, fix.Lng, fix.AccuracyM, level); p.Obey && where != "inside" {
		p.silent++
		return s.Outside(where)
	}
	p.sent++
	return s.Fix(client.Fix{Lat: fix.Lat, Lng: fix.Lng, AccuracyM: fix.AccuracyM, Level: level, Source: "sim"})
}

// heard says what the app would show, and reports whether that was the end.
func (p *pedestrian) heard(e client.Event) (done bool, err error) {
	switch e := e.(type) {
	case client.State:
		fmt.Fprintln(p.out, strings.TrimSpace("state: "+e.State+" "+e.Reason))
	case client.Seen:
		fmt.Fprintf(p.out, "%s %s can see you\n", e.Team, e.By)
	case client.Unseen:
		fmt.Fprintln(p.out, "nobody is looking")
	case client.HelpUpdate:
		fmt.Fprintf(p.out, "help: %s\n", e.State)
	case client.FrameError:
		fmt.Fprintf(p.out, "refused: %s %s\n", e.Code, e.Field)
	case client.Closed:
		fmt.Fprintf(p.out, "closed with %d (%s) after %d fixes and %d times only \"outside\"\n", e.Code, e.Reason, p.sent, p.silent)
		if e.Code == 4501 || e.Code == 1000 || e.Local {
			return true, nil
		}
		return true, fmt.Errorf("closed with %d: %s", e.Code, e.Reason)
	}
	return false, nil
}

func levelOf(f sim.Fix) *int {
	if !f.HasLevel {
		return nil
	}
	return &f.Level
}
