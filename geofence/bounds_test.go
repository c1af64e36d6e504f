// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"strings"
	"testing"
)

// rect is a ring, by its corners in metres east and north of 54° N, 3° E.
func rect(x0, y0, x1, y1 float64) string {
	f, points := NewFrame(LatLng{54, 3}, 90), []string{}
	for _, c := range [][2]float64{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}} {
		p := f.LatLng(c[0], c[1])
		points = append(points, fmt.Sprintf("[%.12f,%.12f]", p.Lng, p.Lat))
	}
	return "[" + strings.Join(points, ",") + "]"
}

// pointAt is a door or an opening, in the same metres.
func pointAt(kind string, x, y float64) string {
	p := NewFrame(LatLng{54, 3}, 90).LatLng(x, y)
	return fmt.Sprintf(`{"type":"Feature","properties":{"kind":%q,"floor":0},"geometry":{"type":"Point","coordinates":[%.12f,%.12f]}}`, kind, p.Lng, p.Lat)
}

// Every bound of the loader, from both sides: what is just within it loads without a word, unless a note is what the
// bound is for; what is just beyond is refused, or noted, in these words.
func TestBounds(t *testing.T) {
	base := area4("boundary", "b", rect(0, 0, 100, 60))
	onFloor := func(floor string) []Source {
		return []Source{collection(strings.Replace(base, `"floor":0`, `"floor":`+floor, 1))}
	}
	with := func(features ...string) []Source { return []Source{collection(append([]string{base}, features...)...)} }
	alone := func(ring string) []Source { return []Source{collection(area4("boundary", "b", ring))} }
	header := func(members ...string) (out []Source) { // a boundary in the first of several files
		for i, m := range members {
			features := ""
			if i == 0 {
				features = base
			}
			out = append(out, Source{"map.geojson", []byte(`{"type":"FeatureCollection",` + m + `,"features":[` + features + `]}`)})
		}
		return out
	}
	zone := func(x0, y0, x1, y1 float64) []Source { return with(area4("unit", "z", rect(x0, y0, x1, y1))) }
	named := func(n int) []Source { return header(`"store_name":"` + strings.Repeat("n", n) + `"`) }
	lng := func(east string) []Source {
		return alone(fmt.Sprintf("[[%[1]s,10],[%[1]s5,10],[%[1]s5,10.0005],[%[1]s,10]]", east))
	}
	at := func(position string) []Source {
		return alone("[" + position + ",[3.0015,54],[3.0015,54.0005],[3,54.0005]," + position + "]")
	}
	doors := func(n int) []Source {
		return with(strings.Split(strings.TrimSuffix(strings.Repeat(pointAt("door", 0, 30)+"\n", n), "\n"), "\n")...)
	}
	for _, c := range []struct {
		name           string
		within, beyond []Source
		says           string
	}{
		{"floor", onFloor("200"), onFloor("201"), "floor 201 is not a level"},
		{"floor below", onFloor("-200"), onFloor("-201"), "floor -201 is not a level"},
		{"whole floor", onFloor("3.0"), onFloor("3.5"), "floor 3.5 is not a level"},
		{"bearing", header(`"bearing":359.9`), header(`"bearing":360`), "bearing 360 is not an angle"},
		{"bearing from 0", header(`"bearing":0`), header(`"bearing":-0.1`), "bearing -0.1 is not an angle"},
		{"bearing is a number", header(`"bearing":7.5`), header(`"bearing":"7.5"`), `bearing "7.5" is not an angle`},
		{"bearing of all files", header(`"bearing":7`, `"bearing":7`), header(`"bearing":7`, `"bearing":8`), "bearing 8 differs from 7"},
		{"flat bbox", header(`"bbox":[1,2,3,4]`), header(`"bbox":[1,2,3]`), "bbox is not a list of four or six"},
		{"bbox with heights", header(`"bbox":[1,2,3,4,5,6]`), header(`"bbox":[1,2,3,4,5]`), "bbox is not a list of four or six"},
		{"bbox of numbers", header(`"bbox":null`), header(`"bbox":[1,2,3,4,5,"6"]`), "bbox is not a list of four or six"},
		{"bbox is a list", header(`"x":1`), header(`"bbox":{}`), "bbox is not a list of four or six"},
		{"one store", header(`"store_id":"here"`, `"store_id":"here"`), header(`"store_id":"here"`, `"store_id":"there"`), `store_id "there" differs from "here"`},
		{"one name", header(`"store_name":"A"`, `"store_name":"A"`), header(`"store_name":"A"`, `"store_name":"B"`), `store_name "B" differs from "A"`},
		{"name", named(maxText), named(maxText + 1), "store_name was cleaned"},
		{"span", alone(rect(0, 0, 4_990, 60)), alone(rect(0, 0, 5_010, 60)), "is too large: it spans 5.0 km"},
		{"span north", alone(rect(0, 0, 60, 4_990)), alone(rect(0, 0, 60, 5_010)), "is too large: it spans 5.0 km"},
		{"least span", alone(rect(0, 0, 0.11, 0.01)), alone(rect(0, 0, 0.09, 0.01)), "smaller than ten centimetres"},
		{"latitude", alone("[[3,84.9995],[3.005,84.9995],[3.005,85],[3,84.9995]]"), alone("[[3,84.9995],[3.005,84.9995],[3.005,85.00001],[3,84.9995]]"), "too close to a pole"},
		{"longitude", lng("179.999"), lng("180.001"), "beyond 180 degrees of longitude, counted on"},
		{"all the way round", nil, lng("360.001"), "is out of range"},
		{"nearly all the way round", nil, lng("359.999"), "beyond 180 degrees of longitude, counted on"},
		{"position", at("[3,54,7,8]"), at("[3,54,7,8,9]"), "is not a position"},
		{"short position", at("[3,54]"), at("[3]"), "is not a position"},
		{"doors", doors(maxDoors), doors(maxDoors + 1), "more than 200 doors"},
		{"door", with(pointAt("door", -19.9, 30)), with(pointAt("door", -20.1, 30)), "door is 20 m away"},
		{"door within", with(pointAt("door", 19.9, 30)), with(pointAt("door", 20.1, 30)), "door is 20 m away"},
		{"opening", with(pointAt("opening", 1.99, 30)), with(pointAt("opening", 2.01, 30)), "openings farther than 2 m"},
		{"zone to be noted", zone(-0.0009, 5, 9, 9), zone(-0.0011, 5, 9, 9), "zones that reach out of the boundary"},
		{"zone", nil, zone(-2.01, 5, 9, 9), "reaches 2.0 m out of the boundary"},
		{"boundary in a zone", nil, zone(-2.01, -2.01, 102.01, 62.01), "out of the boundary of level 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.within != nil {
				if _, report, err := Load("here", c.within...); err != nil || len(report.Notes) > 0 {
					t.Errorf("within: %v %v", report.Notes, err)
				}
			}
			_, report, err := Load("here", c.beyond...)
			if text := fmt.Sprint(err, report.Notes); !strings.Contains(text, c.says) {
				t.Errorf("beyond: said %s, want %q", text, c.says)
			}
		})
	}
	for _, reach := range []float64{1.99, 0.01} { // noted, not refused
		if _, report, err := Load("here", zone(-reach, 5, 9, 9)...); err != nil || len(report.Notes) != 1 {
			t.Errorf("%v m: %v %v", reach, report.Notes, err)
		}
	}
}
