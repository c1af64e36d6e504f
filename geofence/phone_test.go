// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"doorstep/mobile-sdk-spec/go/client"
)

// asked of a phone: a point, on a level or without one, and what the server says.
type phonePoint struct {
	p     LatLng
	level *int
	at    Place
	dist  float64
}

const phoneAccuracyM = 8

// Both reference clients, given nothing but the published fence, decide as the server does: on every point of
// every oracle file and on others around, with the level and without.
func TestClientsDecideLikeTheServer(t *testing.T) {
	for id, pattern := range realMaps {
		t.Run(id, func(t *testing.T) {
			x := mustIndex(t, mustLoad(t, id, sources(t, pattern)...))
			data, err := x.Fence()
			if err != nil {
				t.Fatal(err)
			}
			points := phonePoints(t, x, pattern)
			t.Run("Go", func(t *testing.T) { goClientDecides(t, x, data, points) })
			t.Run("JavaScript", func(t *testing.T) { jsClientDecides(t, data, points) })
			t.Logf("%d questions", len(points))
		})
	}
}

func phonePoints(t *testing.T, x *Index, pattern string) (out []phonePoint) {
	ask := func(p LatLng, level *int) {
		o := 0
		if level != nil {
			o = *level
		}
		out = append(out, phonePoint{p, level, x.Locate(p, o, level != nil), x.Distance(p, o, level != nil)})
	}
	for _, p := range benchPoints(x) {
		ask(p, nil)
		ask(p, &x.site.Levels[len(out)%len(x.site.Levels)].Ordinal)
	}
	rows := 0
	for _, o := range oracles(t) {
		if ok, _ := filepath.Match(filepath.Join(dataDir(t), pattern), o.floor); !ok {
			continue
		}
		level := mustLoad(t, "floor", o.source(t)).Levels[0].Ordinal
		for i, r := range o.rows(t) {
			if i%oneOf != 0 {
				continue
			}
			p := LatLng{number(t, r["lat"]), number(t, r["lng"])}
			ask(p, &level)
			ask(p, nil)
			rows++
		}
	}
	t.Logf("%d oracle points", rows)
	return out
}

// where is what the rules make of the server's answer; sure tells whether no limit is within 5 cm.
func (q *phonePoint) where() (where string, sure bool) {
	switch d := q.dist; {
	case q.at.Inside:
		where = "inside"
	case d <= phoneAccuracyM:
		where = "edge"
	case d > 100:
		where = "far"
	default:
		where = "out"
	}
	sure = math.Abs(q.dist) > 0.002
	for _, limit := range []float64{phoneAccuracyM, 100} {
		sure = sure && math.Abs(q.dist-limit) > 0.05
	}
	return where, sure
}

func (q *phonePoint) judge(t *testing.T, where string, dist float64) {
	t.Helper()
	if want, sure := q.where(); sure && where != want {
		t.Errorf("%v: the phone says %s, the server %s (%.4f m)", q.p, where, want, q.dist)
	}
	if !distanceFits(dist, q.dist) {
		t.Errorf("%v: %.4f m on the phone, %.4f m on the server", q.p, dist, q.dist)
	}
}

func goClientDecides(t *testing.T, x *Index, data []byte, points []phonePoint) {
	f, err := client.ParseFence(data)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for _, q := range points {
		q.judge(t, f.Where(q.p.Lat, q.p.Lng, phoneAccuracyM, q.level), f.DistM(q.p.Lat, q.p.Lng, q.level))
		if q.level != nil {
			continue
		}
		cell := f.Cell(mustCell(t, q.p, f.CellRes()))
		said[cell]++
		if cell != "edge" && (cell == "inside") != q.at.Inside {
			t.Errorf("%v: its cell says %s, the server inside %v", q.p, cell, q.at.Inside)
		}
	}
	t.Logf("cells: %v", said)
	if said["inside"] == 0 || said["edge"] == 0 || said["outside"] == 0 {
		t.Error("cells did not say everything they can")
	}
}

func jsClientDecides(t *testing.T, data []byte, points []phonePoint) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("node is missing: install nodejs")
		}
		t.Skip("node is missing: install nodejs to run this test")
	}
	in := struct {
		Fence  json.RawMessage `json:"fence"`
		Points [][4]any        `json:"points"`
	}{Fence: data}
	for _, q := range points {
		in.Points = append(in.Points, [4]any{q.p.Lat, q.p.Lng, q.level, phoneAccuracyM})
	}
	stdin, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, filepath.Join(moduleRoot(t), "mobile-sdk-spec", "js", "test", "decide.js"))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	lines := bytes.Fields(out)
	if len(lines) != 2*len(points) {
		t.Fatalf("%d words for %d points", len(lines), len(points))
	}
	for i := range points {
		points[i].judge(t, string(lines[2*i]), number(t, string(lines[2*i+1])))
	}
}

// What a phone fetches for each map of the data folder: never more than 64 KiB.
func TestFenceBytes(t *testing.T) {
	table := fmt.Sprintf("%-14s %7s %7s %4s %7s %7s %6s %6s  %s", "map", "bytes", "gzip", "res", "inside", "edge", "levels", "zones", "shapes in")
	for id, pattern := range realMaps {
		data, err := mustIndex(t, mustLoad(t, id, sources(t, pattern)...)).Fence()
		if err != nil {
			t.Fatal(err)
		}
		table += "\n" + fenceRow(t, id, data)
	}
	for _, file := range []string{"bled-supermarkets", "bangalore-malls"} {
		src := sources(t, "footprints/"+file+".geojson")
		var fc struct{ Features []struct{ ID string } }
		if err := json.Unmarshal(src[0].Data, &fc); err != nil {
			t.Fatal(err)
		}
		for _, f := range fc.Features {
			s, _, err := LoadWith("one", Options{BoundaryIDs: []string{f.ID}}, src...)
			if err != nil {
				t.Fatal(err)
			}
			data, err := mustIndex(t, s).Fence()
			if err != nil {
				t.Fatal(err)
			}
			table += "\n" + fenceRow(t, f.ID, data)
		}
	}
	t.Log("\n" + table)
}

func fenceRow(t *testing.T, id string, data []byte) string {
	t.Helper()
	if len(data) > 64<<10 {
		t.Errorf("%s: %d bytes", id, len(data))
	}
	var f phoneFence
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if f.Cells == nil {
		t.Fatalf("%s: no cells", id)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	form := "degrees"
	if f.PerDegree != 0 {
		form = "differences"
	}
	return fmt.Sprintf("%-14s %7d %7d %4d %7d %7d %6d %6d  %s", id, len(data), zipped.Len(), f.Cells.Res, len(f.Cells.Inside), len(f.Cells.Edge), len(f.Levels), len(f.Zones), form)
}
