// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/mobile-sdk-spec/go/phone"
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
	if !c.Obey {
		if held, err = boundless(x.Site()); err != nil {
			return err
		}
	}
	key, err := client.NewKey()
	if err != nil {
		return err
	}
	air := newRadio()
	defer air.off()
	now := func() time.Time { return time.Now().Add(c.Skew) }
	app, err := client.New(client.Config{BaseURL: strings.TrimSuffix(c.URL, "/"), Token: token, Installation: key, Now: now,
		HTTP: air.web(), Dialer: air.sockets()})
	if err != nil {
		return err
	}
	p := &pedestrian{walkCmd: c, app: app, air: air, walker: walker, fence: held, store: x.Site().ID, out: s.out, said: make(chan client.Event, 64)}
	p.phone = phone.New(phone.Config{Client: app, Now: now, Heard: p.hear}, phone.Kept{})
	defer p.phone.Close()
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
