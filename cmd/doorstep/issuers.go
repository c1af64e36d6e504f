// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"doorstep/tracking/server/auth"
)

// issuers are those whose tokens are believed. Where staff have an issuer of their own, the shoppers'
// may not mint for them.
func (c *serveCmd) issuers(ctx context.Context) ([]auth.Issuer, error) {
	shoppers := []auth.Door{auth.ShopperDoor, auth.StaffDoor, auth.AdminDoor}
	if c.StaffIssuer != "" {
		shoppers = shoppers[:1]
	}
	var list []auth.Issuer
	for _, i := range []struct {
		flag, name, keysFlag, keys string
		doors                      []auth.Door
	}{
		{"--issuer", c.Issuer, "--jwks", c.JWKS, shoppers},
		{"--staff-issuer", c.StaffIssuer, "--staff-jwks", c.StaffJWKS, []auth.Door{auth.StaffDoor, auth.AdminDoor}},
	} {
		switch {
		case i.name == "" && i.keys == "":
			continue
		case i.keys == "":
			return nil, wrong("%s without its keys: set %s with %s, a JWKS file or its https:// address", i.flag, i.flag, i.keysFlag)
		case i.name == "":
			return nil, wrong("%s without whose keys they are: set %s with %s, the exact iss of the tokens", i.keysFlag, i.flag, i.keysFlag)
		}
		keys, err := issuerKeys(ctx, i.keysFlag, i.keys)
		if err != nil {
			return nil, err
		}
		list = append(list, auth.Issuer{Name: i.name, Methods: []string{"ES256", "EdDSA", "RS256"}, Keys: keys, Doors: i.doors})
	}
	return list, c.checkIssuers()
}

func (c *serveCmd) checkIssuers() error {
	switch {
	case c.DevKey == "" && c.Issuer == "" && c.StaffIssuer == "":
		return wrong("nobody could sign in: set --issuer and --jwks to those of your identity provider, or --dev-key FILE to try it")
	case c.DevKey == "" && c.Issuer == "":
		return wrong("no shopper could sign in: set --issuer and --jwks to those of your shoppers' identity provider")
	case c.Issuer != "" && c.Issuer == c.StaffIssuer:
		return wrong("--staff-issuer %s is the --issuer: leave --staff-issuer and --staff-jwks out, that issuer may mint for staff too", c.StaffIssuer)
	}
	return nil
}

func issuerKeys(ctx context.Context, flag, from string) (auth.Keys, error) {
	const remedy = "give a JWKS file, or the https:// address of one (your identity provider's jwks_uri)"
	if strings.Contains(from, "://") {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		keys, err := auth.FetchKeys(ctx, from, nil, time.Now)
		if fault, ok := errors.AsType[*auth.SettingError](err); ok {
			return nil, wrong("%s %s: %s. %s", flag, redacted(from), fault.Wrong, fault.Remedy)
		}
		if asked, ok := errors.AsType[*url.Error](err); ok {
			err = asked.Err
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w: %s", flag, redacted(from), err, remedy)
		}
		return keys, nil
	}
	f, err := openFile(flag, from, remedy)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", flag, from, cause(err), remedy)
	}
	keys, err := auth.ParseKeySet(b)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, from, err)
	}
	return keys, nil
}

// redacted is an address as it may be shown: without a password.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(an address that cannot be read)"
	}
	return u.Redacted()
}

// checkDevKey refuses a development key that cannot be used; one that is not there yet can be made.
func (c *serveCmd) checkDevKey() error {
	if c.DevKey == "" {
		return nil
	}
	_, err := loadDevKey(c.DevKey)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Dir(c.DevKey)); err != nil {
		return fmt.Errorf("--dev-key %s: %w: name a file in a folder that is there; the key will be made", c.DevKey, cause(err))
	}
	return nil
}

// openDevKey makes the key if it is not there, and has its tokens believed. It is the first thing that
// is written, and the last that is checked.
func (c *serveCmd) openDevKey(set *settings) (err error) {
	if c.DevKey == "" {
		return nil
	}
	if set.devKey, err = auth.OpenDevKey(c.DevKey); err != nil {
		return fmt.Errorf("--dev-key %s: %w", c.DevKey, err)
	}
	set.issuers = append([]auth.Issuer{set.devKey.Issuer()}, set.issuers...)
	return nil
}

// loadDevKey reads a key that is there; fs.ErrNotExist if it is not.
func loadDevKey(path string) (*auth.DevKey, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("--dev-key %s: this is a folder: name the file of the key", path)
	}
	k, err := auth.LoadDevKey(path)
	if fault, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("--dev-key %s: %w: name a key that can be read, or will be made", path, fault.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("--dev-key %s: %w", path, err)
	}
	return k, nil
}
