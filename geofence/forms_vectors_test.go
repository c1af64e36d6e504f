// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/uber/h3-go/v4"

	spec "doorstep/mobile-sdk-spec"
)

// vectors reads a file of the specification into v, and how many cases it has: none is a failure.
func vectors(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := spec.Files.ReadFile("vectors/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	var file struct{ Cases []json.RawMessage }
	if err == nil {
		err = json.Unmarshal(raw, &file)
	}
	if err != nil || len(file.Cases) == 0 {
		t.Fatalf("%s: %d cases, %v", name, len(file.Cases), err)
	}
}

// TestTheShortFormIsWhatIsWritten: the vectors' boundary in differences is, digit by digit, what a server writes of the one in
// degrees, and adds up to it again.
func TestTheShortFormIsWhatIsWritten(t *testing.T) {
	type form struct {
		PerDegree float64 `json:"per_degree"`
		Levels    []struct{ Boundary json.RawMessage }
	}
	var long, short struct {
		Fence form
		Cases []any
	}
	vectors(t, "fence", &long)
	vectors(t, "fence-short", &short)
	if short.Fence.PerDegree != perDegree || len(short.Fence.Levels) != len(long.Fence.Levels) {
		t.Fatalf("per degree %v, %d levels", short.Fence.PerDegree, len(short.Fence.Levels))
	}
	if !reflect.DeepEqual(long.Cases, short.Cases) {
		t.Error("other cases: then what is answered to those of the long form says nothing of these")
	}
	for i, l := range long.Fence.Levels {
		var degrees, differences [][][][2]float64
		if err := json.Unmarshal(l.Boundary, &degrees); err != nil {
			t.Fatal(err)
		}
		wrote, err := json.Marshal(fenceForm{short: true}.coordinates(shapeOf(degrees)))
		var want bytes.Buffer
		if err == nil {
			err = json.Compact(&want, short.Fence.Levels[i].Boundary)
		}
		if err != nil || !bytes.Equal(wrote, want.Bytes()) {
			t.Errorf("level %d: %v\nwritten %s\nwant    %s", i, err, wrote, want.Bytes())
		}
		if err := json.Unmarshal(short.Fence.Levels[i].Boundary, &differences); err != nil {
			t.Fatal(err)
		}
		(&phoneFence{PerDegree: perDegree}).addUp(differences)
		if back, err := json.Marshal(differences); err != nil || string(back) != string(mustMarshal(t, degrees)) {
			t.Errorf("level %d adds up to %s, %v", i, back, err)
		}
	}
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shapeOf is a shape as GeoJSON has it.
func shapeOf(coordinates [][][][2]float64) (m MultiPolygon) {
	for _, polygon := range coordinates {
		var rings Polygon
		for _, ring := range polygon {
			var points []LatLng
			for _, p := range ring {
				points = append(points, LatLng{Lat: p[1], Lng: p[0]})
			}
			rings = append(rings, points)
		}
		m = append(m, rings)
	}
	return m
}

// pointInCell is a case of fence-cells.json: a point, if it has one, and the cell that it is in.
type pointInCell struct {
	Name, Cell string
	Lat, Lng   *float64
}

// TestPointsAreInTheirVectorsCells by H3's own library, as an SDK's has to say.
func TestPointsAreInTheirVectorsCells(t *testing.T) {
	var v struct{ Cases, Points []pointInCell }
	vectors(t, "fence-cells", &v)
	points := 0
	for _, c := range slices.Concat(v.Cases, v.Points) {
		if c.Lat == nil {
			continue // a name only
		}
		points++
		cell := h3.CellFromString(c.Cell)
		if got, err := h3.LatLngToCell(h3.LatLng{Lat: *c.Lat, Lng: *c.Lng}, cell.Resolution()); err != nil || got != cell {
			t.Errorf("%s: %s, %v; want %s", c.Name, got, err, cell)
		}
	}
	if points < 10 {
		t.Errorf("only %d points", points)
	}
}

// TestCellsSayWhatTheirVectorsSay: the server's own table, looked up with the vectors' cells, says the same; and the parents that both
// go up by are those of H3's library.
func TestCellsSayWhatTheirVectorsSay(t *testing.T) {
	var v struct {
		Fence struct {
			Cells struct {
				Res          int
				Inside, Edge []string
			}
		}
		Cases []struct {
			pointInCell
			Is string
		}
	}
	vectors(t, "fence-cells", &v)
	number := func(name string) uint64 {
		c, err := strconv.ParseUint(name, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	table := cover{res: v.Fence.Cells.Res, coarsest: v.Fence.Cells.Res, cells: map[uint64]uint32{}, infos: []cellInfo{{class: insideCell}, {class: edgeCell}}}
	for i, names := range [][]string{v.Fence.Cells.Inside, v.Fence.Cells.Edge} {
		for _, name := range names {
			table.cells[number(name)] = uint32(i)
			table.coarsest = min(table.coarsest, h3.Cell(number(name)).Resolution())
		}
	}
	looked := 0
	for _, c := range v.Cases {
		cell := number(c.Cell)
		if h3.Cell(cell).Resolution() != table.res {
			continue // of what a server does not ask for: a phone leaves it to the polygons
		}
		looked++
		is := "outside"
		if info := table.look(cell); info != nil {
			is = map[class]string{insideCell: "inside", edgeCell: "edge"}[info.class]
		}
		if is != c.Is {
			t.Errorf("%s: %s, want %s", c.Name, is, c.Is)
		}
		for r := table.coarsest; r < table.res; r++ {
			if up, err := h3.Cell(cell).Parent(r); err != nil || uint64(up) != parentOf(cell, r) {
				t.Errorf("%s: at resolution %d its parent is %x, want %s, %v", c.Name, r, parentOf(cell, r), up, err)
			}
		}
	}
	if looked < 6 {
		t.Errorf("only %d cells were looked up", looked)
	}
}
