// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// shop is an L of 80 by 50 m with two doors, three zones, a hole and a first floor.
const shop = `{"store":"s","name":"S","version":"v","bearing":0,
 "levels":[
  {"ordinal":0,"name":"G","boundary":[[[[3,54],[3.0012,54],[3.0012,54.00045],[3.0006,54.00045],[3.0006,54.00025],[3,54.00025],[3,54]],
    [[3.0002,54.0001],[3.0002,54.00015],[3.0004,54.00015],[3.0004,54.0001],[3.0002,54.0001]]]]},
  {"ordinal":1,"name":"1","boundary":[[[[3,54],[3.0006,54],[3.0006,54.00025],[3,54.00025],[3,54]]]]}],
 "doors":[{"name":"South","level":0,"at":[3.0003,54]},{"name":"East","level":0,"at":[3.0012,54.0003]}],
 "zones":[{"id":"a","name":"A","level":0,"polygon":[[[[3.00005,54.00005],[3.00015,54.00005],[3.00015,54.0002],[3.00005,54.0002],[3.00005,54.00005]]]]},
  {"id":"b","name":"B","level":0,"polygon":[[[[3.0007,54.0003],[3.0011,54.0003],[3.0011,54.0004],[3.0007,54.0004],[3.0007,54.0003]]]]},
  {"id":"c","name":"C","level":1,"polygon":[[[[3.0001,54.0001],[3.0003,54.0001],[3.0003,54.0002],[3.0001,54.0001]]]]}]}`

var start = time.UnixMilli(1790000000000)

