// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/problem"
	"doorstep/tracking/wire"
)

// shopper is who asks, by the references under which they are known below.
type shopper struct {
	auth.Shopper
	thumbprint   string
	subject      consent.Ref
	installation consent.Ref
}

// installed verifies the shopper's token and the installation's proof.
func (s *Server) installed(r *http.Request) (shopper, error) {
	who, thumbprint, err := s.shoppers.Installation(r)
	if err != nil {
		return shopper{}, err
	}
	keys := s.Ledger.Keys()
	sh := shopper{Shopper: who, thumbprint: thumbprint, subject: keys.Subject(who.Subject), installation: keys.Installation(thumbprint)}
	return sh, s.byOwner.Allow(string(sh.installation))
}

type promptBody struct {
	Store        string `json:"store"`
	Purpose      string `json:"purpose"`
	Lang         string `json:"lang"`
	Jurisdiction string `json:"jurisdiction"`
	Opened       bool   `json:"opened"`
}

func (s *Server) prompt(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, err := s.installed(r)
	if err != nil {
		return nil, err
	}
	b, err := said[promptBody](s, r, who)
	if err != nil {
		return nil, err
	}
	if _, ok := s.Atlas.Index(b.Store); !ok {
		return nil, problem.New(problem.NoStore)
	}
	p, err := s.Ledger.Prompt(r.Context(), consent.PromptRequest{
		Subject: who.subject, Installation: who.installation, App: who.App, AgeBand: who.AgeBand,
		Store: b.Store, Purpose: b.Purpose, Lang: b.Lang, Jurisdiction: b.Jurisdiction, Opened: b.Opened,
	})
	if err != nil {
		return nil, err
	}
	return promptAnswer{p, gpcAnswer(r)}, nil
}

type promptAnswer struct {
	consent.Prompt
	GPC string `json:"gpc,omitempty"`
}

type decisionBody struct {
	ServedID string         `json:"served_id"`
	Hash     string         `json:"hash"`
	Store    string         `json:"store"`
	Purpose  string         `json:"purpose"`
	Choice   consent.Choice `json:"choice"`
	Control  string         `json:"control"`
	ShownT   int64          `json:"shown_t"`
	DecidedT int64          `json:"decided_t"`
	Digest   string         `json:"digest"`
}

type decisionAnswer struct {
	RecordID  string        `json:"record_id"`
	State     consent.State `json:"state"` // given, renewed, refused, deferred
	Receipt   string        `json:"receipt"`
	StopToken string        `json:"stop_token,omitempty"`
	ExpiresT  int64         `json:"expires_t,omitempty"`
}

func (s *Server) decide(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, err := s.installed(r)
	if err != nil {
		return nil, err
	}
	b, err := said[decisionBody](s, r, who)
	if err != nil {
		return nil, err
	}
	if !isTime(b.ShownT) || !isTime(b.DecidedT) {
		return nil, problem.New(problem.Request).WithDetail("shown_t and decided_t say when the notice was shown and when it was decided" + notTime)
	}
	if b.Choice.Grants() { // a no is taken from anybody
		if err := s.Ledger.OldEnough(b.Store, who.AgeBand); err != nil {
			return nil, err
		}
	}
	d, err := s.Ledger.Decide(r.Context(), consent.DecisionRequest{
		ServedID: b.ServedID, Hash: b.Hash, Choice: b.Choice, Control: b.Control, Digest: b.Digest,
		ShownAt: time.UnixMilli(b.ShownT), DecidedAt: time.UnixMilli(b.DecidedT),
		Subject: who.subject, Installation: who.installation, Store: b.Store, Purpose: b.Purpose,
	})
	if err != nil {
		return nil, err
	}
	if d.Ended != nil { // a refusal of what was granted is an end like any other: true everywhere first
		done, err := s.Node.CarryOut(r.Context(), *d.Ended)
		s.ended(done, err)
		if err != nil {
			return nil, standing(d, err)
		}
	}
	a := decisionAnswer{RecordID: d.RecordID, State: d.State, Receipt: d.Receipt, StopToken: d.StopToken}
	if d.Grant != nil {
		a.ExpiresT = d.Grant.ExpiresAt.UnixMilli()
	}
	return a, nil
}

