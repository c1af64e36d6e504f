// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/server"
	"doorstep/tracking/server/auth"
)

// serveCmd holds every setting of the server: by flag, by environment (DOORSTEP_…) or in a
// JSON file. They are checked once, here; each error names the setting and its fix.
type serveCmd struct {
	Config      kong.ConfigFlag `help:"JSON file of settings, by the flags' names."`
	Listen      string          `default:"127.0.0.1:8080" help:"Address to serve on."`
	AdminListen string          `default:"127.0.0.1:9090" help:"Address for metrics; empty for none. Keep it private."`
	PublicURL   string          `name:"public-url" help:"The address people reach, such as https://doorstep.example. Needed unless --listen is on loopback."`
	Data        string          `default:"doorstep-data" env:"DOORSTEP_DATA_DIR" type:"path" help:"Folder of the ledger and its keys."`
	Redis       string          `help:"redis:// or rediss:// URL of the live state. Without it: a redis-server found on this machine, or memory."`
	Map         []string        `type:"path" help:"A store's map (file or folder of levels); repeat for more. Imported stores are served too."`
	Registry    string          `type:"path" help:"Folder of the registry: purposes, data types, notices. Without it: the development registry."`
	Issuer      string          `help:"iss of the shoppers' tokens."`
	JWKS        string          `name:"jwks" help:"Keys of that issuer: a file, or an https:// address."`
	StaffIssuer string          `help:"iss of the staff's tokens, if it is another."`
	StaffJWKS   string          `name:"staff-jwks" help:"Keys of that issuer."`
	DevKey      string          `type:"path" help:"Development key: this server then mints and believes its own tokens. Never with real shoppers."`
	Origin      []string        `help:"Page origin that may use the app's API, such as https://shop.example; repeat for more."`
	Proxy       []netip.Prefix  `help:"Network of a proxy whose X-Forwarded-For is believed; repeat for more."`
	LogLevel    string          `default:"info" enum:"debug,info,warn,error" help:"debug, info, warn or error."`
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, s streams) error {
	set, err := c.settings(ctx, s.err)
	if err != nil {
		return err
	}
	st, err := assemble(ctx, set)
	if err != nil {
		return err
	}
	defer st.Close()
	fmt.Fprintf(s.out, "doorstep %s on %s (live state: %s; ledger: %s)\n", version(), st.address(), st.backend, ledgerPath(set.data))
	if st.devKey != nil {
		st.invite(s.out, st.indexes[0].Site().ID)
	}
	return st.Run(ctx)
}

func (c *serveCmd) settings(ctx context.Context, logs io.Writer) (settings, error) {
	set := settings{data: c.Data, redis: c.Redis, listen: c.Listen, admin: c.AdminListen, public: strings.TrimSuffix(c.PublicURL, "/"),
		origins: c.Origin, proxies: c.Proxy, log: newLog(logs, c.LogLevel)}
	var errs []error
	check := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	check(c.checkAddresses())
	var err error
	set.indexes, err = loadMaps(c.Map, set.log)
	check(err)
	set.registry, err = loadRegistry(c.Registry)
	check(err)
	set.issuers, set.devKey, err = c.issuers(ctx)
	check(err)
	if len(errs) > 0 {
		return set, errors.Join(errs...)
	}
	return set, nil
}

