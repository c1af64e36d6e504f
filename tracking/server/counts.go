// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"
	"time"

	"doorstep/consent"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/problem"
)

// countsBack is how far back zone counts are told.
const countsBack = 24 * time.Hour

// ofThoseSharing says who was counted: not those present.
const ofThoseSharing = "of those sharing"

type countedZone struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Level int    `json:"level"`
}

// countedWindow tells which zones were not few. The others were.
type countedWindow struct {
	OpenedT  int64    `json:"opened_t"`
	ClosedT  int64    `json:"closed_t"`
	Withheld bool     `json:"withheld,omitempty"` // the map was replaced within it
	Fence    string   `json:"fence,omitempty"`    // version of the map whose zones these are
	Some     []string `json:"some"`
	Many     []string `json:"many"`
}

type countsAnswer struct {
	Store   string            `json:"store"`
	Of      string            `json:"of"` // the people counted: those sharing, not those present
	Bands   map[string]string `json:"bands"`
	Zones   []countedZone     `json:"zones"`
	Windows []countedWindow   `json:"windows"`
}

// counts tells a lead of a store how many of those sharing were in each zone, as bands of closed windows. It
// takes no question: there is one answer, the same for everyone who may have it.
func (s *Server) counts(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, _, err := s.staff.Staff(r)
	if err != nil {
		return nil, err
	}
	if err := who.May(auth.RoleLead, auth.RoleAdmin); err != nil {
		return nil, err
	}
	x, ok := s.Atlas.Index(who.Store)
	if !ok {
		return nil, problem.New(problem.NoStore)
	}
	windows, err := s.Ledger.Counts(r.Context(), who.Store, s.Now().Add(-countsBack))
	if err != nil {
		return nil, err
	}
	a := countsAnswer{Store: who.Store, Of: ofThoseSharing,
		Bands: map[string]string{string(consent.Few): "0–9", string(consent.Some): "10–24", string(consent.Many): "25 or more"},
		Zones: []countedZone{}, Windows: make([]countedWindow, 0, len(windows))}
	for _, level := range x.Site().Levels {
		for _, z := range level.Zones {
			if !z.Sensitive {
				a.Zones = append(a.Zones, countedZone{z.ID, z.Name, z.Level})
			}
		}
	}
	for _, w := range windows {
		a.Windows = append(a.Windows, windowOf(w))
	}
	return a, nil
}

func windowOf(w consent.CountedWindow) countedWindow {
	return countedWindow{OpenedT: w.Window.UnixMilli(), ClosedT: w.Window.Add(consent.CountWindow).UnixMilli(),
		Withheld: w.Map == "", Fence: w.Map, Some: w.In(consent.Some), Many: w.In(consent.Many)}
}
