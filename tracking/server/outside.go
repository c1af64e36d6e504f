// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"

	"doorstep/tracking"
	"doorstep/tracking/server/problem"
)

// deliveriesMost is how many deliveries of a state are listed.
const deliveriesMost = 200

// overOutside is administer for what the world outside is told, where that is kept.
func (s *Server) overOutside(f func(r *http.Request, by string) (any, error)) http.Handler {
	return s.administer(func(r *http.Request, by string) (any, error) {
		if s.Outside == nil {
			return nil, problem.New(problem.NotFound).WithDetail("this server tells nobody outside")
		}
		return f(r, by)
	})
}

// delivery is one as operators see it: what and to whom, and nothing by which a shopper could be found.
type delivery struct {
	ID        string                 `json:"id"`
	Endpoint  string                 `json:"endpoint"`
	Event     tracking.OutsideEvent  `json:"event"`
	Store     string                 `json:"store"`
	State     tracking.DeliveryState `json:"state"`
	Attempts  int                    `json:"attempts"`
	HappenedT int64                  `json:"happened_t"`
	DueT      int64                  `json:"due_t,omitempty"` // of the next attempt
	Fault     string                 `json:"fault,omitempty"`
}

// deliveries lists dead letters and what waits, the newest first.
func (s *Server) deliveries(r *http.Request, _ string) (any, error) {
	list := []delivery{}
	for _, state := range []tracking.DeliveryState{tracking.DeliveryDead, tracking.DeliveryWaits} {
		found, err := s.Outside.Deliveries(r.Context(), state, deliveriesMost)
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			one := delivery{ID: d.ID, Endpoint: d.Endpoint, Event: d.Event, Store: d.Store, State: d.State, Attempts: d.Attempts,
				HappenedT: d.At.UnixMilli(), Fault: d.Fault}
			if d.State == tracking.DeliveryWaits {
				one.DueT = d.Due.UnixMilli()
			}
			list = append(list, one)
		}
	}
	return map[string]any{"deliveries": list}, nil
}

// replay has a delivery sent again, if nothing has ended meanwhile: that is decided when it is sent.
func (s *Server) replay(r *http.Request, by string) (any, error) {
	if err := s.Outside.Replay(r.Context(), r.PathValue("id")); err != nil {
		return nil, err
	}
	s.Log.Info("a delivery is sent again", "by", by)
	return nil, nil
}
