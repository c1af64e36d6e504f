// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"doorstep/tracking/server/auth"
)

// tokenCmd mints tokens as a retailer's backend would, with the development key of a server that
// runs with the same one. Without such a key it refuses; and it mints none that the server would.
type tokenCmd struct {
	Shopper tokenShopperCmd `cmd:"" help:"A shopper's token (15 minutes at most)."`
	Staff   tokenStaffCmd   `cmd:"" help:"A token for a shift at a store (12 hours at most)."`
	Admin   tokenAdminCmd   `cmd:"" help:"An operator's token (an hour at most)."`
}

type devKeyFlag struct {
	DevKey string `type:"path" help:"The development key that the server runs with."`
}

func (f devKeyFlag) open() (*auth.DevKey, error) {
	if f.DevKey == "" {
		return nil, wrong("no development key is configured: give --dev-key FILE, the one that `doorstep serve --dev-key FILE` made. A real deployment has none, and its tokens come from the retailer's backend")
	}
	k, err := loadDevKey(f.DevKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--dev-key %s: no such file: start `doorstep serve --dev-key` with it first", f.DevKey)
	}
	return k, err
}

type tokenShopperCmd struct {
	devKeyFlag
	Sub string        `required:"" help:"Who: the retailer's id of the shopper."`
	App string        `default:"doorstep-cli" help:"azp: the app."`
	Age string        `default:"adult" enum:"adult,minor," help:"Age band: adult, minor, or empty for unknown."`
	TTL time.Duration `name:"ttl" default:"15m" help:"How long it is good for."`
}

// Run prints the token.
func (c *tokenShopperCmd) Run(s streams) error {
	err := errors.Join(claim("--sub", c.Sub, longID), claim("--app", c.App, longID),
		life(c.TTL, auth.ShopperLife, "an app asks for a fresh one often, so that a stolen one soon ends"))
	return mint(s, err, c.devKeyFlag, func(k *auth.DevKey) (string, error) { return k.MintShopper(c.Sub, c.App, c.Age, c.TTL) })
}

type tokenStaffCmd struct {
	devKeyFlag
	Shift string        `required:"" help:"The shift's pseudonym."`
	Tag   string        `default:"Desk" help:"What colleagues see."`
	Role  string        `default:"floor" enum:"floor,lead,admin" help:"floor, lead or admin."`
	Store string        `required:"" help:"The store's id."`
	For   []string      `help:"The purposes that the shift is there for, as assist,pickup (default: every one)." placeholder:"PURPOSE"`
	TTL   time.Duration `name:"ttl" default:"8h" help:"How long it is good for."`
}

// Run prints the token.
func (c *tokenStaffCmd) Run(s streams) error {
	err := errors.Join(claim("--shift", c.Shift, longID), claim("--tag", c.Tag, shortName), claim("--store", c.Store, shortName),
		life(c.TTL, auth.StaffLife, "a token is for one shift"))
	for _, p := range c.For {
		err = errors.Join(err, claim("--for", p, shortName))
	}
	return mint(s, err, c.devKeyFlag, func(k *auth.DevKey) (string, error) {
		return k.MintStaff(c.Shift, c.Tag, c.Role, c.Store, c.TTL, c.For...)
	})
}

type tokenAdminCmd struct {
	devKeyFlag
	Sub string        `required:"" help:"Who."`
	TTL time.Duration `name:"ttl" default:"1h" help:"How long it is good for."`
}

// Run prints the token.
func (c *tokenAdminCmd) Run(s streams) error {
	err := errors.Join(claim("--sub", c.Sub, longID), life(c.TTL, auth.AdminLife, "an operator may do much"))
	return mint(s, err, c.devKeyFlag, func(k *auth.DevKey) (string, error) { return k.MintAdmin(c.Sub, c.TTL) })
}

// What the doors take, in bytes; TestTokensAreAccepted holds it against them.
const (
	longID    = 256
	shortName = 64
)

func claim(flag, text string, most int) error {
	switch {
	case text == "":
		return wrong("%s: empty: a token without it would be refused", flag)
	case len(text) > most:
		return wrong("%s: %d bytes: at most %d are accepted", flag, len(text), most)
	case strings.ContainsRune(text, 0):
		return wrong("%s: it holds a NUL, which no server accepts", flag)
	}
	return nil
}

func life(ttl, most time.Duration, because string) error {
	if ttl < time.Second || ttl > most {
		return wrong("--ttl %s: choose from 1s to %s, the server takes no other: %s", brief(ttl), brief(most), because)
	}
	return nil
}

// brief is a length of time without the noughts at its end: 15m, not 15m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func mint(s streams, fault error, f devKeyFlag, make func(*auth.DevKey) (string, error)) error {
	if fault != nil {
		return fault
	}
	k, err := f.open()
	if err != nil {
		return err
	}
	token, err := make(k)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, token)
	return nil
}
