// SPDX-License-Identifier: Apache-2.0

package geofence

import "errors"

// Place is where a point fell.
type Place struct {
	Valid      bool // the point is a number in range; nothing else holds otherwise
	Inside     bool
	DistM      float64
	Level      int
	LevelKnown bool
	N          int
	Zones      [4]*Zone
}

// Index answers where a point lies in one site.
type Index struct{ site *Site }

// NewIndex builds the index of a loaded site.
func NewIndex(s *Site) (*Index, error) {
	if s == nil || len(s.Levels) == 0 {
		return nil, errors.New("geofence: a site without levels cannot be indexed")
	}
	return &Index{site: s}, nil
}

// Site is the map this index was built from.
func (x *Index) Site() *Site { return x.site }

// Locate says where p lies.
func (x *Index) Locate(p LatLng, level int, hasLevel bool) Place { return Place{} }

// Distance is the exact signed distance in metres from p to the boundary, negative inside.
func (x *Index) Distance(p LatLng, level int, hasLevel bool) float64 { return 0 }

// Fence is the canonical JSON that phones fetch.
func (x *Index) Fence() ([]byte, error) { return nil, errors.New("geofence: not built") }
