// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"

	"doorstep/consent"
)

// journalEntry is one read of something about a shopper, as the shopper may see it.
type journalEntry struct {
	Kind    consent.ReadKind `json:"kind"`
	OpenedT int64            `json:"opened_t"`
	ClosedT int64            `json:"closed_t,omitempty"`
	Role    string           `json:"role"`
	Team    string           `json:"team"`
	Company string           `json:"company"`         // whose staff, or who received it: of a webhook, the name that the controller gave the receiver
	Other   bool             `json:"other,omitempty"` // it is not the controller
	Store   string           `json:"store"`
	Purpose string           `json:"purpose"`
	Fields  []string         `json:"fields"`
	Count   int64            `json:"count"`
	Reason  string           `json:"reason,omitempty"`
	People  int              `json:"people"`
}

type journalAnswer struct {
	Entries []journalEntry `json:"entries"`
	// Employees says that the entries name nobody, and Contact where to ask if a name is needed to pursue a right: who
	// they were is the controller's to weigh against what that employee may expect (CJEU C-579/21).
	Employees string `json:"employees"`
	Contact   string `json:"contact"`
	Next      string `json:"next,omitempty"`
}

// journal is who read what: when, in which role, for what, and for which company. No employee is named.
func (s *Server) journal(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, err := s.shoppers.Shopper(r)
	if err != nil {
		return nil, err
	}
	subject := s.Ledger.Keys().Subject(who.Subject)
	if err := s.byOwner.Allow(string(subject)); err != nil {
		return nil, err
	}
	page, next, err := s.Ledger.JournalAfter(r.Context(), subject, r.URL.Query().Get("after"))
	if err != nil {
		return nil, err
	}
	controller := s.Ledger.Registry().Controller
	a := journalAnswer{Entries: make([]journalEntry, 0, len(page)), Employees: "withheld", Contact: controller.Contact, Next: next}
	for _, r := range page {
		a.Entries = append(a.Entries, entryOf(r, controller.Name))
	}
	return a, nil
}

func entryOf(r consent.Read, controller string) journalEntry {
	e := journalEntry{Kind: r.Kind, OpenedT: r.OpenedAt.UnixMilli(), Role: r.Role, Team: r.Team, Company: r.Company, Other: r.Company != "" && r.Kind != consent.WebhookRead,
		Store: r.Store, Purpose: r.Purpose, Fields: r.Fields, Count: r.Count, Reason: r.Reason, People: r.People}
	if e.Company == "" {
		e.Company = controller
	}
	if !r.ClosedAt.IsZero() {
		e.ClosedT = r.ClosedAt.UnixMilli()
	}
	return e
}
