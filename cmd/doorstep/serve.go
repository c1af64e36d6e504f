// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"doorstep/tracking/server"
	"doorstep/tracking/server/auth"
)

// serveCmd holds every setting of the server: by flag, by environment (DOORSTEP_…) or in a
// JSON file, in that order. They are checked once, in settings.go; each error names the setting and
// its fix.
type serveCmd struct {
	Config      configFile `help:"JSON file of settings, by the flags' names. Flags come first, then the environment, then this file."`
	Listen      string     `default:"127.0.0.1:8080" help:"Address to serve on."`
	AdminListen string     `default:"127.0.0.1:9090" help:"Address for metrics; empty for none. Keep it private."`
	PublicURL   string     `name:"public-url" help:"The address people reach, such as https://doorstep.example. Needed unless --listen is on loopback."`
	Data        string     `default:"doorstep-data" env:"DOORSTEP_DATA_DIR" type:"path" help:"Folder of the ledger's keys, and of the ledger unless --database is given."`
	Database    string     `help:"postgres:// address of the ledger's database, for several servers. Without it: a SQLite file in the data folder, for one."`
	Redis       string     `help:"redis:// or rediss:// URL of the live state. Without it: a redis-server found on this machine, or memory."`
	Map         []string   `type:"path" help:"A store's map (file or folder of levels); repeat for more. Imported stores are served too."`
	Registry    string     `type:"path" help:"Folder of the registry: purposes, data types, notices. Needed, unless --dev-key is given: then there is one for trying."`
	Issuer      string     `help:"iss of the shoppers' tokens."`
	JWKS        string     `name:"jwks" help:"Keys of that issuer: a file, or an https:// address."`
	StaffIssuer string     `help:"iss of the staff's tokens, if it is another."`
	StaffJWKS   string     `name:"staff-jwks" help:"Keys of that issuer."`
	DevKey      string     `type:"path" help:"Development key: this server then mints and believes its own tokens. Never with real shoppers."`
	Origin      []string   `help:"Page origin that may use the app's API, such as https://shop.example; repeat for more."`
	Proxy       []string   `help:"Network of a proxy whose X-Forwarded-For is believed; repeat for more."`
	Suspend     string     `default:"100/24h" help:"An app that asks for what is undeclared so often in an hour is kept out for so long."`
	Webhooks    string     `type:"path" help:"JSON file of who outside is told of alerts: endpoints with their secrets. Read again when it changes."`
	LogLevel    string     `default:"info" enum:"debug,info,warn,error" help:"debug, info, warn or error."`
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
	fmt.Fprintf(s.out, "doorstep %s on %s (live state: %s; ledger: %s)\n", version(), st.address(), st.backend, st.db.Place())
	if st.devKey != nil {
		st.invite(s.out, st.indexes[0].Site().ID)
	}
	return st.Run(ctx)
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
