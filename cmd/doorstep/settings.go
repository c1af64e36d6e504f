// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/server"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/webhooks"
)

// settings checks everything before anything is written, and lists all mistakes at once.
func (c *serveCmd) settings(ctx context.Context, logs io.Writer) (settings, error) {
	set := settings{data: c.Data, database: c.Database, redis: c.Redis, listen: c.Listen, admin: c.AdminListen, public: strings.TrimSuffix(c.PublicURL, "/"),
		origins: c.Origin, log: newLog(logs, c.LogLevel)}
	var errs []error
	check := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	check(c.checkAddresses())
	check(c.checkOrigins())
	check(c.checkPlaces())
	check(c.checkDevKey())
	var err error
	set.undeclared, err = c.suspension()
	check(err)
	set.proxies, err = c.networks()
	check(err)
	check(c.checkWebhooks())
	set.webhooks = c.Webhooks
	set.indexes, err = loadMaps(c.Map)
	check(err)
	set.registry, err = c.loadRegistry()
	check(err)
	set.issuers, err = c.issuers(ctx)
	check(err)
	if len(errs) > 0 {
		return set, errors.Join(errs...)
	}
	c.announce(set)
	return set, c.openDevKey(&set)
}

// announce says what was found, once it is known to be good: a mistake is not to be looked for among
// other lines.
func (c *serveCmd) announce(set settings) {
	for _, x := range set.indexes {
		set.log.Info("map loaded", "store", x.Site().ID, "version", x.Site().Version)
	}
	if c.Registry == "" {
		set.log.Warn("DEVELOPMENT NOTICES: they name nobody whom a shopper could hold to them. Never with real shoppers: write your own registry and name it with --registry")
	}
}

func (c *serveCmd) checkAddresses() error {
	host, err := hostPort("--listen", c.Listen)
	if err != nil {
		return err
	}
	if c.AdminListen != "" {
		if _, err := hostPort("--admin-listen", c.AdminListen); err != nil {
			return err
		}
	}
	if c.PublicURL == "" {
		if !loopback(host) {
			return wrong("--listen %s is reachable from elsewhere: set --public-url to the https address that your proxy serves, or listen on 127.0.0.1", c.Listen)
		}
		return nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || !bareAddress(u) || (u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname()))) {
		return wrong("--public-url %q: must be https://host without a path, such as https://doorstep.example", c.PublicURL)
	}
	return nil
}

// bareAddress reports whether an address is scheme, host and port, and nothing else.
func bareAddress(u *url.URL) bool {
	return u.Hostname() != "" && u.User == nil && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func (c *serveCmd) checkOrigins() error {
	for _, o := range c.Origin {
		_, err := auth.NewOrigins([]string{o})
		if fault, ok := errors.AsType[*auth.SettingError](err); ok {
			return wrong("--origin %q: %s. %s", o, fault.Wrong, fault.Remedy)
		}
	}
	return nil
}

// checkPlaces looks at where things are kept, without opening them.
func (c *serveCmd) checkPlaces() error {
	at := ledgerAt{c.Data, c.Database}
	if err := at.check(); err != nil {
		return err
	}
	if c.Redis != "" && !slices.ContainsFunc([]string{"redis://", "rediss://", "unix://"}, func(p string) bool { return strings.HasPrefix(c.Redis, p) }) {
		return wrong("--redis: not a URL of Redis: write rediss://user:password@host:port, or redis:// on this machine") // no value: it may hold a password
	}
	if len(c.Map) == 0 && at.isNew() {
		return wrong("no store: name a map with --map, or import one with `doorstep store import`")
	}
	return nil
}

// checkWebhooks reads the receivers once, so that a mistake is told at the start.
func (c *serveCmd) checkWebhooks() error {
	if c.Webhooks == "" {
		return nil
	}
	if _, err := webhooks.ReadFile(c.Webhooks); err != nil {
		return fmt.Errorf("--webhooks: %w", err)
	}
	return nil
}

func (c *serveCmd) networks() ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range c.Proxy {
		p, err := netip.ParsePrefix(text)
		if a, single := netip.ParseAddr(text); single == nil {
			return nil, wrong("--proxy %s: an address, not a network: write %s/%d for that one", text, a, a.BitLen())
		}
		if err != nil {
			return nil, wrong("--proxy %q: not a network: write it as 10.0.0.0/8 or fd00::/8", text)
		}
		list = append(list, p)
	}
	return list, nil
}

// suspension reads "100/24h".
func (c *serveCmd) suspension() (server.Undeclared, error) {
	often, span, _ := strings.Cut(c.Suspend, "/")
	n, err := strconv.Atoi(often)
	long, err2 := time.ParseDuration(span)
	if err != nil || err2 != nil || n < 1 || long <= 0 {
		return server.Undeclared{}, wrong("--suspend %q: must be attempts in an hour and a length of time, such as 100/24h", c.Suspend)
	}
	return server.Undeclared{After: n, For: long}, nil
}

func loadMaps(paths []string) ([]*geofence.Index, error) {
	var list []*geofence.Index
	seen := make(map[string]string)
	for _, path := range paths {
		if path == "" {
			return nil, wrong("--map: empty: name a GeoJSON file, an IMDF archive or a folder of levels")
		}
		x, _, err := loadIndex(path)
		if err != nil {
			return nil, fmt.Errorf("--map: %w", err)
		}
		id := x.Site().ID
		if other, twice := seen[id]; twice {
			return nil, fmt.Errorf("--map %s and --map %s are both store %q: give one a store_id of its own", other, path, id)
		}
		seen[id] = path
		list = append(list, x)
	}
	return list, nil
}

// loadRegistry falls back on the development registry only where its notices, which name nobody, can
// be shown to nobody but whoever tries. The same holds for one that says itself that it is for trying.
func (c *serveCmd) loadRegistry() (*consent.Registry, error) {
	real := c.DevKey == "" && (c.Issuer != "" || c.StaffIssuer != "")
	if c.Registry == "" {
		if real {
			return nil, wrong("the development notices name nobody whom a shopper could hold to them: write your own registry and name it with --registry, or give --dev-key FILE to try without real shoppers")
		}
		return consent.DevelopmentRegistry(), nil
	}
	r, err := readRegistry(c.Registry)
	if err != nil {
		return nil, err
	}
	if real && r.Trying != "" {
		return nil, wrong("--registry %s: says for_trying_only: make it your own, list your stores with their impact assessments, and take that out; or give --dev-key FILE to try it", c.Registry)
	}
	return r, nil
}

// readRegistry reads the folder that --registry names.
func readRegistry(dir string) (*consent.Registry, error) {
	if err := isRegistryDir(dir); err != nil {
		return nil, fmt.Errorf("--registry %w", err)
	}
	r, err := consent.LoadRegistry(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("--registry %s: %w", dir, err)
	}
	return r, nil
}
