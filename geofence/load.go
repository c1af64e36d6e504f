// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Source is one GeoJSON file: its name, for messages, and its bytes.
type Source struct {
	Name string
	Data []byte
}

// Options tells Load what the files themselves do not say.
type Options struct {
	// DefaultID is the store's id when none is given and no file carries "store_id".
	DefaultID string
	// Name is shown to people when no file carries "store_name".
	Name string
	// BoundaryID picks one boundary feature out of a file that holds several stores.
	BoundaryID string
}

// Load reads one or more GeoJSON FeatureCollections (RFC 7946) into a site, with default Options.
//
// A feature's properties say what it is:
//
//	kind       boundary | unit (or zone) | door; others are left out and noted
//	floor      the level, a whole number; missing in a one-level map
//	name       for people            floor_name  of a boundary: the level's name
//	class      of a zone             sensitive   of a zone: true hides it from staff
//	bearing    of a boundary: degrees clockwise from north that the long side points to
//
// Members of the collection: store_id, store_name, bearing. An empty id means store_id. What can be
// mended is mended and reported; everything else is refused with errors of type *Error, joined.
func Load(id string, src ...Source) (*Site, Report, error) { return LoadWith(id, Options{}, src...) }

// LoadWith is Load with options.
func LoadWith(id string, opt Options, src ...Source) (*Site, Report, error) {
	l := &loader{opt: opt}
	for _, s := range src {
		l.readFile(s)
	}
	if len(src) == 0 {
		l.fail(inFile("(no file)"), "there is nothing to load", "give at least one GeoJSON file")
	}
	var site *Site
	if len(l.errs) == 0 {
		if id == "" && l.storeID == "" {
			id = opt.DefaultID
		}
		site = l.assemble(id)
	}
	l.noteWindings()
	report := Report{Notes: l.notes}
	if len(l.errs) > 0 {
		return nil, report, errors.Join(l.errs...)
	}
	return site, report, nil
}

type loader struct {
	opt        Options
	storeID    string
	storeName  string
	bearing    *float64
	features   []feature
	points     int // of all shapes so far
	windings   []Where
	doorPlaces []Where // of site.Doors
	notes      []Note
	errs       []error
}

// maxErrors bounds what a hopeless file makes us say.
const maxErrors = 50

func (l *loader) fail(w Where, problem, remedy string) {
	if len(l.errs) < maxErrors {
		l.errs = append(l.errs, &Error{w, problem, remedy})
	}
}

func (l *loader) note(w Where, text string) { l.notes = append(l.notes, Note{w, text}) }

// noteWindings says once what is usually true of a whole file.
func (l *loader) noteWindings() {
	if n := len(l.windings); n > 0 {
		l.note(l.windings[0], fmt.Sprintf("%d rings ran the wrong way round and were turned (this is the first)", n))
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func itoa(i int) string { return strconv.Itoa(i) }

var siteID = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

// assemble builds the site from the features.
func (l *loader) assemble(id string) *Site {
	w := l.firstFile()
	id = cmp.Or(id, l.storeID)
	if l.storeID != "" && id != l.storeID {
		l.fail(w, fmt.Sprintf("the map is of store %q, not of %q", l.storeID, id), "load it under its own id")
	}
	if !siteID.MatchString(id) {
		l.fail(w, fmt.Sprintf("%q cannot be a store's id", id), "use up to 64 of a-z, 0-9 and -, not at the ends")
	}
	s := &Site{ID: id}
	boundaryName := l.boundaries(s)
	s.Name = cmp.Or(l.storeName, l.opt.Name, boundaryName, id)
	if len(s.Levels) == 0 || len(l.errs) > 0 {
		return nil
	}
	l.zones(s)
	l.doors(s)
	if len(l.errs) > 0 {
		return nil
	}
	l.measure(s)
	if len(l.errs) > 0 {
		return nil
	}
	s.Bearing = longSide(s)
	if l.bearing != nil {
		s.Bearing = *l.bearing
	}
	s.Version = version(s)
	return s
}

func (l *loader) firstFile() Where {
	if len(l.features) > 0 {
		return inFile(l.features[0].where.File)
	}
	return inFile("(map)")
}

// ofKind are the features of a kind, in the order of the files.
func (l *loader) ofKind(kind string) []feature {
	var out []feature
	for _, f := range l.features {
		if f.kind == kind {
			out = append(out, f)
		}
	}
	return out
}

// boundaries makes the levels. It returns a name found on a boundary, as a last resort for the site's.
func (l *loader) boundaries(s *Site) (name string) {
	all := l.ofKind("boundary")
	if l.opt.BoundaryID != "" {
		all = l.chosen(all)
	}
	first := map[int]feature{}
	for _, f := range all {
		floor, _, ok := l.floor(f)
		if !ok {
			continue
		}
		if other, taken := first[floor]; taken {
			l.fail(f.where, fmt.Sprintf("level %d has a boundary already: %s", floor, other.where),
				"join the two into one MultiPolygon; or, if they are different stores, choose one by its id")
			continue
		}
		first[floor] = f
		shape, ok := l.shape(f)
		if !ok {
			continue
		}
		if v, has := f.props["bearing"]; has && v != nil {
			l.readBearing(f.where, v)
		}
		n, _ := l.text(f.where, "name", f.props["name"])
		level, _ := l.text(f.where, "floor_name", f.props["floor_name"])
		name = cmp.Or(name, withoutLevel(n, level))
		s.Levels = append(s.Levels, Level{Ordinal: floor, Name: cmp.Or(level, "Level "+itoa(floor)), Boundary: shape})
	}
	if len(first) == 0 && len(l.errs) == 0 {
		l.fail(l.firstFile(), "no feature is a boundary, so nobody could ever be inside",
			`draw each level's outline and mark it "kind":"boundary" with its "floor"`)
	}
	slices.SortFunc(s.Levels, func(a, b Level) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	return name
}

// withoutLevel takes the level's name off the end of a boundary's: what "Mall B1" has in common with
// "Mall F1" names the store.
func withoutLevel(name, level string) string {
	rest, ends := strings.CutSuffix(name, level)
	if level == "" || !ends || wordEnd.MatchString(rest) {
		return name
	}
	return strings.TrimRight(rest, " -–,:·/")
}

var wordEnd = regexp.MustCompile(`[A-Za-z0-9]$`) // "Shelf1" does not end in the level F1

// chosen keeps the boundary that was asked for.
func (l *loader) chosen(all []feature) []feature {
	var out []feature
	for _, f := range all {
		if f.id == l.opt.BoundaryID {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		l.fail(l.firstFile(), fmt.Sprintf("no boundary has the id %q", l.opt.BoundaryID), "choose the id of a feature of kind boundary")
	}
	return out
}
