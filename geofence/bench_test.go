// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

func xixi(b testing.TB, pattern string) *Site {
	return mustLoad(b, "xixi", sources(b, "malls/hz-xixi-intime/floors/"+pattern)...)
}

// Points spread over the floor and a tenth of its width around it.
func benchPoints(x *Index) []LatLng {
	rng := rand.New(rand.NewPCG(1, 1))
	b := x.reach
	w, h := b.hi.x-b.lo.x, b.hi.y-b.lo.y
	out := make([]LatLng, 4096)
	for i := range out {
		out[i] = x.plane.latLng(vec{b.lo.x + w*(1.2*rng.Float64()-0.1), b.lo.y + h*(1.2*rng.Float64()-0.1)})
	}
	return out
}

// The busiest floor of the mall is B1, of 711 zones.
var benchCases = []struct {
	name, pattern string
	level         int
	has           bool
}{
	{"B1 alone, 711 zones", "malls/hz-xixi-intime/floors/B1.geojson", -1, true},
	{"F1 alone, 172 zones", "malls/hz-xixi-intime/floors/F1.geojson", 1, true},
	{"mall of 5, B1 given", "malls/hz-xixi-intime/floors/*.geojson", -1, true},
	{"mall of 5, level unknown", "malls/hz-xixi-intime/floors/*.geojson", 0, false},
	{"centre of 3, level unknown", "osm-indoor/caserne-de-bonne/floors/*.geojson", 9, true},
	{"offices of 7, level unknown", "wrld-westport-house/floors/*.geojson", 9, true},
}

func BenchmarkLocate(b *testing.B) {
	for _, c := range benchCases {
		b.Run(c.name, func(b *testing.B) {
			x := mustIndex(b, mustLoad(b, "bench", sources(b, c.pattern)...))
			points := benchPoints(x)
			b.ReportAllocs()
			inside, i := 0, 0
			for b.Loop() {
				if x.Locate(points[i%len(points)], c.level, c.has).Inside {
					inside++
				}
				i++
			}
			if inside == 0 {
				b.Fatal("nobody is inside")
			}
		})
	}
}

// One round over the same points by Locate, by the R-tree, and of conversions to H3 alone, in turns. Each
// figure is that of its fastest round, in ns for one position: what else the machine does only ever adds. x_rtree is how
// many times faster Locate is than the same work by the tree, x_rtree_nodist than the tree without the distance to the
// boundary, which Locate always gives.
func BenchmarkBesideRTree(b *testing.B) {
	for _, c := range benchCases {
		b.Run(c.name, func(b *testing.B) {
			s := mustLoad(b, "bench", sources(b, c.pattern)...)
			x, tree := mustIndex(b, s), newTreeIndex(s)
			points := benchPoints(x)[:1024] // short rounds, so that some go undisturbed
			var locate, search, bare, convert []float64
			for b.Loop() {
				locate = append(locate, timed(points, func(p LatLng) { x.Locate(p, c.level, c.has) }))
				search = append(search, timed(points, func(p LatLng) { tree.locate(p, c.level, c.has) }))
				bare = append(bare, timed(points, func(p LatLng) { tree.classify(p, c.level, c.has) }))
				convert = append(convert, timed(points, func(p LatLng) { cellOf(p, x.res) }))
			}
			b.ReportMetric(0, "ns/op") // of a round: says nothing
			b.ReportMetric(slices.Min(locate), "locate-ns")
			b.ReportMetric(slices.Min(search), "rtree-ns")
			b.ReportMetric(slices.Min(convert), "h3-ns")
			b.ReportMetric(slices.Min(search)/slices.Min(locate), "x_rtree")
			b.ReportMetric(slices.Min(bare)/slices.Min(locate), "x_rtree_nodist")
		})
	}
}

// timed is the ns that do takes for one point.
func timed(points []LatLng, do func(LatLng)) float64 {
	start := time.Now()
	for _, p := range points {
		do(p)
	}
	return float64(time.Since(start).Nanoseconds()) / float64(len(points))
}

// All cores at once on one index: it is only read.
func BenchmarkLocateParallel(b *testing.B) {
	x := mustIndex(b, xixi(b, "*.geojson"))
	points := benchPoints(x)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			x.Locate(points[i%len(points)], 0, false)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "positions/s")
}

// kept-B is what stays on the heap of an index, of everything it points to but the map.
func BenchmarkNewIndex(b *testing.B) {
	for _, pattern := range []string{"F1.geojson", "B1.geojson", "*.geojson"} {
		b.Run(pattern, func(b *testing.B) {
			s := xixi(b, pattern)
			kept := heapOf(func() any { return mustIndex(b, s) })
			b.ReportAllocs()
			for b.Loop() {
				mustIndex(b, s)
			}
			b.ReportMetric(float64(kept), "kept-B")
		})
	}
	b.Run("300 shops", func(b *testing.B) {
		s := shops(300)
		b.ReportAllocs()
		for b.Loop() {
			mustIndex(b, s)
		}
	})
}

// heapOf is the number of bytes that what build returns holds on the heap.
func heapOf(build func() any) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := build()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

func BenchmarkLoad(b *testing.B) {
	src := sources(b, "malls/hz-xixi-intime/floors/B1.geojson")
	b.ReportAllocs()
	for b.Loop() {
		mustLoad(b, "b1", src...)
	}
}

func BenchmarkStep(b *testing.B) {
	r, p := DefaultRules(), Presence{}
	shoes := &Zone{ID: "shoes", HalfWidthM: 6}
	f, at := Fix{T: t0, At: LatLng{54, 3}, AccuracyM: 8, Precise: true}, placeAt(-5, shoes)
	b.ReportAllocs()
	accepted := 0
	for b.Loop() {
		f.Seq++
		f.T += 1000
		var out Outcome
		if p, out = r.Step(p, f, at, f.T); out.Accepted {
			accepted++
		}
	}
	if accepted == 0 {
		b.Fatal("nothing was accepted")
	}
}
