// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"errors"
	"math"
	"math/rand/v2"

	"doorstep/geofence"
)

// A spot is a place to be, and what the fence says of it: looked up once, so that the reference costs next to nothing
// while the server is measured.
type spot struct {
	at    geofence.LatLng
	place geofence.Place
}

// A stand is where one phone spends its visit: shifting from foot to foot well inside the store, and, near an edge of
// it, one step outside.
type stand struct {
	in  [4]spot
	out *spot // nil if this phone never leaves
}

// floor is the level of a store that shoppers of a measurement are on.
type floor struct {
	index *geofence.Index
	level int
	frame geofence.Frame
	lo    [2]float64 // metres in the store's frame
	hi    [2]float64
}

// newFloor takes the level nearest to the ground.
func newFloor(x *geofence.Index) *floor {
	site := x.Site()
	f := &floor{index: x, frame: site.Frame(), lo: [2]float64{math.Inf(1), math.Inf(1)}, hi: [2]float64{math.Inf(-1), math.Inf(-1)}}
	ground := site.Levels[0]
	for _, l := range site.Levels {
		if max(l.Ordinal, -l.Ordinal) < max(ground.Ordinal, -ground.Ordinal) {
			ground = l
		}
	}
	f.level = ground.Ordinal
	for _, part := range ground.Boundary {
		for _, p := range part[0] {
			x, y := f.frame.XY(p)
			f.lo[0], f.lo[1] = min(f.lo[0], x), min(f.lo[1], y)
			f.hi[0], f.hi[1] = max(f.hi[0], x), max(f.hi[1], y)
		}
	}
	return f
}

// Metres. A phone states 5; the fence believes a fix outside that is farther than what it states, and ends a visit
// by one that is farther than 100.
const (
	stated    = 5
	shift     = 0.8
	wellIn    = 3.0
	doorstep  = 14.0
	outAtMost = 60.0
)

const tries = 20_000

var errNoRoom = errors.New("the map has no place where a shopper could stand; try another one")

// look is the spot at metres of the store's frame, to as many digits as phones send.
func (f *floor) look(x, y float64) spot {
	p := f.frame.LatLng(x, y)
	p.Lat, p.Lng = math.Round(p.Lat*1e7)/1e7, math.Round(p.Lng*1e7)/1e7
	return spot{p, f.index.Locate(p, f.level, true)}
}

// seen reports whether staff may be shown somebody there.
func (s spot) seen() bool {
	for _, z := range s.place.Zones[:s.place.N] {
		if z.Sensitive {
			return false
		}
	}
	return s.place.Inside && s.place.DistM < -wellIn
}

// stand finds a place, with a way out if there is to be one.
func (f *floor) stand(rng *rand.Rand, leaves bool) (st stand, err error) {
	for range tries {
		x := f.lo[0] + rng.Float64()*(f.hi[0]-f.lo[0])
		y := f.lo[1] + rng.Float64()*(f.hi[1]-f.lo[1])
		fits := true
		for i := range st.in {
			st.in[i] = f.look(x+shift*float64(i&1), y+shift*float64(i>>1))
			fits = fits && st.in[i].seen()
		}
		if !fits {
			continue
		}
		if !leaves {
			return st, nil
		}
		if st.out = f.wayOut(rng, x, y); st.out != nil {
			return st, nil
		}
	}
	return st, errNoRoom
}

// wayOut is a spot outside that is a step away; nil if there is none.
func (f *floor) wayOut(rng *rand.Rand, x, y float64) *spot {
	a := rng.Float64() * 2 * math.Pi
	s := f.look(x+doorstep*math.Cos(a), y+doorstep*math.Sin(a))
	if s.place.Inside || s.place.DistM < stated+1 || s.place.DistM > outAtMost {
		return nil
	}
	return &s
}
