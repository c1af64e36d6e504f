// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"

	"doorstep/geofence"
)

type storeCmd struct {
	Check  storeCheckCmd  `cmd:"" help:"Validate maps: what was found, what was mended, what is wrong and where."`
	Import storeImportCmd `cmd:"" help:"Load maps into a running server, or into the data folder of one that is not running."`
	Locate storeLocateCmd `cmd:"" help:"CSV lat,lng in; CSV lat,lng,inside,unit,dist_m out."`
	Replay storeReplayCmd `cmd:"" help:"Fixes as NDJSON in; one line of NDJSON out per transition."`
}

type storeCheckCmd struct {
	mapArgs
	Notes   bool `help:"Print every note; without it, notes of one kind are told once and counted."`
	AnySize bool `help:"Check the geometry alone, also of areas larger than a store. Nothing else takes such a map."`
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
		if err := c.one(path, s.out); err != nil {
			refused++
			fmt.Fprintf(s.err, "%s: refused\n%v\n", path, err)
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d maps refused", refused, len(c.Files))
	}
	return nil
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

func (c *storeCheckCmd) one(path string, out io.Writer) error {
	if c.AnySize {
		return c.geometry(path, out)
	}
	stores, err := loadStores(path, c.Boundary)
	for _, m := range stores {
		if err := describe(out, path, m, c.Notes); err != nil {
			return err
		}
	}
	return err
}

// geometry checks what a map draws, and says nothing of how it would serve.
func (c *storeCheckCmd) geometry(path string, out io.Writer) error {
	m, err := readMap(path)
	if err != nil {
		return err
	}
	m.anySize = true
	return m.each(c.Boundary, func(part []string) error {
		site, report, err := m.load(part)
		if err == nil {
			fmt.Fprintf(out, "%s: sound: %s of %q; checked as drawn, not as a store\n", path, count(len(site.Levels), "level"), site.Name)
			printNotes(out, report, c.Notes)
		}
		return err
	})
}
