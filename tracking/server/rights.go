// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
	"doorstep/tracking/server/problem"
)

// erasureWait is how long an erasure may take after the end that it begins with. Whoever gives up waiting repeats
// it with its id; so does the server by itself, if it dies in between.
const erasureWait = 10 * time.Second

type erasureBody struct {
	ID string `json:"id"`
}

type erasureAnswer struct {
	ID    string `json:"id"`
	Proof string `json:"proof"` // compact JWS
}

// erase ends everything of a shopper, everywhere, then destroys what is kept of them, and answers a signed proof.
func (s *Server) erase(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, err := s.installed(r)
	if err != nil {
		return nil, err
	}
	b, err := body[erasureBody](r)
	if err != nil {
		return nil, err
	}
	if !isUUID(b.ID) {
		return nil, problem.New(problem.Request).WithDetail("id is a UUID of 36 characters")
	}
	req, err := s.Ledger.ErasureRequest(b.ID, who.subject, who.installation)
	if err != nil {
		return nil, err
	}
	proof, err := s.Ledger.Erasure(r.Context(), b.ID, req)
	if errors.Is(err, consent.ErrNoErasure) {
		proof, err = s.eraseNow(r.Context(), b.ID, req)
	}
	if err != nil {
		return nil, err
	}
	return erasureAnswer{b.ID, proof}, nil
}

// eraseNow is an end like any other first, true everywhere before anything is removed: no node may still write
// what would then be nobody's.
func (s *Server) eraseNow(ctx context.Context, id string, req consent.EndRequest) (string, error) {
	if _, err := s.Node.End(ctx, req); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), erasureWait)
	defer cancel()
	err := s.Node.Hear(ctx) // the erasure takes out of the feed what this node may not have read yet
	var proof string
	if err == nil {
		proof, err = s.Ledger.Erase(ctx, id, req)
	}
	if err != nil { // recorded, and finished by whoever comes next
		return "", errors.Join(tracking.ErrNotComplete, err)
	}
	return proof, nil
}

type exportAnswer struct {
	T          int64            `json:"t"`
	Subject    consent.Ref      `json:"subject"` // as in receipts
	Decisions  []exportDecision `json:"decisions"`
	Ends       []exportEnd      `json:"ends"`
	Notices    []exportNotice   `json:"notices_served"`
	Scopes     []exportScope    `json:"scopes"`
	StopTokens []exportToken    `json:"stop_tokens"`
	Journal    []journalEntry   `json:"journal"`
	Visits     []exportVisit    `json:"visits"`
	Alerts     []exportAlert    `json:"alerts"`
	Requests   []exportRequest  `json:"requests"`
}

type exportDecision struct {
	Record   consent.Record `json:"record"`
	Choice   consent.Choice `json:"choice"`
	State    consent.State  `json:"state"`
	ExpiresT int64          `json:"expires_t,omitempty"`
	EndedT   int64          `json:"ended_t,omitempty"`
	Index    int64          `json:"log_index"`
	Receipt  string         `json:"receipt"`
	Forms    receiptForms   `json:"forms"`
}

type exportEnd struct {
	ID      string `json:"id"`
	T       int64  `json:"t"`
	Index   int64  `json:"log_index"`
	Receipt string `json:"receipt"`

	Forms receiptForms `json:"forms"`
}

// receiptForms are a receipt as other programs read it. Kantara's knows only what was given.
type receiptForms struct {
	DPV     json.RawMessage `json:"dpv"`
	Kantara json.RawMessage `json:"kantara,omitempty"`
}

func formsOf(receipt string) (f receiptForms, err error) {
	r, err := consent.ReadReceipt(receipt)
	if err != nil {
		return f, err
	}
	if f.DPV, err = r.As(consent.FormDPV); err != nil {
		return f, err
	}
	if f.Kantara, err = r.As(consent.FormKantara); errors.Is(err, consent.ErrRequest) {
		err = nil
	}
	return f, err
}

type exportNotice struct {
	Store    string `json:"store"`
	App      string `json:"app"`
	Purpose  string `json:"purpose"`
	Notice   string `json:"notice"` // hash
	Lang     string `json:"lang"`
	ServedT  int64  `json:"served_t"`
	ExpiresT int64  `json:"expires_t"`
}

type exportScope struct {
	Store        string             `json:"store"`
	Installation consent.Ref        `json:"installation"`
	Visit        string             `json:"visit"`
	Position     *tracking.Position `json:"position"` // null if there is none
}