func shopMap(t testing.TB) *Map {
	t.Helper()
	m, err := ParseMap([]byte(shop))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type step struct {
	fix   Fix
	truth Truth
}

func walk(t testing.TB, w *Walker, err error) []step {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var out []step
	for {
		f, truth, ok := w.Next()
		if !ok {
			break
		}
		out = append(out, step{f, truth})
	}
	if len(out) == 0 {
		t.Fatal("nobody walked")
	}
	return out
}

// visits counts the runs of Inside, and how long they last together.
func visits(steps []step) (n int, inside time.Duration) {
	was := false
	for i, s := range steps {
		if s.truth.Inside {
			if !was {
				n++
			}
			if i+1 < len(steps) {
				inside += time.Duration(steps[i+1].truth.T-s.truth.T) * time.Millisecond
			}
		}
		was = s.truth.Inside
	}
	return n, inside
}

// TestAVisitIsOneVisit: whatever the seed and the plan, a walker starts outside, comes in once,
// stays as long as planned, and ends far outside.
func TestAVisitIsOneVisit(t *testing.T) {
	m := shopMap(t)
	rapid.Check(t, func(rt *rapid.T) {
		want := time.Duration(rapid.IntRange(5, 900).Draw(rt, "inside")) * time.Second
		opt := Options{Seed: rapid.Uint64().Draw(rt, "seed"), Start: start, Every: 200 * time.Millisecond, Plan: VisitPlan{Inside: want}}
		w, err := NewWalker(m, opt)
		steps := walk(t, w, err)
		n, inside := visits(steps)
		if n != 1 {
			rt.Fatalf("%d visits", n)
		}
		if off := inside - want; off < -2*time.Second || off > 2*time.Second {
			rt.Fatalf("inside for %v, planned %v", inside, want)
		}
		first, last := steps[0].truth, steps[len(steps)-1].truth
		if first.Inside || first.BoundaryM > 11 || last.BoundaryM < 60 {
			rt.Fatalf("starts %.1f m and ends %.1f m outside", first.BoundaryM, last.BoundaryM)
		}
	})
}

func TestWalkersKeepTheirPace(t *testing.T) {
	w, err := NewWalker(shopMap(t), Options{Seed: 1, Start: start})
	steps := walk(t, w, err)
	moved := false
	for i := 1; i < len(steps); i++ {
		a, b := steps[i-1], steps[i]
		p := planeAt(a.truth.Lat, a.truth.Lng)
		seconds := float64(b.truth.T-a.truth.T) / 1000
		d := distance(p.xy([2]float64{a.truth.Lng, a.truth.Lat}), p.xy([2]float64{b.truth.Lng, b.truth.Lat}))
		if d/seconds > 1.21 {
			t.Fatalf("step %d: %.2f m/s", i, d/seconds)
		}
		moved = moved || d > 1.1
		if h := a.fix.HeadingDeg; h < 0 || h >= 360 {
			t.Fatalf("heading %v", h)
		}
	}
	if !moved {
		t.Error("nobody moved")
	}
}

func TestTheSameSeedIsTheSameWalk(t *testing.T) {
	m := shopMap(t)
	opt := Options{Seed: 7, Start: start, Noise: RealPhone()}
	w1, err1 := NewWalker(m, opt)
	w2, err2 := NewWalker(m, opt)
	a, b := walk(t, w1, err1), walk(t, w2, err2)
	if len(a) != len(b) {
		t.Fatalf("%d and %d fixes", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("fix %d differs", i)
		}
	}
	opt.Seed = 8
	w3, err3 := NewWalker(m, opt)
	if c := walk(t, w3, err3); c[0] == a[0] && c[len(c)-1] == a[len(a)-1] {
		t.Error("another seed walks the same way")
	}
}

func TestSomeStopInside(t *testing.T) {
	w, err := NewWalker(shopMap(t), Options{Seed: 3, Start: start, Plan: VisitPlan{Inside: time.Minute, EndBy: None}})
	steps := walk(t, w, err)
	if last := steps[len(steps)-1].truth; !last.Inside {
		t.Errorf("ends %.1f m outside", last.BoundaryM)
	}
	if length := w.Length(); length < time.Minute || length > 80*time.Second {
		t.Errorf("takes %v", length)
	}
}

func TestALevelCanBeChosen(t *testing.T) {
	one, nine := 1, 9
	w, err := NewWalker(shopMap(t), Options{Seed: 3, Start: start, Level: &one, Plan: VisitPlan{Inside: 30 * time.Second}})
	for _, s := range walk(t, w, err) {
		if s.fix.Level != 1 || s.truth.Level != 1 {
			t.Fatalf("on level %d", s.fix.Level)
		}
	}
	if _, err := NewWalker(shopMap(t), Options{Level: &nine}); !errors.Is(err, ErrMap) {
		t.Errorf("a level that is not there: %v", err)
	}
}

// TestNoiseIsAsAsked measures the error of many fixes of somebody who stands still.
func TestNoiseIsAsAsked(t *testing.T) {
	trace := `{"t":0,"lat":54,"lng":3,"floor":0,"accuracy_m":null}` + "\n" + manyPauses(40000)
	by := Noise{SigmaM: 5, Correlation: 20 * time.Second, Skew: time.Hour}
	w, err := NewTraceWalker(strings.NewReader(trace), nil, Options{Seed: 1, Start: start, Noise: by})
	steps := walk(t, w, err)
	p := planeAt(54, 3)
	var sum2, lag float64
	var before xy
	for i, s := range steps {
		if got := s.fix.T - s.truth.T; got != time.Hour.Milliseconds() {
			t.Fatalf("the clock is off by %d ms", got)
		}
		if s.fix.AccuracyM != 7.5 {
			t.Fatalf("claims %v m", s.fix.AccuracyM)
		}
		e := p.xy([2]float64{s.fix.Lng, s.fix.Lat})
		sum2 += e.x*e.x + e.y*e.y
		if i > 0 {
			lag += e.x*before.x + e.y*before.y
		}
		before = e
	}
	sigma := math.Sqrt(sum2 / float64(2*len(steps)))
	if math.Abs(sigma-5) > 0.6 {
		t.Errorf("sigma = %.2f m, want 5", sigma)
	}
	if r := lag / sum2; math.Abs(r-math.Exp(-1.0/20)) > 0.02 {
		t.Errorf("one second apart the errors correlate by %.3f, want %.3f", r, math.Exp(-1.0/20))
	}
}

// manyPauses is a trace of n lines, 1 s apart, in one place.
func manyPauses(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		b.WriteString(`{"t":` + itoa(i*1000) + `,"lat":54,"lng":3,"floor":0,"accuracy_m":null}` + "\n")
	}
	return b.String()
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func TestGapsAndSpikesCome(t *testing.T) {
	trace := `{"t":0,"lat":54,"lng":3}` + "\n" + manyPauses(20000)
	by := Noise{SpikesPerHour: 20, SpikeM: 30, GapsPerHour: 20, Gap: 15 * time.Second}
	w, err := NewTraceWalker(strings.NewReader(trace), nil, Options{Seed: 2, Start: start, Noise: by})
	steps := walk(t, w, err)
	gaps, spikes := 0, 0
	for i, s := range steps {
		if i > 0 && s.truth.T-steps[i-1].truth.T > 1000 {
			gaps++
		}
		p := planeAt(54, 3)
		if d := p.xy([2]float64{s.fix.Lng, s.fix.Lat}).len(); d > 29 && d < 31 {
			spikes++
		} else if d > 0.01 {
			t.Fatalf("off by %.2f m without a spike", d)
		}
	}
	// 5.6 hours: about 111 gaps, and 111 spikes of 2 fixes on average.
	if gaps < 70 || gaps > 160 || spikes < 130 || spikes > 330 {
		t.Errorf("%d gaps and %d fixes in spikes", gaps, spikes)
	}
}

func TestRecordedWalksAreCarriedOut(t *testing.T) {
	dir := dataDir(t)
	floor, err := os.ReadFile(filepath.Join(dir, "malls/hz-xixi-intime/floors/F1.geojson"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMap(floor)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "malls/hz-xixi-intime/traces/interpolated-1hz/F1/*.ndjson"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no traces: %v", err)
	}
	for i, file := range files[:min(40, len(files))] {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		w, err := NewTraceWalker(f, m, Options{Seed: uint64(i), Start: start})
		_ = f.Close()
		steps := walk(t, w, err)
		first, last := steps[0], steps[len(steps)-1]
		if first.truth.Synthetic || !last.truth.Synthetic || last.truth.Inside || last.truth.BoundaryM < 60 {
			t.Errorf("%s: begins %+v, ends %+v", filepath.Base(file), first.truth, last.truth)
		}
		if first.truth.T != start.UnixMilli() {
			t.Errorf("%s starts at %d", filepath.Base(file), first.truth.T)
		}
	}
}

func TestMallsCanBeWalked(t *testing.T) {
	dir := dataDir(t)
	for _, file := range []string{"malls/hz-xixi-intime/floors/B1.geojson", "malls/hz-xixi-intime/floors/F3.geojson", "osm-indoor/caserne-de-bonne/floors/L0.geojson"} {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		m, err := ParseMap(raw)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(10) {
			w, err := NewWalker(m, Options{Seed: seed, Start: start, Every: 250 * time.Millisecond, Plan: VisitPlan{Inside: 3 * time.Minute}})
			steps := walk(t, w, err)
			if n, inside := visits(steps); n != 1 || inside < 170*time.Second || inside > 190*time.Second {
				t.Errorf("%s, seed %d: %d visits of %v", file, seed, n, inside)
			}
			if last := steps[len(steps)-1].truth; last.BoundaryM < 60 {
				t.Errorf("%s, seed %d: ends %.1f m outside", file, seed, last.BoundaryM)
			}
		}
	}
}

// dataDir is the folder of real maps; without it the test is skipped, but not in CI.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DOORSTEP_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the data folder is missing: set DOORSTEP_DATA")
		}
		t.Skip("the data folder is missing: set DOORSTEP_DATA to run this")
	}
	return dir
}

func TestWhatCannotBeWalked(t *testing.T) {
	for name, doc := range map[string]string{
		"no JSON": `{`, "no boundary": `{"levels":[]}`, "no area": `{"levels":[{"ordinal":0,"boundary":[[[[3,54],[3,54],[3,54],[3,54]]]]}]}`,
		"bad coordinates": `{"type":"FeatureCollection","features":[{"properties":{"kind":"boundary"},"geometry":{"type":"Polygon","coordinates":3}}]}`,
	} {
		if _, err := ParseMap([]byte(doc)); !errors.Is(err, ErrMap) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, lines := range map[string]string{
		"nothing": "", "one line": `{"t":1,"lat":1,"lng":1}`, "no JSON": "x", "no place": `{"t":1}`,
		"backwards": `{"t":2,"lat":1,"lng":1}` + "\n" + `{"t":1,"lat":1,"lng":1}`, "off the earth": `{"t":1,"lat":91,"lng":1}`,
	} {
		if _, err := NewTraceWalker(strings.NewReader(lines), nil, Options{}); !errors.Is(err, ErrTrace) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
