// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"doorstep/consent"
	"doorstep/tracking/server/problem"
)

// What administrators do in pairs: one asks, another one approves. Each is kept with the pseudonyms of both.

type holdBody struct {
	ID       string `json:"id"`
	Store    string `json:"store"`
	FromT    int64  `json:"from_t"`
	ToT      int64  `json:"to_t"`
	LogIndex *int64 `json:"log_index"`
	Reason   string `json:"reason"`
	UntilT   int64  `json:"until_t"`
}

type holdAnswer struct {
	ID       string `json:"id"`
	Store    string `json:"store,omitempty"`
	FromT    int64  `json:"from_t,omitempty"`
	ToT      int64  `json:"to_t,omitempty"`
	LogIndex *int64 `json:"log_index,omitempty"`
	Reason   string `json:"reason"`
	SinceT   int64  `json:"since_t"`
	UntilT   int64  `json:"until_t"`
	By       string `json:"by"`
	Approved string `json:"approved"`
	LiftedT  int64  `json:"lifted_t,omitempty"`
	LiftedBy string `json:"lifted_by,omitempty"`
}

// askHold asks for a legal hold. It is nothing until somebody else approves it.
func (s *Server) askHold(r *http.Request, by string) (any, error) {
	b, err := body[holdBody](r)
	if err != nil {
		return nil, err
	}
	for name, t := range map[string]int64{"from_t": b.FromT, "to_t": b.ToT, "until_t": b.UntilT} {
		if t != 0 && !isTime(t) {
			return nil, problem.New(problem.Request).WithDetail(name + notTime)
		}
	}
	h := consent.Hold{ID: b.ID, Store: b.Store, From: fromMS(b.FromT), To: fromMS(b.ToT), Leaf: b.LogIndex, Reason: b.Reason, Until: fromMS(b.UntilT)}
	return nil, s.Ledger.AskHold(r.Context(), h, by)
}

func (s *Server) approveHold(r *http.Request, by string) (any, error) {
	h, err := s.Ledger.ApproveHold(r.Context(), r.PathValue("id"), by)
	if err != nil {
		return nil, err
	}
	return holdOf(h), nil
}

func (s *Server) liftHold(r *http.Request, by string) (any, error) {
	return nil, s.Ledger.LiftHold(r.Context(), r.PathValue("id"), by)
}

func (s *Server) holds(r *http.Request, _ string) (any, error) {
	list, err := s.Ledger.Holds(r.Context())
	if err != nil {
		return nil, err
	}
	holds := make([]holdAnswer, 0, len(list))
	for _, h := range list {
		holds = append(holds, holdOf(h))
	}
	return map[string]any{"holds": holds}, nil
}

func holdOf(h consent.Hold) holdAnswer {
	return holdAnswer{ID: h.ID, Store: h.Store, FromT: ms(h.From), ToT: ms(h.To), LogIndex: h.Leaf, Reason: h.Reason, SinceT: ms(h.Since),
		UntilT: ms(h.Until), By: h.By, Approved: h.Approved, LiftedT: ms(h.LiftedAt), LiftedBy: h.LiftedBy}
}

type disclosureBody struct {
	ID        string   `json:"id"`
	Shopper   string   `json:"shopper"` // the retailer's id of them, as in a token
	Store     string   `json:"store"`
	Purpose   string   `json:"purpose"`
	Recipient string   `json:"recipient"`
	Reason    string   `json:"reason"`
	Fields    []string `json:"fields"`
	Refused   bool     `json:"refused"`
}

// askDisclosure asks to hand something over to somebody outside, or records that this was refused.
func (s *Server) askDisclosure(r *http.Request, by string) (any, error) {
	b, err := body[disclosureBody](r)
	if err != nil {
		return nil, err
	}
	if !isUUID(b.ID) {
		return nil, problem.New(problem.Request).WithDetail("id is a UUID of 36 characters")
	}
	if mentions(b.Reason, b.Shopper) || mentions(b.Recipient, b.Shopper) {
		return nil, problem.New(problem.Request).WithDetail("reason and recipient stay for three years, also after an erasure: leave out whom it is about, " +
			"and write by which law and under which file number")
	}
	d := consent.Disclosure{ID: b.ID, Store: b.Store, Purpose: b.Purpose, Recipient: b.Recipient, Reason: b.Reason, Fields: b.Fields, Refused: b.Refused}
	if b.Shopper != "" {
		d.Subject = s.Ledger.Keys().Subject(b.Shopper)
	}
	if err := s.checkStore(r.Context(), d); err != nil {
		return nil, err
	}
	return nil, s.Ledger.AskDisclosure(r.Context(), d, by)
}

// checkStore refuses a disclosure about a store of which this server has no map, and the shopper no record.
func (s *Server) checkStore(ctx context.Context, d consent.Disclosure) error {
	if _, mapped := s.Atlas.Index(d.Store); d.Store != "" && !mapped {
		on, err := s.Ledger.OnRecord(ctx, d.Subject, d.Store, "")
		if err != nil {
			return err
		}
		if !on {
			return problem.New(problem.Request).WithDetail("store: this server has no such store, and the shopper no record of it: leave it out, or correct it")
		}
	}
	return nil
}

// mentions reports whether a text has the id of a shopper in it as a word, or an address of electronic mail, which says who it is.
func mentions(text, id string) bool {
	if strings.Contains(text, "@") {
		return true
	}
	word, err := regexp.MatchString(`(?i)(^|[^\pL\pN])`+regexp.QuoteMeta(id)+`($|[^\pL\pN])`, text)
	return id != "" && (word || err != nil) // an id that no pattern can hold is not looked for, and so not let pass
}

// approveDisclosure enters it into the shopper's journal. Nothing may be handed over before this has answered.
func (s *Server) approveDisclosure(r *http.Request, by string) (any, error) {
	d, err := s.Ledger.ApproveDisclosure(r.Context(), r.PathValue("id"), by, s.checkStore)
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": d.ID, "recipient": d.Recipient, "fields": d.Fields, "by": d.By, "approved": d.Approved, "entered_t": ms(d.At)}, nil
}
