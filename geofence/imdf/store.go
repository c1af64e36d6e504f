// SPDX-License-Identifier: Apache-2.0

package imdf

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"doorstep/geofence"
)

// Load makes a site of the archive. Options.BoundaryIDs may name units, sections, kiosks and levels,
// and also occupants and anchors (their unit) and buildings (their levels): together they are the store.
// Errors are as those of geofence.LoadWith.
func (a *Archive) Load(id string, opt geofence.Options) (*geofence.Site, geofence.Report, error) {
	s := store{Archive: a, chosen: map[*feature]bool{}, notes: slices.Clone(a.notes)}
	ids, err := s.choose(opt.BoundaryIDs)
	if err != nil {
		return nil, geofence.Report{Notes: s.notes}, err
	}
	opt.BoundaryIDs = ids
	s.occupy()
	s.useLevels()
	sources, err := s.sources()
	if err != nil {
		return nil, geofence.Report{Notes: s.notes}, err
	}
	site, report, err := geofence.LoadWith(id, opt, sources...)
	report.Notes = append(s.notes, report.Notes...)
	return site, report, err
}

// store is a reading of an archive.
type store struct {
	*Archive
	chosen    map[*feature]bool
	occupants map[*feature][]*feature // of a unit or kiosk
	amenities map[*feature][]*feature // of a unit
	levels    map[*feature]string     // why a level is left out; empty if it is used
	notes     []geofence.Note
}

// choose turns what was asked for into ids of areas.
func (s *store) choose(ids []string) (areas []string, err error) {
	for _, id := range ids {
		found := s.areasOf(s.byID[id])
		if len(found) == 0 {
			e := &geofence.Error{Where: place(s.name), Problem: fmt.Sprintf("no unit, occupant, section, kiosk, level or building has the id %q", printable(id)),
				Remedy: "choose the id of a feature of one of these types"}
			err = errors.Join(err, e)
		}
		for _, f := range found {
			s.chosen[f] = true
			areas = append(areas, f.id)
		}
	}
	return areas, err
}

func (s *store) areasOf(f *feature) []*feature {
	if f == nil {
		return nil
	}
	switch f.kind {
	case "unit", "section", "kiosk", "level":
		return []*feature{f}
	case "occupant":
		return s.areasOf(s.to(f, "anchor_id"))
	case "anchor":
		if unit := s.to(f, "unit_id"); unit != nil {
			return []*feature{unit}
		}
		var kiosks []*feature
		for _, k := range s.files["kiosk"] {
			if s.to(k, "anchor_id") == f {
				kiosks = append(kiosks, k)
			}
		}
		return kiosks
	case "building":
		var levels []*feature
		for _, l := range s.files["level"] {
			if ids, _ := idsOf(l.props["building_ids"]); slices.Contains(ids, f.id) {
				levels = append(levels, l)
			}
		}
		return levels
	}
	return nil
}

// occupy finds who is where.
func (s *store) occupy() {
	s.occupants, s.amenities = map[*feature][]*feature{}, map[*feature][]*feature{}
	for _, o := range s.files["occupant"] {
		for _, area := range s.areasOf(o) {
			s.occupants[area] = append(s.occupants[area], o)
		}
	}
	for _, am := range s.files["amenity"] {
		ids, _ := idsOf(am.props["unit_ids"])
		for _, id := range ids {
			unit := s.byID[id]
			s.amenities[unit] = append(s.amenities[unit], am)
		}
	}
}

// useLevels leaves out levels where nobody is in a store, unless no other is left.
func (s *store) useLevels() {
	reason := func(l *feature) string {
		if outdoor, _ := l.props["outdoor"].(bool); outdoor {
			return "on an outdoor level"
		}
		if l.text("restriction") == "employeesonly" {
			return "on a level for employees"
		}
		return ""
	}
	used := false
	for _, l := range s.files["level"] {
		used = used || reason(l) == ""
	}
	s.levels = map[*feature]string{}
	for _, l := range s.files["level"] {
		if used {
			s.levels[l] = reason(l)
		}
	}
	for f := range s.chosen { // whoever names a place means it
		s.levels[f] = ""
		if l := s.to(f, "level_id"); l != nil {
			s.levels[l] = ""
		}
	}
}

