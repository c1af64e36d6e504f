// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

// incidentCmd answers the first question of an incident: whose data were within reach while something was wrong?
type incidentCmd struct {
	From     string `required:"" placeholder:"TIME" help:"When it began: 2026-11-22T10:00:00Z, with a time zone."`
	To       string `required:"" placeholder:"TIME" help:"When it was over."`
	Store    string `help:"Only this store."`
	Data     string `type:"path" default:"doorstep-data" env:"DOORSTEP_DATA_DIR" help:"Folder of the ledger and its keys. A server may be running on it."`
	Database string `placeholder:"URL" help:"The ledger's database, if it is not a file in --data."`
	JSON     bool   `name:"json" help:"Print everything, as JSON."`
}

// Run reads beside a running server and changes nothing.
func (c *incidentCmd) Run(ctx context.Context, s streams) error {
	from, err := moment("--from", c.From)
	if err != nil {
		return err
	}
	to, err := moment("--to", c.To)
	if err != nil {
		return err
	}
	if !from.Before(to) {
		return wrong("--to %s: not after --from %s", c.To, c.From)
	}
	at := ledgerAt{c.Data, c.Database}
	if err := at.check(); err != nil {
		return err
	}
	e, err := sqlstore.OpenEvidence(ctx, at.address(), sqlstore.WithKeyring(keyringPath(at.data)))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--data %s: there is no ledger: name the folder that the server was given", c.Data)
	}
	if err != nil {
		return err
	}
	x, err := e.Exposed(ctx, c.Store, from, to)
	if err = errors.Join(err, e.Close()); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, struct {
			From  time.Time `json:"from"`
			To    time.Time `json:"to"`
			Store string    `json:"store,omitempty"`
			consent.Exposure
		}{from, to, c.Store, x})
	}
	return describeExposure(s.out, from, to, x)
}

// moment reads a time as people write one when it matters.
func moment(flag, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, wrong("%s %q: not a moment: write it with its time zone, such as 2026-11-22T10:00:00Z or 2026-11-22T11:00:00+01:00", flag, text)
	}
	return t.UTC(), nil
}

func printJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		_, err = fmt.Fprintln(w, string(b))
	}
	return err
}

// describeExposure counts, by store; who they were is in the JSON, under pseudonyms.
func describeExposure(w io.Writer, from, to time.Time, x consent.Exposure) error {
	shoppers, open := map[string]bool{}, 0
	stores := map[string]*exposedStore{}
	of := func(store string) *exposedStore {
		if stores[store] == nil {
			stores[store] = &exposedStore{purposes: map[string]bool{}, fields: map[string]bool{}}
		}
		return stores[store]
	}
	for _, v := range x.Visits {
		shoppers[v.Shopper] = true
		if v.To.IsZero() {
			open++
		}
		of(v.Store).visits++
		for _, p := range v.Purposes {
			of(v.Store).purposes[p] = true
		}
	}
	for _, v := range x.Views {
		shoppers[v.Shopper] = true
		of(v.Store).views++
		of(v.Store).positions += v.Count
		of(v.Store).purposes[v.Purpose] = true
		for _, f := range v.Fields {
			of(v.Store).fields[f] = true
		}
	}
	fmt.Fprintf(w, "%s to %s: %s, %s (%d still open, or never seen to end), %s in the journal\n", from.Format(time.RFC3339), to.Format(time.RFC3339),
		count(len(shoppers), "shopper"), count(len(x.Visits), "session"), open, entries(len(x.Views)))
	for _, name := range slices.Sorted(maps.Keys(stores)) {
		s := stores[name]
		fmt.Fprintf(w, "  %s: %s; %s in the journal, with %s shown; purposes: %s; fields read: %s\n", cmp.Or(name, "(no store)"),
			count(s.visits, "session"), entries(s.views), count(int(s.positions), "position"), listed(s.purposes), listed(s.fields))
	}
	if age := time.Since(from); age > consent.EnteredLife {
		fmt.Fprintf(w, "Sessions are known for %d days: of those before %s only the journal tells.\n",
			int(consent.EnteredLife.Hours()/24), time.Now().Add(-consent.EnteredLife).UTC().Format(time.RFC3339))
	}
	return nil
}

// exposedStore is what was within reach in one store.
type exposedStore struct {
	visits, views    int
	positions        int64
	purposes, fields map[string]bool
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

func listed(set map[string]bool) string {
	delete(set, "")
	return cmp.Or(strings.Join(slices.Sorted(maps.Keys(set)), ", "), "none")
}
