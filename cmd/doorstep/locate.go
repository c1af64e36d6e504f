// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
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
	rows := csv.NewReader(in)
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true
	head, err := rows.Read()
	if err != nil {
		return fmt.Errorf("standard input: no header line: the first line is lat,lng: %w", err)
	}
	lat, lng, err := columns(head)
	if err != nil {
		return err
	}
	w.WriteString("lat,lng,inside,unit,dist_m\n")
	level, has := 0, c.Level != nil
	if has {
		level = *c.Level
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("standard input: %w", err)
		}
		line, _ := rows.FieldPos(0)
		if len(row) <= max(lat, lng) {
			return fmt.Errorf("standard input, line %d: %d columns, the header promised more", line, len(row))
		}
		p, err := point(row[lat], row[lng])
		if err != nil {
			return fmt.Errorf("standard input, line %d: %w", line, err)
		}
		writePlace(w, row[lat], row[lng], x.Locate(p, level, has), x.Distance(p, level, has))
	}
}

func columns(head []string) (lat, lng int, err error) {
	lat, lng = -1, -1
	for i, name := range head {
		switch name {
		case "lat":
			lat = i
		case "lng":
			lng = i
		}
	}
	if lat < 0 || lng < 0 {
		return 0, 0, fmt.Errorf("standard input, line 1: the header names no lat or no lng: start with the line lat,lng")
	}
	return lat, lng, nil
}

func point(lat, lng string) (geofence.LatLng, error) {
	y, err := strconv.ParseFloat(lat, 64)
	if err != nil || !(y >= -90 && y <= 90) {
		return geofence.LatLng{}, fmt.Errorf("lat %q is not a number from -90 to 90", lat)
	}
	x, err := strconv.ParseFloat(lng, 64)
	if err != nil || !(x >= -180 && x <= 180) {
		return geofence.LatLng{}, fmt.Errorf("lng %q is not a number from -180 to 180", lng)
	}
	return geofence.LatLng{Lat: y, Lng: x}, nil
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
