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
	"sync"
	"testing"
)

// walk is a true path at 1 Hz on one level.
type walk struct {
	level  int
	t      []int64
	at     []LatLng
	exit   int    // the first index truly outside, or its length
	inside int    // how much of it was walked before leaving
	middle LatLng // of the building
}

// recordedAt is where the error of step i comes from: errors made inside are carried out of the door
// as they are, beginning again from the walk's first.
func (w walk) recordedAt(i int) LatLng { return w.at[i%w.inside] }

// ground is a building with people in it.
type ground struct {
	name             string
	x                *Index
	staying, leaving []walk // leaving: the same walks, continued out of the building
}

// mall has the surveyed walks of a minute or more: 97 of them, two hours. It is made once.
func mall(t testing.TB) ground {
	t.Helper()
	dataDir(t) // or this test is skipped, and the next one would find nothing
	theMall.Do(func() {
		g := ground{name: "mall", x: mustIndex(t, mustLoad(t, "xixi", sources(t, "malls/hz-xixi-intime/floors/*.geojson")...))}
		for _, w := range mallWalks(t) {
			if len(w.at) >= 60 {
				g.staying = append(g.staying, w)
			}
		}
		theMall.ground = g.open()
	})
	if len(theMall.staying) < 50 {
		t.Fatalf("only %d walks", len(theMall.staying))
	}
	return theMall.ground
}

var theMall struct {
	sync.Once
	ground
}

// smallStores are two buildings of some 3,000 m², with n made-up walks of two minutes in each.
func smallStores(t testing.TB, n int, seed uint64) (gs []ground) {
	for _, b := range [][2]string{{"footprints/bled-supermarkets.geojson", "way/282213616"}, {"footprints/bangalore-malls.geojson", "way/147558630"}} {
		s, _, err := LoadWith("shop", Options{BoundaryIDs: []string{b[1]}}, source(t, b[0]))
		if err != nil {
			t.Fatal(err)
		}
		g := ground{name: s.Name, x: mustIndex(t, s)}
		g.staying = shopWalks(g.x, n, 120, seed)
		gs = append(gs, g.open())
	}
	return gs
}

// open gives every walk its building's middle, and its way out.
func (g ground) open() ground {
	for i := range g.staying {
		w := &g.staying[i]
		b := g.x.levels[g.x.levelOf(w.level, true)].near.area.box
		w.middle = g.x.plane.latLng(vec{(b.lo.x + b.hi.x) / 2, (b.lo.y + b.hi.y) / 2})
		g.leaving = append(g.leaving, w.out(g.x))
	}
	return g
}

// mallWalks are the surveyed walks (interpolated to 1 Hz), in a fixed order. They never leave.
func mallWalks(t testing.TB) []walk {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dataDir(t), "malls/*/traces/interpolated-1hz/*/*.ndjson"))
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
	w.exit, w.inside = len(w.at), len(w.at)
	return w
}

// shopWalks are made-up walks in a small building: from one random point to another in a straight
// line, at 0.4–1.4 m/s, standing still for a while at each.
func shopWalks(x *Index, n, seconds int, seed uint64) (out []walk) {
	pl, l := &x.plane, &x.levels[0]
	for i := range n {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		at, to := l.spot(rng), vec{}
		w := walk{level: l.ordinal, inside: seconds, exit: seconds}
		for speed, wait := 0.0, 0; len(w.at) < seconds; {
			w.t, w.at = append(w.t, t0+1000*int64(len(w.at))), append(w.at, pl.latLng(at))
			if wait > 0 {
				wait--
				continue
			}
			far := math.Hypot(to.x-at.x, to.y-at.y)
			if speed == 0 || far < speed {
				to, speed, wait = l.straight(at, rng), 0.4+rng.Float64(), rng.IntN(8)*rng.IntN(2)
				continue
			}
			at = vec{at.x + (to.x-at.x)/far*speed, at.y + (to.y-at.y)/far*speed}
		}
		out = append(out, w)
	}
	return out
}

// spot is a random point a metre or more inside.
func (l *levelIndex) spot(rng *rand.Rand) vec {
	a := l.near.area
	for {
		p := vec{a.box.lo.x + rng.Float64()*(a.box.hi.x-a.box.lo.x), a.box.lo.y + rng.Float64()*(a.box.hi.y-a.box.lo.y)}
		if a.contains(a.plane.latLng(p)) && a.edgeDist(p) > 1 {
			return p
		}
	}
}

// straight is a random spot that can be reached without leaving.
func (l *levelIndex) straight(from vec, rng *rand.Rand) vec {
	for {
		to := l.spot(rng)
		ok := true
		for f := 0.05; f < 1 && ok; f += 0.05 {
			ok = l.near.area.contains(l.near.area.plane.latLng(vec{from.x + f*(to.x-from.x), from.y + f*(to.y-from.y)}))
		}
		if ok {
			return to
		}
	}
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
	v := walk{level: w.level, t: slices.Clone(w.t), at: slices.Clone(w.at), exit: math.MaxInt, inside: w.inside, middle: w.middle}
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
