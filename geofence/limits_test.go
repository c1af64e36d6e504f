// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"doorstep/geofence/internal/mapjson"
)

// A file made to cost much costs little: it is refused for what makes it dear, before the work is done,
// and within the memory that a large map takes. Without the limits in the loader these files take minutes
// or gigabytes. How long each took is in the log (-v); nothing here fails on a clock.
func TestHostileFiles(t *testing.T) {
	const mostMemory = 512 << 20 // bytes in use at any one time
	ring := func(n int, at func(i int) LatLng) string {
		var b strings.Builder
		for i := range n {
			p := at(i)
			fmt.Fprintf(&b, "[%.9f,%.9f],", p.Lng, p.Lat)
		}
		first := at(0)
		fmt.Fprintf(&b, "[%.9f,%.9f]", first.Lng, first.Lat)
		return "[" + b.String() + "]"
	}
	star := func(n int) string { // every edge crosses nearly every other
		return ring(n, func(i int) LatLng {
			s, c := math.Sincos(math.Pi * float64(i) * float64(n/2*2-1) / float64(n))
			return LatLng{54 + 0.0003*s, 3 + 0.0005*c}
		})
	}
	comb := func(n int) string { // a valid zigzag, all of whose long edges lie side by side
		return ring(n, func(i int) LatLng {
			d := 0.0005 * float64(i) / float64(n)
			switch {
			case i == n-1:
				return LatLng{53.999, 3}
			case i%2 == 0:
				return LatLng{54 - d, 3 + d}
			default:
				return LatLng{54.001 - d, 3.001 + d}
			}
		})
	}
	slivers := func(n int) string { // holes whose boxes all overlap, though they do not
		var b strings.Builder
		b.WriteString(`[[2.99,53.99],[3.02,53.99],[3.02,54.02],[2.99,54.02],[2.99,53.99]]`)
		for i := range n {
			d := 0.002 * float64(i) / float64(n)
			fmt.Fprintf(&b, ",[[%.9f,%.9f],[%.9f,%.9f],[%.9f,%.9f],[%.9f,%.9f]]", 3+d, 54-d, 3.01+d, 54.01-d, 3+d+1e-7, 54-d, 3+d, 54-d)
		}
		return b.String()
	}
	feature := func(rings string) []byte { return collection(area4("boundary", "b", rings)).Data }
	var zones []string
	for i := range 8 {
		zones = append(zones, area4("unit", fmt.Sprint("z", i), ring(4_900, func(k int) LatLng {
			s, c := math.Sincos(2 * math.Pi * float64(k) / 4_900)
			return LatLng{54.00025 + 0.0001*s, 3.0005 + (0.0001+1e-8*float64(i))*c}
		})))
	}
	var many []string
	for i := range 20_001 {
		many = append(many, fmt.Sprintf(`{"type":"Feature","id":"%d","properties":{"kind":"unit"},"geometry":null}`, i))
	}
	for _, c := range []struct {
		name string
		src  []Source
		want string // of the error; empty: loads
	}{
		{"a million points", []Source{{"m", feature("[" + strings.Repeat("[3,54],", 1_000_000) + "[3,54]]")}}, "the map holds more than"},
		{"half a million points", []Source{{"m", feature("[" + strings.Repeat("[3,54],", 500_000) + "[3,54]]")}}, "points are more than"},
		{"a million rings", []Source{{"m", feature(strings.Repeat("[],", 1_000_000) + "[]")}}, "fewer than three"},
		{"a million features", []Source{{"m", []byte(`{"type":"FeatureCollection","features":[` + strings.Repeat("{},", 1_000_000) + "{}]}")}}, "features are more than"},
		{"too many values", []Source{{"m", []byte("[" + strings.Repeat("1,", mapjson.MaxValues) + "1]")}}, "values"},
		{"too many values in all", slicesOf(9, Source{"m", []byte("[" + strings.Repeat("1,", mapjson.MaxValues/8) + "1]")}), "values"},
		{"too long", []Source{{"m", make([]byte, mapjson.MaxBytes+1)}}, "longer than"},
		{"too many files", slicesOf(maxFiles+1, collection(boundary)), "files"},
		{"deep", []Source{{"m", []byte(strings.Repeat(`{"a":[`, 1_000_000))}}, "nested deeper"},
		{"a long name", []Source{{"m", []byte(`{"type":"FeatureCollection","store_name":"` + strings.Repeat("é", 4<<20) + `","features":[]}`)}}, "no feature is a boundary"},
		{"beyond a float", []Source{{"m", feature("[[1e999,54]]")}}, "line 1"},
		{"a long number", []Source{{"m", feature("[[" + strings.Repeat("9", 1<<20) + ",54]]")}}, "line 1"},
		{"a star", []Source{{"m", feature(star(1_999))}}, "crosses or touches itself"},
		{"a larger star", []Source{{"m", feature(star(19_999))}}, "crosses or touches itself"},
		{"a comb", []Source{{"m", feature(comb(19_998))}}, "too intricate"},
		{"a small comb", []Source{{"m", feature(comb(998))}}, ""},
		{"slivers", []Source{{"m", feature(slivers(4_000))}}, "too intricate"},
		{"zones of thousands of corners", []Source{collection(append([]string{boundary}, zones...)...)}, ""},
		{"too many features", []Source{collection(many...)}, "features are more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer debug.SetGCPercent(debug.SetGCPercent(50)) // so that the peak is what is held
			runtime.GC()
			peak, stop := watchMemory()
			start := time.Now()
			_, _, err := Load("hostile", c.src...)
			took := time.Since(start)
			stop()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("said %.300v, want %q", err, c.want)
			}
			if err != nil && len(err.Error()) > 100_000 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
			if *peak > mostMemory {
				t.Errorf("held %d MB", *peak>>20)
			}
			t.Logf("%v, %d MB", took.Round(time.Millisecond), *peak>>20)
		})
	}
}

func slicesOf(n int, s Source) (out []Source) {
	for range n {
		out = append(out, s)
	}
	return out
}

// watchMemory notes the most memory in use until stop is called.
func watchMemory() (peak *uint64, stop func()) {
	peak = new(uint64)
	done, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			*peak = max(*peak, m.HeapAlloc)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return peak, func() { close(done); <-ended }
}
