// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/json"
	"net/http"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/rulebook"
	"doorstep/tracking/server/problem"
)

// alertRulesMost is the longest book of rules that is taken, in bytes.
const alertRulesMost = 64 << 10

// alertRules answers a store's own rules about alerts, as they are in force.
func (s *Server) alertRules(r *http.Request, _ string) (any, error) {
	id := r.PathValue("id")
	if err := s.haveStore(id); err != nil {
		return nil, err
	}
	book := s.Atlas.Book(id)
	if book == nil {
		book = &rulebook.Book{}
	}
	return book, nil
}

// putAlertRules takes rules, checked against the map and the registry: what would never raise anything, or what nobody has agreed to, is
// refused with every mistake in it. They are in force on this node when it is answered.
func (s *Server) putAlertRules(r *http.Request, by string) (any, error) {
	id := r.PathValue("id")
	x, ok := s.Atlas.Index(id)
	if !ok {
		return nil, problem.New(problem.NoStore)
	}
	text, err := wholeBody(r, alertRulesMost)
	if err != nil {
		return nil, err
	}
	book, err := rulebook.Read(text, s.rulesKnow(x))
	if err != nil {
		return nil, problem.New(problem.BadRules).WithDetail(err.Error())
	}
	kept, err := json.Marshal(book)
	if err != nil {
		return nil, err
	}
	if err := s.Stores.SetRules(r.Context(), id, string(kept), by); err != nil {
		return nil, err
	}
	if _, err := s.inForce(r, id); err != nil {
		return nil, err
	}
	return book, nil
}

func (s *Server) withdrawAlertRules(r *http.Request, by string) (any, error) {
	id := r.PathValue("id")
	if err := s.haveStore(id); err != nil {
		return nil, err
	}
	if err := s.Stores.SetRules(r.Context(), id, "", by); err != nil {
		return nil, err
	}
	return nil, s.Node.ReadStores(r.Context())
}

// rulesKnow is what a store's rules are held against.
func (s *Server) rulesKnow(x *geofence.Index) rulebook.Known {
	return rulebook.Known{Zones: rulebook.ZonesOf(x.Site()), Purposes: s.Ledger.Registry().Telling(consent.ZoneData)}
}
