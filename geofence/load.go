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

	"doorstep/geofence/internal/mapjson"
)

// MaxSourceBytes is the length that a Source may have; no real floor comes near.
const MaxSourceBytes = mapjson.MaxBytes

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
	// BoundaryIDs choose a store out of what the map shows: the ids of boundaries or units that make it
	// up, on one level or several. Zones and doors elsewhere are left out. The files' "store_id" and
	// "store_name" are then those of the whole, and not used.
	BoundaryIDs []string
	// AnySize takes areas larger than any store and up to the poles, to have their geometry checked and
	// for nothing else: what else is computed of such a site is worth nothing, and it can take for ever.
	AnySize bool
}

// Load reads one or more GeoJSON FeatureCollections (RFC 7946) into a site, with default Options.
//
// A feature's properties say what it is:
//
//	kind       boundary | unit (or zone) | door (a Point) | opening (a LineString or Point: a door if
//	           it is in the boundary, else left out); others are left out and noted
//	floor      the level, a whole number; missing in a one-level map
//	name       for people            floor_name  of a boundary: the level's name
//	class      of a zone             sensitive   of a zone: true hides it from staff
//	bearing    of a boundary: degrees clockwise from north that the long side points to
//	joined     of a boundary: true makes it one of several that bound its level together
//
// Members of the collection: store_id, store_name, bearing. An empty id means store_id. A map without
// a boundary is bounded by its zones; one whose features have no kind at all, by its areas. What can
// be mended is mended and reported; everything else is refused with errors of type *Error, joined.
func Load(id string, src ...Source) (*Site, Report, error) { return LoadWith(id, Options{}, src...) }

// LoadWith is Load with options.
func LoadWith(id string, opt Options, src ...Source) (*Site, Report, error) {
	l := &loader{opt: opt, part: len(opt.BoundaryIDs) > 0, values: mapjson.MaxValues, work: maxWork, byClass: map[string]bool{}}
	switch {
	case len(src) == 0:
		l.fail(inFile("(no file)"), "there is nothing to load", "give at least one GeoJSON file")
	case len(src) > maxFiles:
		l.fail(inFile(src[0].Name), fmt.Sprintf("is one of %d files, more than %d", len(src), maxFiles), "load the levels of one store only")
	default:
		for _, s := range src {
			l.files = append(l.files, s.Name)
			l.readFile(s)
		}
	}
	var site *Site
	if len(l.errs) == 0 {
		if id == "" && (l.storeID == "" || l.part) {
			id = opt.DefaultID
		}
		site = l.assemble(id)
	}
	if !l.taken {
		l.notes = append(l.notes, l.unused...)
	}
	l.noteFirst(l.windings, "rings that ran the wrong way round and were turned")
	l.noteFirst(l.beyond, "points beyond 180 degrees of longitude, counted on from the other side")
	report := Report{Notes: l.notes}
	if len(l.errs) > 0 {
		return nil, report, errors.Join(l.errs...)
	}
	return site, report, nil
}

type loader struct {
	opt       Options
	part      bool // the store is a part of what the map shows
	files     []string
	storeID   string
	storeName string
	bearing   *float64
	features  []*feature
	plain     []*feature // areas that do not say what they are
	kinds     bool       // a feature says that it is something of no use here
	taken     bool       // plain are the boundaries
	unused    []Note     // of what was left out, unless it is taken after all
	values    int        // JSON values that may still be read
	work      int        // steps that may still be spent on validity
	points    int        // of all shapes so far
	windings  []Where
	beyond    []Where // points beyond 180 degrees of longitude
	doors     []doorway
	byClass   map[string]bool // zones, by id, that are sensitive because of their class
	elsewhere int             // zones and doors that are not of this part
	notes     []Note
	errs      []error
}

const (
	maxFiles  = 200
	maxErrors = 50 // bounds what a hopeless file makes us say
)

func (l *loader) fail(w Where, problem, remedy string) {
	l.failWith(&Error{Where: w, Problem: problem, Remedy: remedy})
}

// failWith keeps a fault, once: some properties are read more than once.
func (l *loader) failWith(e *Error) {
	told := slices.ContainsFunc(l.errs, func(other error) bool { return other.Error() == e.Error() })
	if !told && len(l.errs) < maxErrors {
		l.errs = append(l.errs, e)
	}
}

func (l *loader) note(w Where, text string) { l.notes = append(l.notes, Note{w, text}) }

// noteFirst says once what is usually true of a whole file.
func (l *loader) noteFirst(places []Where, what string) {
	if n := len(places); n > 0 {
		l.note(places[0], fmt.Sprintf("%s: %d (this is the first)", what, n))
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func itoa(i int) string { return strconv.Itoa(i) }

var siteID = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

// assemble builds the site from the features.
func (l *loader) assemble(id string) *Site {
	w := l.firstFile()
	if l.part {
		l.storeID, l.storeName = "", ""
	}
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
		for _, f := range l.ofKind("zone") { // so that a map can be mended in one go
			l.area(f)
		}
		return nil
	}
	l.zones(s)
	l.readDoors(s)
	if len(l.errs) > 0 {
		return nil
	}
	l.measure(s)
	if len(l.errs) > 0 {
		return nil
	}
	l.noteSensitive(s)
	if l.elsewhere > 0 {
		l.note(w, fmt.Sprintf("zones and doors outside the chosen boundary, left out: %d", l.elsewhere))
	}
	s.Bearing = longSide(s)
	if l.bearing != nil {
		s.Bearing = *l.bearing
	}
	s.Version = version(s)
	return s
}

func (l *loader) firstFile() Where { return inFile(l.files[0]) }

// ofKind are the features of a kind, in the order of the files.
func (l *loader) ofKind(kind string) []*feature {
	var out []*feature
	for _, f := range l.features {
		if f.kind == kind {
			out = append(out, f)
		}
	}
	return out
}