func (c *serveCmd) checkAddresses() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q: not host:port: try 127.0.0.1:8080", c.Listen)
	}
	if c.PublicURL == "" {
		if !loopback(host) {
			return fmt.Errorf("--listen %s is reachable from elsewhere: set --public-url to the https address that your proxy serves, or listen on 127.0.0.1", c.Listen)
		}
		return nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || (u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname()))) {
		return fmt.Errorf("--public-url %q: must be https://host without a path", c.PublicURL)
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func loadMaps(paths []string, log *slog.Logger) ([]*geofence.Index, error) {
	var list []*geofence.Index
	seen := make(map[string]string)
	for _, path := range paths {
		x, report, err := loadIndex(path)
		if err != nil {
			return nil, fmt.Errorf("--map %s: %w", path, err)
		}
		id := x.Site().ID
		if other, twice := seen[id]; twice {
			return nil, fmt.Errorf("--map %s and --map %s are both store %q: give one a store_id of its own", other, path, id)
		}
		seen[id] = path
		log.Info("map loaded", "store", id, "version", x.Site().Version, "notes", len(report.Notes))
		list = append(list, x)
	}
	return list, nil
}

func loadRegistry(dir string) (*consent.Registry, error) {
	if dir == "" {
		return consent.DevelopmentRegistry(), nil
	}
	r, err := consent.LoadRegistry(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("--registry %s: %w", dir, err)
	}
	return r, nil
}

func (c *serveCmd) issuers(ctx context.Context) ([]auth.Issuer, *auth.DevKey, error) {
	var list []auth.Issuer
	var dev *auth.DevKey
	if c.DevKey != "" {
		var err error
		if dev, err = auth.OpenDevKey(c.DevKey); err != nil {
			return nil, nil, fmt.Errorf("--dev-key: %w", err)
		}
		list = append(list, dev.Issuer())
	}
	for _, i := range []struct {
		flag, name, keys string
		doors            []auth.Door
	}{
		{"issuer", c.Issuer, c.JWKS, []auth.Door{auth.ShopperDoor, auth.StaffDoor, auth.AdminDoor}},
		{"staff-issuer", c.StaffIssuer, c.StaffJWKS, []auth.Door{auth.StaffDoor, auth.AdminDoor}},
	} {
		if (i.name == "") != (i.keys == "") {
			return nil, nil, fmt.Errorf("--%s and its keys go together: set --issuer with --jwks, --staff-issuer with --staff-jwks", i.flag)
		}
		if i.name == "" {
			continue
		}
		keys, err := issuerKeys(ctx, i.keys)
		if err != nil {
			return nil, nil, fmt.Errorf("keys of --%s: %w", i.flag, err)
		}
		list = append(list, auth.Issuer{Name: i.name, Methods: []string{"ES256", "EdDSA", "RS256"}, Keys: keys, Doors: i.doors})
	}
	if len(list) == 0 {
		return nil, nil, errors.New("nobody could sign in: set --issuer and --jwks to those of your identity provider, or --dev-key FILE to try it")
	}
	return list, dev, nil
}

func issuerKeys(ctx context.Context, from string) (auth.Keys, error) {
	if strings.Contains(from, "://") {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return auth.FetchKeys(ctx, from, nil, time.Now)
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, cause(err))
	}
	return auth.ParseKeySet(b)
}

func newLog(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

// invite prints the pages' addresses, each with a one-time code in its fragment, which browsers
// never send.
func (st *stack) invite(w io.Writer, store string) {
	links, err := st.links(store)
	if err != nil {
		fmt.Fprintln(w, "no sign-in codes:", err)
		return
	}
	fmt.Fprintf(w, "  console   %s\n  shopper   %s\n  both      %s\n", links.console, links.shopper, links.demo)
}

type links struct{ console, shopper, demo string }

func (st *stack) links(store string) (l links, err error) {
	staff := auth.Staff{Shift: "shift-desk", Tag: "Desk", Role: auth.RoleLead, Store: store, Teams: []string{"Service desk"},
		ExpiresAt: time.Now().Add(12 * time.Hour)}
	var codes [4]string
	for i := range codes {
		if i < 2 {
			codes[i], err = st.server.StaffCode(staff)
		} else {
			codes[i], err = st.server.ShopperCode(server.Visitor{Subject: fmt.Sprintf("visitor-%d", i), App: "doorstep-page", Store: store})
		}
		if err != nil {
			return l, err
		}
	}
	at := st.address()
	return links{at + "/console/#code=" + codes[0], at + "/shopper/#code=" + codes[2],
		at + "/demo#shopper=" + codes[3] + "&staff=" + codes[1]}, nil
}
