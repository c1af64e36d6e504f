// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"math/rand/v2"
	"testing"
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

func BenchmarkLocate(b *testing.B) {
	for _, c := range []struct {
		name, pattern string
		level         int
		has           bool
	}{{"one level of 172 zones", "F1.geojson", 1, true}, {"one level of 711 zones", "B1.geojson", -1, true}, {"five levels, level given", "*.geojson", 1, true}, {"five levels, level unknown", "*.geojson", 0, false}} {
		b.Run(c.name, func(b *testing.B) {
			x := mustIndex(b, xixi(b, c.pattern))
			points := benchPoints(x)
			b.ReportAllocs()
			inside := 0
			i := 0
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

func BenchmarkNewIndex(b *testing.B) {
	for _, pattern := range []string{"F1.geojson", "B1.geojson"} {
		b.Run(pattern, func(b *testing.B) {
			s := xixi(b, pattern)
			b.ReportAllocs()
			for b.Loop() {
				mustIndex(b, s)
			}
		})
	}
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
