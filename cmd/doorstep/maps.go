// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"doorstep/geofence"
)

// loadMap reads and checks a map. The store's id is what the files say, else the folder's or file's
// name.
func loadMap(path string) (*geofence.Site, geofence.Report, []geofence.Source, error) {
	name, src, err := readMap(path)
	if err != nil {
		return nil, geofence.Report{}, nil, err
	}
	site, report, err := geofence.LoadWith("", geofence.Options{DefaultID: name}, src...)
	return site, report, src, err
}

// readMap reads a map: one GeoJSON file, or a folder of them, one or more levels each (a folder
// named floors inside it will do).
func readMap(path string) (name string, src []geofence.Source, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", nil, fmt.Errorf("map %s: %w: give a GeoJSON file or a folder of them", path, cause(err))
	}
	if !info.IsDir() {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", nil, fmt.Errorf("map %s: %w", path, cause(err))
		}
		return slug(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))), []geofence.Source{{Name: path, Data: data}}, nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", nil, err
	}
	name = filepath.Base(abs)
	if name == "floors" {
		name = filepath.Base(filepath.Dir(abs))
	}
	files, err := levelFiles(path)
	if err != nil {
		return "", nil, err
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return "", nil, fmt.Errorf("map %s: %w", f, cause(err))
		}
		src = append(src, geofence.Source{Name: f, Data: data})
	}
	return slug(name), src, nil
}

// cause is what went wrong without the path, which the caller names.
func cause(err error) error {
	if p, ok := err.(*os.PathError); ok {
		return p.Err
	}
	return err
}

func levelFiles(dir string) ([]string, error) {
	for _, sub := range []string{"", "floors"} {
		files, err := filepath.Glob(filepath.Join(dir, sub, "*.geojson"))
		if err != nil {
			return nil, err
		}
		if len(files) > 0 {
			slices.Sort(files)
			return files, nil
		}
	}
	return nil, fmt.Errorf("map %s: no *.geojson in this folder or in its floors: name the folder that holds the levels", dir)
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

// loadIndex reads, checks and indexes a map.
func loadIndex(path string) (*geofence.Index, geofence.Report, error) {
	site, report, _, err := loadMap(path)
	if err != nil {
		return nil, report, err
	}
	x, err := geofence.NewIndex(site)
	return x, report, err
}
