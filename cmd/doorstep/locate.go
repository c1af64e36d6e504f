// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"doorstep/geofence"
)

type storeLocateCmd struct {
	mapFlags
}

// Run answers each row as it comes; an input of any length takes the same memory.
func (c *storeLocateCmd) Run(s streams) error {
	x, err := c.open()
	if err != nil {
		return err
	}
	return buffered(s.out, func(w *bufio.Writer) error { return c.locate(x, s.in, w) })
}

func (c *storeLocateCmd) locate(x *geofence.Index, in io.Reader, w *bufio.Writer) error {
	rows := readRows(in)
	head, line, err := rows.next()
	if errors.Is(err, io.EOF) {
		return errors.New("standard input: empty: the first line is lat,lng")
	}
	if err != nil {
		return misread(err)
	}
	width := len(head)
	lat, lng, err := columns(head)
	if err != nil {
		return fmt.Errorf("standard input, line %d: %w", line, err)
	}
	w.WriteString("lat,lng,inside,unit,dist_m\n")
	level, has := 0, c.Level != nil
	if has {
		level = *c.Level
	}
	for {
		row, line, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return misread(err)
		}
		if most := max(lat, lng); len(row) <= most {
			return fmt.Errorf("standard input, line %d: too short: the header has lat and lng among its first %d columns, this line has %d", line, most+1, len(row))
		}
		if len(row) > width {
			return fmt.Errorf("standard input, line %d: too long: the header names %s, this line has %d: write decimals with a point, and put text with commas in quotes", line, count(width, "column"), len(row))
		}
		p, err := point(row[lat], row[lng])
		if err != nil {
			return fmt.Errorf("standard input, line %d: %w", line, err)
		}
		writePlace(w, row[lat], row[lng], x.Locate(p, level, has), x.Distance(p, level, has))
	}
}

// misread says where a line is not CSV.
func misread(err error) error {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("standard input, line %d, column %d: not CSV: %w", p.Line, p.Column, p.Err)
	}
	if long, ok := errors.AsType[longRow](err); ok {
		return fmt.Errorf("standard input, %w", long)
	}
	return fmt.Errorf("standard input: %w", cause(err))
}

// columns finds lat and lng in a header. Other columns are passed over; capitals and a byte order mark,
// which spreadsheets write, do not matter.
func columns(head []string) (lat, lng int, err error) {
	at := map[string]int{}
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if _, twice := at[name]; twice && (name == "lat" || name == "lng") {
			return 0, 0, fmt.Errorf("two columns are called %s: rename one", name)
		}
		at[name] = i
	}
	lat, okLat := at["lat"]
	lng, okLng := at["lng"]
	for _, other := range []struct{ name, is string }{{"latitude", "lat"}, {"lon", "lng"}, {"long", "lng"}, {"longitude", "lng"}} {
		if _, there := at[other.name]; there && (other.is == "lat" && !okLat || other.is == "lng" && !okLng) {
			return 0, 0, fmt.Errorf("there is no column %s: rename %s to %s", other.is, other.name, other.is)
		}
	}
	if !okLat || !okLng {
		return 0, 0, errors.New("the header names no lat or no lng: start with the line lat,lng, separated by commas")
	}
	return lat, lng, nil
}

func point(lat, lng string) (geofence.LatLng, error) {
	y, err := decimal(lat)
	if err != nil {
		return geofence.LatLng{}, fmt.Errorf("lat %q is not a number from -90 to 90", lat)
	}
	x, err := decimal(lng)
	if err != nil {
		return geofence.LatLng{}, fmt.Errorf("lng %q is not a number from -180 to 180", lng)
	}
	return geofence.LatLng{Lat: y, Lng: x}, onEarth(y, x)
}

// decimal reads a number as people write it, which Go's 0x1p3 and 0x_1p3 are not.
func decimal(text string) (float64, error) {
	if strings.ContainsAny(text, "xX_") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(strings.TrimSpace(text), 64)
}

// onEarth refuses degrees that are no place, NaN among them.
func onEarth(lat, lng float64) error {
	fitsLat, fitsLng := math.Abs(lat) <= 90, math.Abs(lng) <= 180
	switch {
	case !fitsLat && math.Abs(lat) <= 180 && math.Abs(lng) <= 90:
		return fmt.Errorf("lat %v is not from -90 to 90, but lng %v is: they seem to be swapped", lat, lng)
	case !fitsLat:
		return fmt.Errorf("lat %v is not a number from -90 to 90", lat)
	case !fitsLng:
		return fmt.Errorf("lng %v is not a number from -180 to 180", lng)
	}
	return nil
}

func writePlace(w *bufio.Writer, lat, lng string, at geofence.Place, dist float64) {
	inside, unit := "0", ""
	if at.Inside {
		inside = "1"
	}
	if at.N > 0 {
		unit = at.Zones[0].ID
	}
	w.WriteString(lat + "," + lng + "," + inside + "," + quoted(unit) + "," + strconv.FormatFloat(dist, 'f', 4, 64) + "\n")
}

// quoted is a CSV field.
func quoted(s string) string {
	for i := range len(s) {
		if c := s[i]; c == '"' || c == ',' || c == '\n' || c == '\r' {
			return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
	}
	return s
}
