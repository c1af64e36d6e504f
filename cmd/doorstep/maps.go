// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"doorstep/geofence"
	"doorstep/geofence/imdf"
)

// A mapFile is a map as it was found: GeoJSON, or an IMDF archive.
type mapFile struct {
	name    string // of the file or folder, fit for an id
	sources []geofence.Source
	archive *imdf.Archive // instead of sources
	anySize bool          // its geometry alone is of interest
}

// load makes a store of the map, or of the part of it that boundary names. The store's id is what the
// map says, else the file's or folder's name; a part's, that and the first id.
func (m mapFile) load(boundary []string) (*geofence.Site, geofence.Report, error) {
	opt := geofence.Options{DefaultID: m.name, BoundaryIDs: boundary, AnySize: m.anySize}
	if len(boundary) > 0 {
		part := shorten(slug(boundary[0]), 48)
		opt.DefaultID = slug(shorten(m.name, 63-len(part)) + "-" + part)
	}
	if m.archive != nil {
		return m.archive.Load("", opt)
	}
	return geofence.LoadWith("", opt, m.sources...)
}

func shorten(s string, most int) string { return s[:min(len(s), most)] }

// readMap reads a map: a GeoJSON file; an IMDF archive, zipped or as a folder; or a folder of GeoJSON
// files, one or more levels each (a folder named floors inside it will do, and goes first).
func readMap(path string) (mapFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return mapFile{}, fmt.Errorf("map %s: %w: give a GeoJSON file, an IMDF archive or a folder of levels", path, cause(err))
	}
	m := mapFile{name: mapName(path)}
	switch {
	case !info.IsDir():
		m.sources, m.archive, err = readOne(path)
	case imdf.IsFolder(os.DirFS(path)):
		m.archive, err = imdf.ReadFolder(path, os.DirFS(path))
	default:
		m.sources, err = readLevels(path)
	}
	return m, err
}

// mapName is a file's or folder's name as an id.
func mapName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	name := filepath.Base(path)
	if name == "floors" {
		name = filepath.Base(filepath.Dir(path))
	}
	return cmp.Or(slug(shorten(strings.TrimSuffix(name, filepath.Ext(name)), 64)), "store")
}

// readOne tells a zip from GeoJSON by how it begins, whatever it is called.
func readOne(path string) ([]geofence.Source, *imdf.Archive, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", path, cause(err))
	}
	defer f.Close()
	magic := make([]byte, 2)
	if _, err := f.ReadAt(magic, 0); err == nil && bytes.Equal(magic, []byte("PK")) {
		info, err := f.Stat()
		if err != nil {
			return nil, nil, fmt.Errorf("map %s: %w", path, cause(err))
		}
		archive, err := imdf.ReadZip(path, f, info.Size())
		return nil, archive, err
	}
	// One byte more than is allowed is enough to be refused.
	data, err := io.ReadAll(io.LimitReader(f, geofence.MaxSourceBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", path, cause(err))
	}
	return []geofence.Source{{Name: path, Data: data}}, nil, nil
}

func readLevels(dir string) (src []geofence.Source, err error) {
	files, err := levelFiles(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		level, archive, err := readOne(f)
		if err == nil && archive != nil {
			err = fmt.Errorf("map %s: is a zip among levels: check it by itself", f)
		}
		if err != nil {
			return nil, err
		}
		src = append(src, level...)
	}
	return src, nil
}

// cause is what went wrong without the path, which the caller names.
func cause(err error) error {
	if p, ok := err.(*os.PathError); ok {
		return p.Err
	}
	return err
}

func levelFiles(dir string) ([]string, error) {
	for _, sub := range []string{"floors", ""} {
		files, err := geojsonFiles(filepath.Join(dir, sub))
		if err != nil || len(files) > 0 {
			return files, err
		}
	}
	hint := "name the folder that holds the levels"
	if maps := mapsBelow(dir); len(maps) > 0 {
		hint += ", such as " + maps[0]
	}
	return nil, fmt.Errorf("map %s: no *.geojson in this folder or in its floors: %s", dir, hint)
}

// geojsonFiles are a folder's, by name; none if there is no such folder.
func geojsonFiles(dir string) (files []string, err error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", dir, cause(err))
	}
	for _, entry := range list {
		if !entry.IsDir() && strings.EqualFold(filepath.Ext(entry.Name()), ".geojson") {
			files = append(files, filepath.Join(dir, entry.Name()))
		}
	}
	slices.Sort(files)
	return files, nil
}

// mapsBelow are the folders in dir that look like maps.
func mapsBelow(dir string) (maps []string) {
	list, _ := os.ReadDir(dir)
	for _, entry := range list {
		sub := filepath.Join(dir, entry.Name())
		if !entry.IsDir() {
			continue
		}
		for _, levels := range []string{filepath.Join(sub, "floors"), sub} {
			if files, err := geojsonFiles(levels); err == nil && len(files) > 0 {
				maps = append(maps, sub)
				break
			}
		}
	}
	return maps
}

// slug makes an id of a name: lower case, digits and hyphens.
func slug(name string) string {
	mapped := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	return strings.Trim(mapped, "-")
}

// loadIndex reads, checks and indexes a map, or the part of it that boundary names.
func loadIndex(path string, boundary ...string) (*geofence.Index, geofence.Report, error) {
	m, err := readMap(path)
	if err != nil {
		return nil, geofence.Report{}, err
	}
	return m.index(boundary)
}

func (m mapFile) index(boundary []string) (*geofence.Index, geofence.Report, error) {
	site, report, err := m.load(boundary)
	if err != nil {
		return nil, report, err
	}
	x, err := geofence.NewIndex(site)
	return x, report, err
}

// A loadedMap is one store of a map.
type loadedMap struct {
	index  *geofence.Index
	report geofence.Report
}

// loadStores reads a map as loadIndex does. A list of stores, of which none was chosen, gives them all.
func loadStores(path string, boundary []string) ([]loadedMap, error) {
	m, err := readMap(path)
	if err != nil {
		return nil, err
	}
	var all []loadedMap
	err = m.each(boundary, func(part []string) error {
		x, report, err := m.index(part)
		if err == nil {
			all = append(all, loadedMap{x, report})
		}
		return err
	})
	return all, err
}

// each loads the map, or every store of a list of stores.
func (m mapFile) each(boundary []string, load func(part []string) error) error {
	err := load(boundary)
	var list *geofence.Error
	if !errors.As(err, &list) || len(list.Stores) == 0 {
		return err
	}
	var faults []error
	for _, id := range list.Stores {
		faults = append(faults, load([]string{id}))
	}
	return errors.Join(faults...)
}
