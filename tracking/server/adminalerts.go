// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
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

// rulesText are a store's rules, checked against the map and the registry: what would never raise anything, or what nobody has agreed to,
// is refused.
func (s *Server) rulesText() storeText {
	return storeText{most: alertRulesMost, bad: problem.BadRules,
		read: func(x *geofence.Index, text []byte) (any, error) { return rulebook.Read(text, s.rulesKnow(x)) },
		set: func(ctx context.Context, store, text, by string) error {
			return s.Stores.SetRules(ctx, store, text, by)
		}}
}

// rulesKnow is what a store's rules are held against.
func (s *Server) rulesKnow(x *geofence.Index) rulebook.Known {
	return rulebook.Known{Zones: rulebook.ZonesOf(x.Site()), Purposes: s.Ledger.Registry().Telling(consent.ZoneData)}
}