type exportToken struct {
	Store  string `json:"store"`
	GivenT int64  `json:"given_t"`
}

type exportVisit struct {
	Store    string   `json:"store"`
	Purposes []string `json:"purposes"`
	FromT    int64    `json:"from_t"`
	ToT      int64    `json:"to_t,omitempty"`
}

type exportAlert struct {
	ID       string `json:"id"`
	Store    string `json:"store"`
	Kind     string `json:"kind"`
	Purpose  string `json:"purpose"`
	Topic    string `json:"topic,omitempty"`
	Ref      string `json:"ref,omitempty"`
	State    string `json:"state"`
	ShowMe   bool   `json:"show_me,omitempty"`
	Off      bool   `json:"location_off,omitempty"`
	RaisedT  int64  `json:"raised_t"`
	ChangedT int64  `json:"changed_t"`
}

type exportRequest struct {
	Kind      consent.MotionKind `json:"kind"`
	Store     string             `json:"store,omitempty"`
	Recipient string             `json:"recipient,omitempty"`
	Reason    string             `json:"reason"`
	Fields    []string           `json:"fields,omitempty"`
	AskedT    int64              `json:"asked_t"`
	UntilT    int64              `json:"until_t"`
	ApprovedT int64              `json:"approved_t,omitempty"`
}

// export is everything that is kept of the shopper who asks, the position that is there now included.
func (s *Server) export(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, err := s.installed(r)
	if err != nil {
		return nil, err
	}
	held, err := s.Ledger.Export(r.Context(), who.subject)
	if err != nil {
		return nil, err
	}
	positions, err := s.Node.Positions(r.Context(), held.Scopes)
	if err != nil {
		return nil, err
	}
	a := exportAnswer{T: s.Now().UnixMilli(), Subject: who.subject, Decisions: []exportDecision{}, Ends: []exportEnd{},
		Notices: []exportNotice{}, Scopes: []exportScope{}, StopTokens: []exportToken{}, Journal: []journalEntry{}, Visits: []exportVisit{},
		Alerts: []exportAlert{}, Requests: []exportRequest{}}
	return a, a.add(held, positions, s.Ledger.Registry().Controller.Name)
}

func (a *exportAnswer) add(held consent.Held, positions map[string]tracking.Position, controller string) error {
	for _, d := range held.Decisions {
		forms, err := formsOf(d.Receipt)
		if err != nil {
			return err
		}
		a.Decisions = append(a.Decisions, exportDecision{d.Record, d.Choice, d.State, ms(d.ExpiresAt), ms(d.EndedAt), d.Index, d.Receipt, forms})
	}
	for _, e := range held.Ends {
		forms, err := formsOf(e.Receipt)
		if err != nil {
			return err
		}
		a.Ends = append(a.Ends, exportEnd{e.ID, ms(e.At), e.Index, e.Receipt, forms})
	}
	for _, n := range held.Pending {
		a.Notices = append(a.Notices, exportNotice{n.Scope.Store, n.App, n.Purpose, n.Notice, n.Lang, ms(n.At), ms(n.ExpiresAt)})
	}
	for _, h := range held.Scopes {
		e := exportScope{Store: h.Scope.Store, Installation: h.Scope.Installation, Visit: h.Visit}
		if p, ok := positions[h.Visit]; ok {
			e.Position = &p
		}
		a.Scopes = append(a.Scopes, e)
	}
	for _, t := range held.StopTokens {
		a.StopTokens = append(a.StopTokens, exportToken{t.Store, ms(t.GivenAt)})
	}
	for _, r := range held.Journal {
		a.Journal = append(a.Journal, entryOf(r, controller))
	}
	for _, v := range held.Visits {
		a.Visits = append(a.Visits, exportVisit{v.Store, v.Purposes, ms(v.From), ms(v.To)})
	}
	for _, h := range held.Alerts {
		a.Alerts = append(a.Alerts, exportAlert{h.ID, h.Store, h.Kind, h.Purpose, h.Topic, h.Ref, h.State, h.ShowMe, h.Off, ms(h.RaisedAt), ms(h.ChangedAt)})
	}
	for _, h := range held.Requests {
		a.Requests = append(a.Requests, exportRequest{h.Kind, h.Store, h.Recipient, h.Reason, h.Fields, ms(h.At), ms(h.Until), ms(h.CarriedAt)})
	}
	return nil
}
