// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"bufio"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// walk is a true path at 1 Hz on one level. exit is the first index truly outside, or its length.
type walk struct {
	level int
	t     []int64
	at    []LatLng
	exit  int
}

// mallWalks are the surveyed walks (interpolated to 1 Hz), in a fixed order. They never leave.
func mallWalks(t testing.TB) []walk {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dataDir(t), "malls/hz-xixi-intime/traces/interpolated-1hz/*/*.ndjson"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no walks: %v", err)
	}
	slices.Sort(names)
	var out []walk
	for _, n := range names {
		out = append(out, readWalk(t, n))
	}
	return out
}

func readWalk(t testing.TB, name string) (w walk) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var row struct {
			T        int64
			Lat, Lng float64
			Floor    int
		}
		if err := json.Unmarshal(sc.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		w.level = row.Floor
		w.t = append(w.t, row.T)
		w.at = append(w.at, LatLng{row.Lat, row.Lng})
	}
	w.exit = len(w.at)
	return w
}

// out continues a walk at 1.2 m/s through the nearest edge and 90 m on. This part is synthetic.
func (w walk) out(x *Index) walk {
	pl := &x.plane
	l := &x.levels[x.levelOf(w.level, true)]
	p := pl.xy(w.at[len(w.at)-1])
	to, best := vec{}, math.Inf(1)
	for a := 0.0; a < 2*math.Pi; a += math.Pi / 36 { // the direction that is soonest out for good
		dir := vec{math.Cos(a), math.Sin(a)}
		last := 0.0
		for d := 0.0; d < 400; d++ {
			if l.near.area.contains(pl.latLng(vec{p.x + dir.x*d, p.y + dir.y*d})) {
				last = d
			}
		}
		if last < best {
			to, best = dir, last
		}
	}
	v := walk{level: w.level, t: slices.Clone(w.t), at: slices.Clone(w.at), exit: math.MaxInt}
	for d := 1.2; d < best+90; d += 1.2 {
		q := pl.latLng(vec{p.x + to.x*d, p.y + to.y*d})
		if v.exit == math.MaxInt && d > best && !l.near.area.contains(q) {
			v.exit = len(v.at)
		}
		v.t, v.at = append(v.t, v.t[len(v.t)-1]+1000), append(v.at, q)
	}
	v.exit = min(v.exit, len(v.at))
	return v
}

// phone reports a walk as an optimistic phone would: its error drifts (first-order, with the given
// memory in seconds), jumps now and then, and lies within the stated accuracy about 60 % of the time.
type phone struct {
	rng    *rand.Rand
	sigma  float64 // of the error along each axis, metres
	memory float64 // seconds
	jump   float64 // chance per fix of a jump of 20–60 m
	twice  float64 // chance that a fix is delivered twice
}

func (ph phone) fixes(w walk, k plane) []Fix {
	e := vec{ph.rng.NormFloat64() * ph.sigma, ph.rng.NormFloat64() * ph.sigma}
	keep := math.Exp(-1 / ph.memory)
	var out []Fix
	for i, p := range w.at {
		s := ph.sigma * math.Sqrt(1-keep*keep)
		e = vec{e.x*keep + s*ph.rng.NormFloat64(), e.y*keep + s*ph.rng.NormFloat64()}
		now := e
		if ph.rng.Float64() < ph.jump {
			a, d := ph.rng.Float64()*2*math.Pi, 20+40*ph.rng.Float64()
			now = vec{e.x + d*math.Cos(a), e.y + d*math.Sin(a)}
		}
		q := k.xy(p)
		f := Fix{
			Seq: int64(len(out) + 1), T: w.t[i], At: k.latLng(vec{q.x + now.x, q.y + now.y}),
			AccuracyM: max(3, ph.sigma*1.35*(0.6+0.8*ph.rng.Float64())), Level: w.level, HasLevel: true, Precise: true,
		}
		out = append(out, f)
		if ph.rng.Float64() < ph.twice {
			f.Seq++
			out = append(out, f)
		}
	}
	return out
}
