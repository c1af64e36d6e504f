// SPDX-License-Identifier: Apache-2.0

package imdf

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// reference is a property by which a feature names another.
type reference struct {
	from, member, to string
	required         bool // it must be there
	places           bool // it says where something is: a wrong one is a fault, others are noted
}

// references are those of OGC 20-094 that a store depends on, and those that show an archive to be out
// of step with itself.
var references = []reference{
	{"unit", "level_id", "level", true, true},
	{"section", "level_id", "level", true, true},
	{"opening", "level_id", "level", true, true},
	{"kiosk", "level_id", "level", false, true},
	{"fixture", "level_id", "level", false, true},
	{"detail", "level_id", "level", false, true},
	{"anchor", "unit_id", "unit", false, true},
	{"occupant", "anchor_id", "anchor", true, true},
	{"amenity", "unit_ids", "unit", false, true},
	{"kiosk", "anchor_id", "anchor", false, true},
	{"fixture", "anchor_id", "anchor", false, false},
	{"level", "building_ids", "building", false, false},
	{"footprint", "building_ids", "building", false, false},
	{"section", "parents", "section", false, false},
	{"venue", "address_id", "address", false, false},
	{"building", "address_id", "address", false, false},
	{"level", "address_id", "address", false, false},
	{"anchor", "address_id", "address", false, false},
	{"amenity", "address_id", "address", false, false},
	{"section", "address_id", "address", false, false},
}

func (a *Archive) checkReferences() {
	for _, ref := range references {
		loose := 0
		var first *feature
		for _, f := range a.files[ref.from] {
			if problem := a.wrong(ref, f); problem != "" && ref.places {
				a.fail(f.where, problem, fmt.Sprintf("give the id of a feature in %s.geojson", ref.to))
			} else if problem != "" {
				if loose++; first == nil {
					first = f
				}
			}
		}
		if first != nil {
			a.note(first.where, fmt.Sprintf("its %s, and %d in all, names no %s of the archive; nothing here depends on it", ref.member, loose, ref.to))
		}
	}
}

// wrong says what is the matter with a reference.
func (a *Archive) wrong(ref reference, f *feature) string {
	ids, ok := idsOf(f.props[ref.member])
	switch {
	case !ok:
		return fmt.Sprintf("its %s is neither an id nor a list of ids", ref.member)
	case len(ids) == 0 && ref.required:
		return "has no " + ref.member
	}
	for _, id := range ids {
		switch to := a.byID[id]; {
		case to == nil:
			return fmt.Sprintf("its %s names %q, which is not in the archive", ref.member, printable(id))
		case to.kind != ref.to:
			return fmt.Sprintf("its %s names %q, which is a %s, not a %s", ref.member, printable(id), to.kind, ref.to)
		}
	}
	return ""
}

// idsOf reads an id, a list of ids, or nothing.
func idsOf(v any) (ids []string, ok bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		return []string{v}, true
	case []any:
		for _, item := range v {
			id, isText := item.(string)
			if !isText {
				return nil, false
			}
			ids = append(ids, id)
		}
		return ids, true
	}
	return nil, false
}

// to is the feature that a property names, nil if it names none.
func (a *Archive) to(f *feature, member string) *feature {
	ids, _ := idsOf(f.props[member])
	if len(ids) == 0 {
		return nil
	}
	return a.byID[ids[0]]
}

// checkLevels holds every level to an ordinal.
func (a *Archive) checkLevels() {
	for _, f := range a.files["level"] {
		if n, ok := f.props["ordinal"].(float64); !ok || n != math.Trunc(n) || math.Abs(n) > 200 {
			a.fail(f.where, fmt.Sprintf("its ordinal %s is not a level", brief(f.props["ordinal"])), "give a whole number: 0 for the ground floor, -1 for the one below")
		}
	}
	if len(a.files["level"]) == 0 && len(a.errs) == 0 {
		a.fail(place(a.name+"/level.geojson"), "has no levels, so nobody could ever be inside", "draw at least one level")
	}
}

// brief is the beginning of a value as it was read.
func brief(v any) string { return printable(fmt.Sprint(v)) }

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
