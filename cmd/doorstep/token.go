// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"doorstep/tracking/server/auth"
)

// tokenCmd mints tokens as a retailer's backend would, with the development key of a server that
// runs with the same one. Without such a key it refuses.
type tokenCmd struct {
	Shopper tokenShopperCmd `cmd:"" help:"A shopper's token (15 minutes at most)."`
	Staff   tokenStaffCmd   `cmd:"" help:"A token for a shift at a store."`
	Admin   tokenAdminCmd   `cmd:"" help:"An operator's token."`
}

type devKeyFlag struct {
	DevKey string `type:"path" help:"The development key that the server runs with."`
}

func (f devKeyFlag) open() (*auth.DevKey, error) {
	if f.DevKey == "" {
		return nil, usageError{errors.New("no development key is configured: give --dev-key FILE, the one that `doorstep serve --dev-key FILE` made. A real deployment has none, and its tokens come from the retailer's backend")}
	}
	k, err := auth.LoadDevKey(f.DevKey)
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
	return mint(s, c.devKeyFlag, func(k *auth.DevKey) (string, error) { return k.MintShopper(c.Sub, c.App, c.Age, c.TTL) })
}

type tokenStaffCmd struct {
	devKeyFlag
	Shift string        `required:"" help:"The shift's pseudonym."`
	Tag   string        `default:"Desk" help:"What colleagues see."`
	Role  string        `default:"floor" enum:"floor,lead,admin" help:"floor, lead or admin."`
	Store string        `required:"" help:"The store's id."`
	TTL   time.Duration `name:"ttl" default:"8h" help:"How long it is good for."`
}

// Run prints the token.
func (c *tokenStaffCmd) Run(s streams) error {
	return mint(s, c.devKeyFlag, func(k *auth.DevKey) (string, error) { return k.MintStaff(c.Shift, c.Tag, c.Role, c.Store, c.TTL) })
}

type tokenAdminCmd struct {
	devKeyFlag
	Sub string        `required:"" help:"Who."`
	TTL time.Duration `name:"ttl" default:"1h" help:"How long it is good for."`
}

// Run prints the token.
func (c *tokenAdminCmd) Run(s streams) error {
	return mint(s, c.devKeyFlag, func(k *auth.DevKey) (string, error) { return k.MintAdmin(c.Sub, c.TTL) })
}

func mint(s streams, f devKeyFlag, make func(*auth.DevKey) (string, error)) error {
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
