// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"strings"
)

// Where names a place in a map file, counted from 0 as in the file. None (-1) means "not applicable".
type Where struct {
	File       string // the Source's name
	Feature    int    // index in "features"
	FeatureID  string // its id, if it has one
	Part       int    // polygon of a MultiPolygon
	Ring       int    // 0 is the outer ring
	Coordinate int    // index of the point in its ring
}

// None marks an index of Where that does not apply.
const None = -1

func inFile(name string) Where {
	return Where{File: name, Feature: None, Part: None, Ring: None, Coordinate: None}
}

func (w Where) feature(i int, id string) Where { w.Feature, w.FeatureID = i, id; return w }
func (w Where) part(i int) Where               { w.Part = i; return w }
func (w Where) ring(i int) Where               { w.Ring = i; return w }
func (w Where) coordinate(i int) Where         { w.Coordinate = i; return w }

// String reads like `floor.geojson: feature 3 "shop-9", ring 0, coordinate 12`.
func (w Where) String() string {
	var b strings.Builder
	b.WriteString(w.File)
	if w.Feature != None {
		fmt.Fprintf(&b, ": feature %d", w.Feature)
		if w.FeatureID != "" {
			fmt.Fprintf(&b, " %q", w.FeatureID)
		}
	}
	for _, n := range []struct {
		name string
		i    int
	}{{"part", w.Part}, {"ring", w.Ring}, {"coordinate", w.Coordinate}} {
		if n.i != None {
			fmt.Fprintf(&b, ", %s %d", n.name, n.i)
		}
	}
	return b.String()
}

// Note is something the loader accepted or mended and thinks worth saying.
type Note struct {
	Where Where
	Text  string
}

// String is the note in one line.
func (n Note) String() string { return n.Where.String() + ": " + n.Text }

// Report is what Load has to say about a map that it accepted.
type Report struct{ Notes []Note }

// Error is one reason why a map was refused: where, what, and what to do about it. Load joins
// several (errors.Join), so that a map can be mended in one go; errors.As finds the first.
type Error struct {
	Where   Where
	Problem string
	Remedy  string
	// Stores is set if the map is a list of stores, none of which was chosen: the ids that
	// Options.BoundaryIDs may be given, one at a time.
	Stores []string
}

// Error is the problem in one line.
func (e *Error) Error() string {
	return e.Where.String() + ": " + e.Problem + ": " + e.Remedy
}