// standing adds to a failure what is certain already: the decision is recorded, and what it ends is being carried
// out. The same decision again waits for the rest of it.
func standing(d consent.Decision, err error) error {
	p := asProblem(err)
	if !errors.Is(err, tracking.ErrNotComplete) {
		return p
	}
	p.Remedy = "The decision stands and is being carried out. Keep what this body holds, and send the same decision again to hear when it is true everywhere."
	p.With("record_id", d.RecordID).With("receipt", d.Receipt)
	if d.StopToken != "" {
		p.With("stop_token", d.StopToken)
	}
	return p
}

type ticketBody struct {
	Store    string   `json:"store"`
	Purposes []string `json:"purposes"`
}

type ticketAnswer struct {
	Ticket   string `json:"ticket"`
	URL      string `json:"url"`
	ExpiresT int64  `json:"expires_t"`
	T        int64  `json:"t"`
}

// ticket answers everything here that a browser could not see on a socket: limits, missing grants,
// nobody on duty. The session asks again when it opens. A token that says that somebody is too young counts
// now, whatever was granted before.
func (s *Server) ticket(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, err := s.installed(r)
	if err != nil {
		return nil, err
	}
	b, err := said[ticketBody](s, r, who)
	if err != nil {
		return nil, err
	}
	if b.Purposes, err = pocketLast(s.Ledger.Registry(), b.Purposes); err != nil {
		return nil, err
	}
	if err := s.welcomes(who.App); err != nil {
		return nil, err
	}
	if err := s.Ledger.OldEnough(b.Store, who.AgeBand); err != nil {
		return nil, err
	}
	scope := consent.Scope{Installation: who.installation, Store: b.Store}
	if err := s.Node.MayOpen(r.Context(), tracking.Opening{Scope: scope, Subject: who.subject, Purposes: b.Purposes}); err != nil {
		if errors.Is(err, tracking.ErrNotGranted) {
			s.attempt(who.App, who.subject, wire.CodeNotGranted)
		}
		return nil, err
	}
	if err := s.apps.of.Room(string(who.subject)); err != nil {
		return nil, err
	}
	secret, end, err := s.tickets.Issue(r.Context(), auth.Ticket{
		Subject: who.Shopper.Subject, App: who.App, AgeBand: who.AgeBand, Installation: who.thumbprint,
		Store: b.Store, Purposes: b.Purposes, AuthUntil: who.ExpiresAt,
	})
	if err != nil {
		return nil, problem.New(problem.Unavailable).Because(err)
	}
	return ticketAnswer{secret, s.socketURL(r), end.UnixMilli(), s.Now().UnixMilli()}, nil
}

func (s *Server) socketURL(r *http.Request) string {
	scheme := "ws"
	if s.Secure {
		scheme = "wss"
	}
	return scheme + "://" + r.Host + "/v1/session"
}

type withdrawalBody struct {
	ID      string `json:"id"`
	Scope   string `json:"scope"` // grant, store, all
	Store   string `json:"store"`
	Purpose string `json:"purpose"`
	T       int64  `json:"t"`
}

type removed struct {
	Nodes    int   `json:"nodes"`
	Consoles int   `json:"consoles"`
	MS       int64 `json:"ms"`
}

type withdrawalAnswer struct {
	ID      string  `json:"id"`
	Receipt string  `json:"receipt"`
	Change  int64   `json:"change"`
	Removed removed `json:"removed"`
}

// withdraw ends what was granted. It takes the shopper's token with the installation's proof, or
// the stop token alone, and answers success only when it is true everywhere. A withdrawal that is refused for what it says
// stops the sessions of whoever said it all the same: see tracking.Node.StopAnyway.
func (s *Server) withdraw(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, err := s.withdraws(r)
	if err != nil {
		return nil, err
	}
	b, err := body[withdrawalBody](r)
	var a tracking.Answer
	if err == nil {
		a, err = s.end(r, b, who)
	}
	if misspelt(err) {
		return nil, s.stopAnyway(r, who, b.Scope, err)
	}
	if err != nil {
		return nil, err
	}
	return withdrawalAnswer{b.ID, a.Ending.Receipt, a.Ending.Change, removed{a.Nodes, a.Consoles, a.Took.Milliseconds()}}, nil
}

