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
	Files []string `arg:"" name:"file" help:"GeoJSON files or folders of levels; each is one store."`
}

// Run checks every map and fails if one is refused.
func (c *storeCheckCmd) Run(s streams) error {
	refused := 0
	for _, path := range c.Files {
		x, report, err := loadIndex(path)
		if err != nil {
			refused++
			fmt.Fprintf(s.err, "%s: refused\n%v\n", path, err)
			continue
		}
		describe(s.out, path, x, report)
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d maps refused", refused, len(c.Files))
	}
	return nil
}

func describe(out io.Writer, path string, x *geofence.Index, report geofence.Report) {
	site := x.Site()
	zones := 0
	for _, l := range site.Levels {
		zones += len(l.Zones)
	}
	fmt.Fprintf(out, "%s: ok: store %s (%q), version %s, %d levels, %d zones, %d doors\n",
		path, site.ID, site.Name, site.Version, len(site.Levels), zones, len(site.Doors))
	for _, n := range report.Notes {
		fmt.Fprintf(out, "  %s\n", n)
	}
}

type storeImportCmd struct {
	Data  string   `default:"doorstep-data" env:"DOORSTEP_DATA_DIR" type:"path" help:"The server's data folder."`
	Files []string `arg:"" name:"file" help:"GeoJSON files or folders of levels; each is one store."`
}

// Run imports every map, or none: all are checked before the first is written.
func (c *storeImportCmd) Run(ctx context.Context, s streams) error {
	type loaded struct {
		x      *geofence.Index
		stored []byte
	}
	var maps []loaded
	for _, path := range c.Files {
		site, report, src, err := loadMap(path)
		if err != nil {
			return fmt.Errorf("nothing was imported: %s: %w", path, err)
		}
		x, err := geofence.NewIndex(site)
		if err != nil {
			return fmt.Errorf("nothing was imported: %s: %w", path, err)
		}
		describe(s.out, path, x, report)
		stored, err := encodeSources(src)
		if err != nil {
			return err
		}
		maps = append(maps, loaded{x, stored})
	}
	if err := makeData(c.Data); err != nil {
		return err
	}
	db, err := sqlstore.Open(ctx, ledgerPath(c.Data))
	if err != nil {
		return err
	}
	defer db.Close()
	for _, m := range maps {
		if err := db.SaveMap(ctx, m.x.Site().ID, m.x.Site().Version, m.stored, "doorstep store import"); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "imported %s, version %s\n", m.x.Site().ID, m.x.Site().Version)
	}
	return nil
}

// storedSource is one file of a map as it is kept: without the path it came from.
type storedSource struct {
	Name string `json:"name"`
	Data string `json:"data"`
}

func encodeSources(src []geofence.Source) ([]byte, error) {
	list := make([]storedSource, len(src))
	for i, f := range src {
		list[i] = storedSource{fmt.Sprintf("level-%d.geojson", i), string(f.Data)}
	}
	return json.Marshal(list)
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
	Map   string `required:"" type:"path" help:"GeoJSON file or folder of levels."`
	Level *int   `help:"The level's number in the map; without it the level is unknown."`
}

func (f mapFlags) open() (*geofence.Index, error) {
	if f.Map == "" {
		return nil, wrong("--map: empty: name a GeoJSON file or a folder of levels")
	}
	x, _, err := loadIndex(f.Map)
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
