// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"slices"
	"time"
)

// Registry is what a deployment declares: whose it is, what it collects, why, who reads it and how
// long it is kept, by which law, and the notices that say so. What is not in it is refused, and what
// is published is generated from it. It is immutable once loaded, and safe for concurrent use.
type Registry struct {
	// Trying, if not empty, says that this registry is for trying: any store may use it, and no
	// server with real shoppers starts on it. It is shown on the rules page.
	Trying        string         `json:"for_trying_only,omitempty"`
	Controller    Controller     `json:"controller"`
	Purposes      []Purpose      `json:"purposes"`
	DataTypes     []DataType     `json:"data_types"`
	Recipients    []Recipient    `json:"recipients"`
	Storage       []string       `json:"storage_locations"`
	Jurisdictions []Jurisdiction `json:"jurisdictions"`
	Default       string         `json:"default_jurisdiction"` // for a request that names none
	Withdrawal    string         `json:"withdrawal_method"`
	// Refusals are labels by language that are as plain a no as those that are known, in the eyes of whoever answers for it.
	Refusals  map[string][]string `json:"refusals,omitempty"`
	ProofDays int                 `json:"proof_days"` // how long a record and its receipt prove something
	Stores    []Premises          `json:"stores"`
	notices   []Notice
}

// Controller is who decides, and answers for it.
type Controller struct {
	ID      string            `json:"id"` // a URI; the issuer of receipts
	Name    string            `json:"name"`
	Names   map[string]string `json:"names,omitempty"` // that it goes by in other languages
	Contact string            `json:"contact"`
	Address string            `json:"address,omitempty"` // these three go into records, whose standard forms ask for them
	Email   string            `json:"email,omitempty"`
	Phone   string            `json:"phone,omitempty"`
}

// Purpose is one thing to decide about.
type Purpose struct {
	ID         string            `json:"id"`
	Title      map[string]string `json:"title"` // by language
	Use        string            `json:"use"`   // one of Uses
	Location   bool              `json:"location"`
	Data       []string          `json:"data"`       // ids of data types
	Recipients []string          `json:"recipients"` // ids of recipients
	TermDays   int               `json:"term_days"`  // life of a grant "for a term"
	VisitHours int               `json:"visit_hours"`
	// PocketMinutes, if not zero, makes it the decision to go on while the app is not on screen, for so long at a
	// time. It adds to the other purposes of a session, and opens none by itself.
	PocketMinutes int `json:"pocket_minutes,omitempty"`
}

// DataType is a kind of datum, with the frame fields that carry it and how long it is kept.
type DataType struct {
	ID        string            `json:"id"`
	Title     map[string]string `json:"title"`
	Fields    []string          `json:"fields"`
	Retention string            `json:"retention"` // ISO 8601 duration
}

// Recipient is a kind of reader.
type Recipient struct {
	ID    string            `json:"id"`
	Title map[string]string `json:"title"`
}

// Jurisdiction holds what the law of a place sets.
type Jurisdiction struct {
	ID                string   `json:"id"`
	MinAge            int      `json:"min_age"`
	QuietRefusedDays  int      `json:"quiet_refused_days"`  // no prompt for so long after a no
	QuietDeferredDays int      `json:"quiet_deferred_days"` // and after a not now
	MaxTermDays       int      `json:"max_term_days"`
	Authority         string   `json:"authority"`        // where to complain
	Covers            []string `json:"covers,omitempty"` // topics that a notice must cover here, beyond the usual ones
	// BansHealthGeofence: the law forbids a fence around places of health care (RCW 19.373.080).
	BansHealthGeofence bool `json:"bans_health_geofence,omitempty"`
}

// Uses are all that a purpose can serve: help that the shopper asks for. Selling or sharing data,
// advertising and profiles are not among them and cannot be declared (brief, 36; CCPA 1798.120).
var Uses = []string{"assistance", "appointment", "pickup", "accessibility", "safety"}

// Purpose looks one up.
func (r *Registry) Purpose(id string) (Purpose, bool) {
	return find(r.Purposes, func(p Purpose) bool { return p.ID == id })
}