// withdrawer is who may end what, and the store that is meant where none is named.
type withdrawer struct {
	subject, installation consent.Ref
	store                 string
}

// withdraws says who asks.
func (s *Server) withdraws(r *http.Request) (withdrawer, error) {
	stop, byToken := auth.Credential(r, "Stop")
	if !byToken {
		who, err := s.installed(r)
		return withdrawer{subject: who.subject, installation: who.installation}, err
	}
	req, err := s.stopRequest(r, stop)
	if err != nil {
		return withdrawer{}, err
	}
	return withdrawer{req.Subject, req.Scope.Installation, req.Scope.Store}, s.byOwner.Allow("stop|" + string(req.Subject))
}

// stopRequest is what a stop token may end. Like the end itself it does not depend on whether the asker
// waits: a page that is being closed sends its stop and is gone.
func (s *Server) stopRequest(r *http.Request, token string) (consent.EndRequest, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), helloWait)
	defer cancel()
	req, err := s.Ledger.StopRequest(ctx, token, consent.EndRequest{})
	if errors.Is(err, consent.ErrStopToken) {
		err = problem.New(problem.StopToken).Because(err)
	}
	return req, err
}

// end ends what a body asks for.
func (s *Server) end(r *http.Request, b withdrawalBody, who withdrawer) (tracking.Answer, error) {
	req, err := b.request(who)
	if err != nil {
		return tracking.Answer{}, err
	}
	_, mapped := s.Atlas.Index(req.Scope.Store)
	req.OnRecord = !mapped && req.Kind != consent.EndAll
	a, err := s.Node.End(r.Context(), req)
	s.ended(a, err)
	return a, err
}

// misspelt tells a withdrawal that was refused for what it says from one that nothing could be found for, or that could not be
// carried out.
func misspelt(err error) bool {
	var p *problem.Problem
	var refused *consent.Problem
	switch {
	case errors.As(err, &p):
		return p.Status < http.StatusInternalServerError
	case errors.As(err, &refused):
		return !errors.Is(err, consent.ErrUnavailable) && !errors.Is(err, consent.ErrIdle)
	}
	return false
}

// stopAnyway stops the phone that a withdrawal was to speak for; all the shopper's phones, if it did not say so much as that.
func (s *Server) stopAnyway(r *http.Request, who withdrawer, scope string, why error) error {
	phone := who.installation
	if kind := endKinds[scope]; kind != consent.EndGrant && kind != consent.EndStore {
		phone = ""
	}
	p := asProblem(why)
	if p.Detail == "" {
		p.Detail = p.Title
	}
	if err := s.Node.StopAnyway(r.Context(), who.subject, phone); err != nil {
		s.Log.Error("sessions of a withdrawal that was refused are not stopped everywhere yet", "error", err)
		return p.WithDetail(p.Detail + "; tracking was stopped here, and elsewhere ends with its lease")
	}
	return p.WithDetail(p.Detail + "; tracking was stopped")
}

var endKinds = map[string]consent.EndKind{"grant": consent.EndGrant, "store": consent.EndStore, "all": consent.EndAll}

func (b withdrawalBody) request(who withdrawer) (consent.EndRequest, error) {
	kind, ok := endKinds[b.Scope]
	switch {
	case !ok:
		return consent.EndRequest{}, problem.New(problem.Scope).WithDetail("scope is grant, store or all")
	case !isUUID(b.ID):
		return consent.EndRequest{}, problem.New(problem.Request).WithDetail("id is a UUID of 36 characters")
	case !isTime(b.T):
		return consent.EndRequest{}, problem.New(problem.Request).WithDetail("t says when the shopper withdrew" + notTime)
	}
	r := consent.EndRequest{ID: b.ID, Kind: kind, Scope: consent.Scope{Installation: who.installation, Store: b.Store},
		Subject: who.subject, Reason: consent.Withdrawn, Claimed: time.UnixMilli(b.T)}
	if b.Store == "" {
		r.Scope.Store = who.store
	}
	if kind == consent.EndGrant { // the same id by socket and by HTTP is the same request
		r.Purpose = b.Purpose
	}
	return r, nil
}
