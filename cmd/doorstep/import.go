// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"doorstep/consent/sqlstore"
	"doorstep/geofence"
)

type storeImportCmd struct {
	Data     string `default:"doorstep-data" env:"DOORSTEP_DATA_DIR" type:"path" help:"The data folder of a server that is not running; it serves the maps from its next start."`
	Database string `help:"postgres:// address of the ledger's database, if the servers use one; those that run serve the maps from now on."`
	URL      string `name:"url" help:"A running server instead, which serves them from now on and whose sessions change over to them. Needs --token."`
	Token    string `env:"DOORSTEP_ADMIN_TOKEN" help:"An operator's token for that server; better in the environment, where other users of the machine do not see it."`
	mapArgs
}

// Run imports every map; all are checked before the first is sent or written.
func (c *storeImportCmd) Run(ctx context.Context, s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	keep, done, err := c.target()
	if err != nil {
		return err
	}
	defer done()
	stores, err := c.load(s)
	if err != nil {
		return fmt.Errorf("nothing was imported: %w", err)
	}
	for _, site := range stores {
		if err := keep(ctx, site); err != nil {
			return fmt.Errorf("store %s: %w", site.ID, err)
		}
		fmt.Fprintf(s.out, "imported %s, version %s\n", site.ID, site.Version)
	}
	return nil
}

// load reads all maps; no store may come twice.
func (c *storeImportCmd) load(s streams) ([]*geofence.Site, error) {
	from := map[string]string{}
	var stores []*geofence.Site
	for _, path := range c.Files {
		list, err := loadStores(path, c.Boundary)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, m := range list {
			site := m.index.Site()
			if other, twice := from[site.ID]; twice {
				return nil, fmt.Errorf("%s and %s are both store %q: give one a store_id of its own", other, path, site.ID)
			}
			from[site.ID] = path
			if err := describe(s.out, path, m, false); err != nil {
				return nil, err
			}
			stores = append(stores, site)
		}
	}
	return stores, nil
}

type keepMap func(context.Context, *geofence.Site) error

// target is where the maps go: a running server, or a data folder, which is made and opened with the
// first map that is good.
func (c *storeImportCmd) target() (keep keepMap, done func(), err error) {
	if c.URL != "" {
		at, err := serverFlags{c.URL, c.Token}.server()
		return at.put, func() {}, err
	}
	if c.Token != "" {
		return nil, nil, wrong("--token: is for a running server: name it with --url, or leave the token out")
	}
	if err := (ledgerAt{c.Data, c.Database}).check(); err != nil {
		return nil, nil, err
	}
	var db *sqlstore.DB
	keep = func(ctx context.Context, site *geofence.Site) (err error) {
		if db == nil {
			if db, err = c.openLedger(ctx); err != nil {
				return err
			}
		}
		return db.SaveMap(ctx, site.ID, site.Version, site.GeoJSON(), "doorstep store import")
	}
	return keep, func() {
		if db != nil {
			_ = db.Close()
		}
	}, nil
}

// openLedger says what to do about a server that runs on the data folder.
func (c *storeImportCmd) openLedger(ctx context.Context) (*sqlstore.DB, error) {
	if c.Database == "" {
		if err := makeData(c.Data); err != nil {
			return nil, err
		}
	}
	db, err := ledgerAt{c.Data, c.Database}.open(ctx)
	if errors.Is(err, sqlstore.ErrInUse) {
		return nil, fmt.Errorf("%w; or import into the running server, with --url and --token", err)
	}
	return db, err
}

// put replaces the map of a store at the server.
func (o operated) put(ctx context.Context, site *geofence.Site) error {
	_, err := o.send(ctx, http.MethodPut, "/v1/admin/stores/"+site.ID+"/map", "application/geo+json", site.GeoJSON())
	return err
}