// Telling are the purposes, and which of them use a data type.
func (r *Registry) Telling(dataType string) map[string]bool {
	all := make(map[string]bool, len(r.Purposes))
	for _, p := range r.Purposes {
		all[p.ID] = slices.Contains(p.Data, dataType)
	}
	return all
}

// Jurisdiction looks one up; the empty id means the default one.
func (r *Registry) Jurisdiction(id string) (Jurisdiction, bool) {
	if id == "" {
		id = r.Default
	}
	return find(r.Jurisdictions, func(j Jurisdiction) bool { return j.ID == id })
}

func (r *Registry) dataType(id string) (DataType, bool) {
	return find(r.DataTypes, func(d DataType) bool { return d.ID == id })
}

func (r *Registry) recipient(id string) (Recipient, bool) {
	return find(r.Recipients, func(x Recipient) bool { return x.ID == id })
}

func find[T any](list []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	var none T
	return none, false
}

// Pocket is for how long one of the purposes lets an app go on that is not on screen; 0 for none of them.
func (r *Registry) Pocket(purposes ...string) (longest time.Duration) {
	for _, id := range purposes {
		p, _ := r.Purpose(id)
		longest = max(longest, time.Duration(p.PocketMinutes)*time.Minute)
	}
	return longest
}

// Fields are the frame fields that the purposes declare, sorted: what may be collected for them if
// everything they declare is granted.
func (r *Registry) Fields(purposes ...string) []string {
	var data []string
	for _, id := range purposes {
		p, _ := r.Purpose(id)
		data = append(data, p.Data...)
	}
	return r.FieldsOf(data)
}

// FieldsOf are the frame fields that carry the data types, sorted.
func (r *Registry) FieldsOf(data []string) []string {
	out := []string{}
	for _, d := range data {
		t, _ := r.dataType(d)
		out = append(out, t.Fields...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Declared reports whether any purpose declares a frame field. What is not declared is refused as such, even
// with every consent there is; what is declared takes a grant (brief, 18).
func (r *Registry) Declared(field string) bool {
	for _, p := range r.Purposes {
		if slices.Contains(r.Fields(p.ID), field) {
			return true
		}
	}
	return false
}

// covers are the data types that a grant under a notice allows: those that the notice named and the
// purpose still declares. A notice that named not every recipient of today allows nothing until the shopper
// is asked anew: who reads the data cannot be told apart by whose consent they came under.
func (r *Registry) covers(n Notice) []string {
	p, ok := r.Purpose(n.Purpose)
	if !ok || !containsAll(n.Recipients, p.Recipients) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(n.Data), func(d string) bool { return !slices.Contains(p.Data, d) })
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// Notice is the one to serve: the newest version of a purpose in a language, for a jurisdiction.
// ErrPurpose, ErrJurisdiction or ErrLanguage if there is none.
func (r *Registry) Notice(purpose, lang, jurisdiction string) (Notice, error) {
	if _, ok := r.Purpose(purpose); !ok {
		return Notice{}, fmt.Errorf("%w: %q", ErrPurpose, purpose)
	}
	j, ok := r.Jurisdiction(jurisdiction)
	if !ok {
		return Notice{}, fmt.Errorf("%w: %q", ErrJurisdiction, jurisdiction)
	}
	var best *Notice
	for i, n := range r.notices {
		if n.Purpose == purpose && n.Lang == lang && slices.Contains(n.Jurisdictions, j.ID) && (best == nil || n.Version > best.Version) {
			best = &r.notices[i]
		}
	}
	if best == nil {
		return Notice{}, fmt.Errorf("%w: %q for %s in %s", ErrLanguage, lang, purpose, j.ID)
	}
	return *best, nil
}

// Term is how long a grant lives: for a choice, by the purpose, at most what the jurisdiction allows.
func (r *Registry) Term(p Purpose, j Jurisdiction, c Choice) time.Duration {
	if c == ThisVisit {
		return time.Duration(p.VisitHours) * time.Hour
	}
	return days(min(p.TermDays, j.MaxTermDays))
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
