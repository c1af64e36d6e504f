// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"doorstep/consent/sqlstore"
	"doorstep/geofence"
)

type storeCmd struct {
	Check  storeCheckCmd  `cmd:"" help:"Validate maps: what was found, what was mended, what is wrong and where."`
	Import storeImportCmd `cmd:"" help:"Load maps into a server's data folder, while it is not running; it serves them from its next start."`
	Locate storeLocateCmd `cmd:"" help:"CSV lat,lng in; CSV lat,lng,inside,unit,dist_m out."`
	Replay storeReplayCmd `cmd:"" help:"Fixes as NDJSON in; one line of NDJSON out per transition."`
}

type storeCheckCmd struct {
	mapArgs
	Notes bool `help:"Print every note; without it, notes of one kind are told once and counted."`
}

// mapArgs are maps to work on.
type mapArgs struct {
	Files    []string `arg:"" name:"map" help:"GeoJSON files, IMDF archives (zipped or unpacked) or folders of levels; each is one store, or a list of stores."`
	Boundary []string `placeholder:"ID" help:"Only the store made of these: ids of boundaries, units or IMDF occupants, on one level or several. With one map."`
}

func (a mapArgs) check() error {
	if len(a.Boundary) > 0 && len(a.Files) > 1 {
		return wrong("--boundary %s: names a part of one map, and %d maps are given: give one map", a.Boundary[0], len(a.Files))
	}
	return nil
}

// Run checks every map and fails if one is refused.
func (c *storeCheckCmd) Run(s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	refused := 0
	for _, path := range c.Files {
		stores, err := loadStores(path, c.Boundary)
		for _, m := range stores {
			if err := describe(s.out, path, m, c.Notes); err != nil {
				return err
			}
		}
		if err != nil {
			refused++
			fmt.Fprintf(s.err, "%s: refused\n%v\n", path, err)
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d maps refused", refused, len(c.Files))
	}
	return nil
}

type storeImportCmd struct {
	Data string `default:"doorstep-data" env:"DOORSTEP_DATA_DIR" type:"path" help:"The server's data folder."`
	mapArgs
}

// Run imports every map, or none: all are checked before the first is written.
func (c *storeImportCmd) Run(ctx context.Context, s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	from := map[string]string{}
	var stores []loadedMap
	for _, path := range c.Files {
		list, err := loadStores(path, c.Boundary)
		if err != nil {
			return fmt.Errorf("nothing was imported: %s: %w", path, err)
		}
		for _, m := range list {
			id := m.index.Site().ID
			if other, twice := from[id]; twice {
				return fmt.Errorf("nothing was imported: %s and %s are both store %q: give one a store_id of its own", other, path, id)
			}
			from[id] = path
			if err := describe(s.out, path, m, false); err != nil {
				return err
			}
		}
		stores = append(stores, list...)
	}
	if err := makeData(c.Data); err != nil {
		return err
	}
	db, err := sqlstore.Open(ctx, ledgerPath(c.Data))
	if err != nil {
		return err
	}
	defer db.Close()
	for _, m := range stores {
		site := m.index.Site()
		stored, err := encodeSources(site)
		if err != nil {
			return err
		}
		if err := db.SaveMap(ctx, site.ID, site.Version, stored, "doorstep store import"); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "imported %s, version %s\n", site.ID, site.Version)
	}
	return nil
}

// storedSource is one file of a map as it is kept.
type storedSource struct {
	Name string `json:"name"`
	Data string `json:"data"`
}

// encodeSources keeps a store as what was made of its map: mended, joined and chosen, whatever it was
// read from, so that serving it needs no second reading of the original.
func encodeSources(site *geofence.Site) ([]byte, error) {
	return json.Marshal([]storedSource{{site.ID + ".geojson", string(site.GeoJSON())}})
}

func decodeSources(b []byte) ([]geofence.Source, error) {
	var list []storedSource
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("an imported map cannot be read: %w: import it again", err)
	}
	src := make([]geofence.Source, len(list))
	for i, f := range list {
		src[i] = geofence.Source{Name: f.Name, Data: []byte(f.Data)}
	}
	return src, nil
}

// mapFlags choose a map and a level for the commands that need no server.
type mapFlags struct {
	Map      string   `required:"" type:"path" help:"GeoJSON file, IMDF archive or folder of levels."`
	Boundary []string `placeholder:"ID" help:"Only the store made of these: ids of boundaries, units or IMDF occupants."`
	Level    *int     `help:"The level's number in the map; without it the level is unknown."`
}

func (f mapFlags) open() (*geofence.Index, error) {
	if f.Map == "" {
		return nil, wrong("--map: empty: name a GeoJSON file, an IMDF archive or a folder of levels")
	}
	x, _, err := loadIndex(f.Map, f.Boundary...)
	if err != nil {
		return nil, fmt.Errorf("--map: %w", err)
	}
	if f.Level == nil {
		return x, nil
	}
	for _, l := range x.Site().Levels {
		if l.Ordinal == *f.Level {
			return x, nil
		}
	}
	return nil, wrong("--level %d: map %s has no level %d: it has %s", *f.Level, f.Map, *f.Level, ordinals(x.Site()))
}

func ordinals(site *geofence.Site) string {
	text := ""
	for i, l := range site.Levels {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(l.Ordinal)
	}
	return text
}

// buffered runs f with a buffered output and flushes it, whatever f answers.
func buffered(w io.Writer, f func(*bufio.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	err := f(b)
	if flushed := b.Flush(); err == nil {
		err = flushed
	}
	return err
}
