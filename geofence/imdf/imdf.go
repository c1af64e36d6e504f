// SPDX-License-Identifier: Apache-2.0

// Package imdf reads archives of the Indoor Mapping Data Format 1.0.0 (OGC 20-094), zipped or unpacked,
// into sites.
//
// It says what each feature is to a store and leaves the geometry alone: files go to package geofence
// with every feature at its index, under its id, with its own coordinates. So a fault that is found
// there is told where it is in the archive.
//
//	level     the boundary of its ordinal (0 is the ground floor), joined with others of that ordinal;
//	          outdoor levels and those for employees are left out, unless there is nothing else
//	unit      a zone, named after its occupant, else as labelled; walls and voids are left out
//	section   a zone, such as a department
//	kiosk     a zone
//	opening   a door of the store, if pedestrians use it and it is in the boundary
//
// Anchors and occupants give names and classes, amenities tell what a nameless room is for; footprints
// and the venue stand in for a level without an outline. Everything else is left alone; that hours are is noted.
package imdf

import (
	"errors"
	"fmt"

	"doorstep/geofence"
	"doorstep/geofence/internal/mapjson"
)

const manifestFile = "manifest.json"

// featureTypes are those of IMDF 1.0.0, each in a file of its own.
var featureTypes = map[string]bool{
	"address": true, "amenity": true, "anchor": true, "building": true, "detail": true, "fixture": true,
	"footprint": true, "geofence": true, "kiosk": true, "level": true, "occupant": true, "opening": true,
	"relationship": true, "section": true, "unit": true, "venue": true,
}

// Archive is a map taken apart, its references checked.
type Archive struct {
	name     string
	language string
	files    map[string][]*feature // by type, in the file's order
	byID     map[string]*feature
	values   int
	notes    []geofence.Note
	errs     []error
}

// feature is one feature of one file.
type feature struct {
	where    geofence.Where
	id, kind string
	props    map[string]any
	geometry any
}

func newArchive(name string) *Archive {
	return &Archive{name: name, files: map[string][]*feature{}, byID: map[string]*feature{}, values: mapjson.MaxValues}
}

const maxErrors = 50 // bounds what a hopeless archive makes us say

func (a *Archive) fail(w geofence.Where, problem, remedy string) {
	if len(a.errs) < maxErrors {
		a.errs = append(a.errs, &geofence.Error{Where: w, Problem: problem, Remedy: remedy})
	}
}

// refuse is fail for what ends the reading.
func (a *Archive) refuse(w geofence.Where, problem, remedy string) error {
	a.fail(w, problem, remedy)
	return errors.Join(a.errs...)
}

func (a *Archive) note(w geofence.Where, text string) {
	a.notes = append(a.notes, geofence.Note{Where: w, Text: text})
}

func place(file string) geofence.Where {
	return geofence.Where{File: file, Feature: geofence.None, Part: geofence.None, Ring: geofence.None, Coordinate: geofence.None}
}

// read parses the files and checks what holds them together.
func (a *Archive) read(files map[string][]byte) (*Archive, error) {
	if files["level.geojson"] == nil {
		return nil, a.refuse(place(a.name), "is not an IMDF archive: it has no level.geojson", "pack manifest.json, venue.geojson, level.geojson, unit.geojson and so on into one zip")
	}
	a.readManifest(files[manifestFile])
	for _, kind := range sorted(featureTypes) {
		if data, ok := files[kind+".geojson"]; ok {
			a.readFeatures(kind, data)
		}
	}
	a.checkReferences()
	a.checkLevels()
	a.noteHours()
	if n := len(a.files["venue"]); n != 1 {
		a.note(place(a.name), fmt.Sprintf("has %d venues; one was expected, which gives the store its name", n))
	}
	if len(a.errs) > 0 {
		return nil, errors.Join(a.errs...)
	}
	return a, nil
}

// noteHours says that opening hours are left alone: those of a mall are not a store's, and whoever runs
// the store changes them without a map.
func (a *Archive) noteHours() {
	var first *feature
	n := 0
	for _, kind := range []string{"venue", "occupant"} {
		for _, f := range a.files[kind] {
			if h := f.props["hours"]; h == nil || h == "" {
				continue
			}
			if n++; first == nil {
				first = f
			}
		}
	}
	if first != nil {
		a.note(first.where, fmt.Sprintf("its hours, and %d in all, are not read from a map: set them with PUT /v1/admin/stores/{id}/hours", n))
	}
}

func (a *Archive) readManifest(data []byte) {
	w := place(a.name + "/" + manifestFile)
	if data == nil {
		a.note(w, "is missing; the language of names is taken as they come")
		return
	}
	doc, err := mapjson.Read(data, &a.values)
	m, ok := doc.(map[string]any)
	switch {
	case err != nil:
		a.fail(w, "is not JSON that can be read: "+err.Error(), "export the archive again")
	case !ok:
		a.fail(w, "is not an object", `write {"version":"1.0.0","language":"en",…}`)
	}
	if v, _ := m["version"].(string); ok && v != "1.0.0" {
		a.note(w, fmt.Sprintf("version %q is not 1.0.0; it is read as if it were", v))
	}
	a.language, _ = m["language"].(string)
}

func (a *Archive) readFeatures(kind string, data []byte) {
	w := place(a.name + "/" + kind + ".geojson")
	doc, err := mapjson.Read(data, &a.values)
	if err != nil {
		a.fail(w, "is not JSON that can be read: "+err.Error(), "export the archive again")
		return
	}
	root, _ := doc.(map[string]any)
	list, ok := root["features"].([]any)
	if t, _ := root["type"].(string); t != "FeatureCollection" || !ok {
		a.fail(w, "is not a FeatureCollection", `wrap the features in {"type":"FeatureCollection","features":[…]}`)
		return
	}
	for i, v := range list {
		w.Feature = i
		a.readFeature(w, kind, v)
	}
}

func (a *Archive) readFeature(w geofence.Where, kind string, v any) {
	m, _ := v.(map[string]any)
	id, _ := m["id"].(string)
	w.FeatureID = printable(id)
	props, ok := m["properties"].(map[string]any)
	of, named := m["feature_type"].(string)
	switch {
	case m["type"] != "Feature":
		a.fail(w, "its type is not Feature", `each entry of "features" needs "type":"Feature"`)
		return
	case id == "":
		a.fail(w, "has no id", "give every feature a UUID of its own")
		return
	case !ok:
		a.fail(w, "has no properties", "write the properties that IMDF asks for")
		return
	case named && of != kind:
		a.fail(w, fmt.Sprintf("its feature_type is %q", printable(of)), "keep each type of feature in its own file")
		return
	case a.byID[id] != nil:
		a.fail(w, "has the same id as "+a.byID[id].where.String(), "give every feature a UUID of its own")
		return
	}
	f := &feature{where: w, id: id, kind: kind, props: props, geometry: m["geometry"]}
	a.byID[id] = f
	a.files[kind] = append(a.files[kind], f)
}

// text is a property that is a word, such as a category; empty if it is not there.
func (f *feature) text(member string) string {
	s, _ := f.props[member].(string)
	return s
}
