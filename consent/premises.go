// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"slices"
	"time"
)

// Premises is what a registry says of one store: whose law holds there, which impact assessment was made
// before it went live, and whether health care is given in it.
type Premises struct {
	Store        string     `json:"store"` // its id; "*" is any store, in a registry for trying only
	Jurisdiction string     `json:"jurisdiction"`
	HealthCare   *bool      `json:"health_care,omitempty"`  // health care is given here; nil: not said
	HealthZones  []string   `json:"health_zones,omitempty"` // or in these zones of its map, by id
	Assessment   Assessment `json:"assessment"`
}

// Assessment refers to a data protection impact assessment (GDPR 35, PIPL 55–56). Dates are YYYY-MM-DD.
type Assessment struct {
	Reference string `json:"reference"`           // where the document is found
	Date      string `json:"date"`                // when it was made
	ReviewBy  string `json:"review_by,omitempty"` // when it is to be looked at again; usualReview after Date if not said
	KeptUntil string `json:"kept_until"`          // three years later, or more
}

// StoreFacts is what a map says of a store, as far as it matters for going live.
type StoreFacts struct {
	Store       string
	Zones       []string // ids
	HealthZones []string // those that are a place of health care by their kind
}

const anyStore = "*"

// PremisesOf is what the registry says of a store.
func (r *Registry) PremisesOf(store string) (Premises, bool) {
	if p, ok := find(r.Stores, func(p Premises) bool { return p.Store == store }); ok {
		return p, true
	}
	if r.Trying == "" {
		return Premises{}, false
	}
	p, ok := find(r.Stores, func(p Premises) bool { return p.Store == anyStore })
	p.Store = store
	return p, ok
}

// MayGoLive refuses a store that must not track anybody (brief, 21 and 22): ErrNotAssessed if no impact
// assessment of it is on record at the time, ErrHealthCare if health care is given in it, or in a zone of it, where
// the law forbids to fence that in, or if the registry leaves open whether it is.
func (r *Registry) MayGoLive(f StoreFacts, now time.Time) error {
	p, ok := r.PremisesOf(f.Store)
	if !ok {
		return fmt.Errorf("%w: the registry's stores do not name %q", ErrNotAssessed, f.Store)
	}
	j, ok := r.Jurisdiction(p.Jurisdiction)
	if !ok {
		return fmt.Errorf("%w: %q of store %s", ErrJurisdiction, p.Jurisdiction, f.Store)
	}
	p.HealthZones = append(slices.Clone(f.HealthZones), p.HealthZones...)
	for _, b := range slices.Concat(p.Assessment.missing(), p.Assessment.untimely(now), p.unlawful(j)) {
		return fmt.Errorf("%w: store %s: %s: %s", b.family, f.Store, b.member, b.says)
	}
	return nil
}

// placeOf is the jurisdiction of a store. The place decides, not the app: a request may name it, or
// leave it out, and is refused if it names another one, which could be laxer (ErrJurisdiction). Only a registry for
// trying, whose stores are anywhere, lets the request choose.
func (r *Registry) placeOf(store, asked string) (Jurisdiction, error) {
	p, ok := r.PremisesOf(store)
	id := p.Jurisdiction
	if !ok || id == "" {
		if r.Trying == "" {
			return Jurisdiction{}, fmt.Errorf("%w: the registry does not say where store %q is", ErrJurisdiction, store)
		}
		id = asked
	}
	j, known := r.Jurisdiction(id)
	switch {
	case !known:
		return Jurisdiction{}, fmt.Errorf("%w: %q", ErrJurisdiction, id)
	case asked != "" && asked != j.ID:
		return Jurisdiction{}, fmt.Errorf("%w: store %s is in %s, not in %q", ErrJurisdiction, store, j.ID, asked)
	}
	return j, nil
}

func day(s string) (time.Time, error) { return time.Parse(time.DateOnly, s) }
