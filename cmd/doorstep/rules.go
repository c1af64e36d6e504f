// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/rulebook"
)

type rulesCmd struct {
	Check rulesCheckCmd `cmd:"" help:"Check rules about alerts: what is wrong, where, and what to write."`
	Try   rulesTryCmd   `cmd:"" help:"A dry run: what the rules would have raised on recorded or simulated walks, and when."`
	Put   rulesPutCmd   `cmd:"" help:"Put rules in force at a running server, without a restart."`
	Clear rulesClearCmd `cmd:"" help:"Take a store's rules away at a running server, without a restart."`
}

// rulesFile are rules, and what they are held against.
type rulesFile struct {
	File     string   `arg:"" type:"path" help:"JSON file of rules."`
	Map      string   `type:"path" help:"The store's map, for the zones."`
	Boundary []string `placeholder:"ID" help:"Only the store made of these parts of the map."`
	Registry string   `type:"path" help:"Folder of the registry, for the purposes; without it, they are not looked at."`
}

// read reads and checks the rules, and the map if there is one.
func (c rulesFile) read() (*rulebook.Book, *geofence.Index, error) {
	var known rulebook.Known
	var x *geofence.Index
	if c.Map != "" {
		var err error
		if x, _, err = loadIndex(c.Map, c.Boundary...); err != nil {
			return nil, nil, fmt.Errorf("--map: %w", err)
		}
		known.Zones = rulebook.ZonesOf(x.Site())
	}
	if c.Registry != "" {
		if err := isRegistryDir(c.Registry); err != nil {
			return nil, nil, fmt.Errorf("--registry %w", err)
		}
		reg, err := consent.LoadRegistry(os.DirFS(c.Registry))
		if err != nil {
			return nil, nil, fmt.Errorf("--registry %s: %w", c.Registry, err)
		}
		known.Purposes = reg.Telling(consent.ZoneData)
	}
	text, err := os.ReadFile(c.File)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w: name a JSON file of rules", c.File, cause(err))
	}
	book, err := rulebook.Read(text, known)
	if found, ok := err.(rulebook.Findings); ok {
		for i := range found {
			found[i].Place = c.File + ": " + found[i].Place
		}
	}
	return book, x, err
}

type rulesCheckCmd struct{ rulesFile }

// Run prints every mistake and fails if there is one.
func (c *rulesCheckCmd) Run(s streams) error {
	book, x, err := c.read()
	if err != nil {
		return err
	}
	if x != nil {
		warnNarrow(s.err, book, x)
	}
	fmt.Fprintf(s.out, "%s: ok: %s, %s in which waiting is watched, %s\n", c.File, count(len(book.Rules), "rule"), count(len(book.Waiting.Zones), "zone"),
		count(len(book.Routes), "route"))
	if c.Map == "" {
		fmt.Fprintln(s.out, "Its zones were not looked at: name the store's map with --map.")
	}
	if c.Registry == "" && len(book.Rules) > 0 {
		fmt.Fprintln(s.out, "Its purposes were not looked at: name the registry with --registry.")
	}
	return nil
}

type rulesPutCmd struct {
	File  string `arg:"" type:"path" help:"JSON file of rules."`
	Store string `required:"" help:"Id of the store."`
	serverFlags
}

// Run puts the rules in force; the server checks them against its own map and registry.
func (c *rulesPutCmd) Run(ctx context.Context, s streams) error {
	at, err := c.server()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("%s: %w: name a JSON file of rules", c.File, cause(err))
	}
	if _, err := at.send(ctx, http.MethodPut, "/v1/admin/stores/"+c.Store+"/rules", "application/json", text); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "rules of %s are in force\n", c.Store)
	return nil
}

type rulesClearCmd struct{ storeTold }

// Run takes them away.
func (c *rulesClearCmd) Run(ctx context.Context, s streams) error { return c.clear(ctx, s, "rules") }

// phonesGoodTo is how accurate fixes indoors are when they are good, in metres.
const phonesGoodTo = 5

// warnNarrow says of which zones phones are seldom certain: what looks at one would seldom raise anything.
func warnNarrow(w io.Writer, b *rulebook.Book, x *geofence.Index) {
	looked := zonesOf(b)
	for _, l := range x.Site().Levels {
		for _, z := range l.Zones {
			if slices.Contains(looked, z.ID) && z.HalfWidthM < phonesGoodTo {
				fmt.Fprintf(w, "doorstep: zone %s: too narrow for most phones: they are certain of it with fixes good to %.1f m, and have such to %d m at best: draw it larger, or name one around it\n",
					z.ID, z.HalfWidthM, phonesGoodTo)
			}
		}
	}
}

// zonesOf are the zones that rules look at, in order.
func zonesOf(b *rulebook.Book) []string {
	zones := map[string]bool{}
	for _, r := range b.Rules {
		zones[r.Zone] = true
	}
	for zone := range b.Waiting.Zones {
		zones[zone] = true
	}
	return slices.Sorted(maps.Keys(zones))
}