// sources are the files as package geofence reads them, every feature at its own index.
func (s *store) sources() ([]geofence.Source, error) {
	var out []geofence.Source
	for _, kind := range []string{"level", "unit", "section", "kiosk", "opening"} {
		list := s.files[kind]
		if len(list) == 0 {
			continue
		}
		features := make([]any, len(list))
		for i, f := range list {
			features[i] = map[string]any{"type": "Feature", "id": f.id, "geometry": s.geometry(f), "properties": s.describe(f)}
		}
		doc := map[string]any{"type": "FeatureCollection", "features": features}
		if v := s.files["venue"]; len(v) > 0 {
			doc["store_name"] = label(v[0].props["name"], s.language)
		}
		data, err := json.Marshal(doc)
		if err != nil {
			return nil, fmt.Errorf("%s/%s.geojson: %w", s.name, kind, err)
		}
		out = append(out, geofence.Source{Name: s.name + "/" + kind + ".geojson", Data: data})
	}
	return out, nil
}

// geometry is a feature's own, but for a level that has none: then its buildings' footprint, else the
// venue.
func (s *store) geometry(f *feature) any {
	if f.kind != "level" || f.geometry != nil {
		return f.geometry
	}
	mine, _ := idsOf(f.props["building_ids"])
	for _, fp := range s.files["footprint"] {
		theirs, _ := idsOf(fp.props["building_ids"])
		if fp.text("category") != "aerial" && slices.ContainsFunc(theirs, func(id string) bool { return slices.Contains(mine, id) }) {
			s.notes = append(s.notes, geofence.Note{Where: f.where, Text: "has no outline; the footprint of its building stands in"})
			return fp.geometry
		}
	}
	if v := s.files["venue"]; len(v) > 0 {
		s.notes = append(s.notes, geofence.Note{Where: f.where, Text: "has no outline; that of the venue stands in"})
		return v[0].geometry
	}
	return nil
}

// describe says what a feature is to a store.
func (s *store) describe(f *feature) map[string]any {
	if f.kind == "level" {
		return s.describeLevel(f)
	}
	level := s.to(f, "level_id")
	if level == nil {
		return map[string]any{"kind": f.kind + " on no level"}
	}
	out := map[string]any{"floor": level.props["ordinal"], "name": label(f.props["name"], s.language)}
	category := f.text("category")
	switch left := s.levels[level]; {
	case s.chosen[f]:
		s.describeZone(f, out)
	case left != "":
		out["kind"] = f.kind + " " + left
	case f.kind == "opening":
		out["kind"] = "opening"
		if !strings.HasPrefix(category, "pedestrian") {
			out["kind"] = "opening not for pedestrians"
		}
	case f.kind == "unit" && solid[category]:
		out["kind"] = "wall or void"
	default:
		s.describeZone(f, out)
	}
	return out
}

func (s *store) describeLevel(f *feature) map[string]any {
	out := map[string]any{
		"kind": "boundary", "joined": true, "floor": f.props["ordinal"],
		"floor_name": cmp.Or(label(f.props["name"], s.language), label(f.props["short_name"], s.language)),
	}
	if left := s.levels[f]; left != "" {
		out["kind"] = strings.TrimPrefix(strings.TrimPrefix(left, "on an "), "on a ")
	}
	return out
}

// describeZone names a zone after who is in it. Its class is its category, or, if that does not say what
// it is for, its occupant's or an amenity's; but one that hides it goes first.
func (s *store) describeZone(f *feature, out map[string]any) {
	class := f.text("category")
	if f.kind == "kiosk" {
		class = "kiosk"
	}
	who := s.occupants[f]
	if len(who) == 1 || len(who) > 1 && out["name"] == "" {
		out["name"] = cmp.Or(label(who[0].props["name"], s.language), out["name"].(string))
	}
	tells := who
	if general[class] && len(who) == 0 { // a room for all may have a restroom in it, and be none
		tells = s.amenities[f]
	}
	for _, o := range tells {
		of := o.text("category")
		if geofence.SensitiveClass(of) && !geofence.SensitiveClass(class) || general[class] && o.kind == "occupant" && of != "" {
			class = of
		}
	}
	out["kind"], out["class"] = "unit", class
	if said, ok := f.props["sensitive"].(bool); ok {
		out["sensitive"] = said
	}
}
