// SPDX-License-Identifier: Apache-2.0

// Package demostore holds an invented two-level department store, "Harbour Street". It stands in
// the open North Sea, so that no real building lies under it.
package demostore

import (
	"embed"
	"fmt"

	"doorstep/geofence"
)

// ID names the demo store in URLs and keys.
const ID = "doorstep-demo"

//go:embed L0.geojson L1.geojson
var files embed.FS

// Sources are the store's map files, ground floor first.
func Sources() ([]geofence.Source, error) {
	var src []geofence.Source
	for _, name := range []string{"L0.geojson", "L1.geojson"} {
		data, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("demo store: %w", err)
		}
		src = append(src, geofence.Source{Name: name, Data: data})
	}
	return src, nil
}

// Load is the demo store as a site.
func Load() (*geofence.Site, error) {
	src, err := Sources()
	if err != nil {
		return nil, err
	}
	site, _, err := geofence.Load(ID, src...)
	return site, err
}
