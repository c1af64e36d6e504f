// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"
	"strings"

	"doorstep/geofence"
	"doorstep/tracking/server/problem"
)

// What everyone may read, without a token and without saying who they are: the way to the pages, which
// stores there are, their fences, maps and cards (whole, so that no request reveals a zone or a level),
// the rules, the time.

const immutable = "public, max-age=31536000, immutable"

// front shows a person the way to the pages. A program that asks for what is not there is told so.
func (s *Server) front(pages http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept")
		if !strings.Contains(r.Header.Get("Accept"), "text/html") {
			s.unknown(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	}
}

type storeEntry struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Fence string     `json:"fence"`
	BBox  [4]float64 `json:"bbox"`
	Open  bool       `json:"open"`
	Hours string     `json:"hours,omitempty"` // as OpenStreetMap writes them, with their time zone; none: always
	Zone  string     `json:"zone,omitempty"`
}

func (s *Server) stores(w http.ResponseWriter, _ *http.Request) {
	list := []storeEntry{}
	for _, x := range s.Atlas.All() {
		site := x.Site()
		hours, _ := s.Atlas.Hours(site.ID)
		list = append(list, storeEntry{site.ID, site.Name, site.Version, bbox(site),
			s.Atlas.Open(site.ID, s.Now()), hours.String(), hours.Zone()})
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	s.answer(w, map[string]any{"stores": list})
}

// bbox is west, south, east, north of all levels, in degrees.
func bbox(site *geofence.Site) [4]float64 {
	b := [4]float64{180, 90, -180, -90}
	for _, level := range site.Levels {
		for _, part := range level.Boundary {
			for _, p := range part[0] {
				b[0], b[1] = min(b[0], p.Lng), min(b[1], p.Lat)
				b[2], b[3] = max(b[2], p.Lng), max(b[3], p.Lat)
			}
		}
	}
	return b
}

// versioned finds the store and the version of its map that a path names.
func (s *Server) versioned(r *http.Request) (*geofence.Index, error) {
	x, ok := s.Atlas.Index(r.PathValue("id"))
	if !ok {
		return nil, problem.New(problem.NoStore)
	}
	if x.Site().Version != r.PathValue("version") {
		return nil, problem.New(problem.NoMap)
	}
	return x, nil
}

func (s *Server) fence(w http.ResponseWriter, r *http.Request) {
	x, err := s.versioned(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	b, err := s.fenceOf(x)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", immutable)
	_, _ = w.Write(b)
}

func (s *Server) cards(w http.ResponseWriter, r *http.Request) {
	store := r.PathValue("store")
	if _, ok := s.Atlas.Index(store); !ok {
		s.fail(w, r, problem.New(problem.NoStore))
		return
	}
	body, err := s.dealt(store)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	s.answer(w, body)
}

func (s *Server) time(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, map[string]int64{"t": s.Now().UnixMilli()})
}

func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(s.Ledger.Keys().JWKS())
}
