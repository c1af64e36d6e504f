// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking/server/problem"
)

func isUUID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36
}

// me tells a shopper what is in force at a store. The address names no person: the token does.
func (s *Server) me(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, err := s.installed(r)
	if err != nil {
		return nil, err
	}
	store := r.URL.Query().Get("store")
	if _, ok := s.Atlas.Index(store); !ok {
		return nil, problem.New(problem.NoStore)
	}
	a, err := s.Ledger.Admit(r.Context(), consent.Scope{Installation: who.installation, Store: store})
	if err != nil {
		return nil, err
	}
	type grant struct {
		Purpose   string        `json:"purpose"`
		State     consent.State `json:"state"`
		ExpiresT  int64         `json:"expires_t"`
		VisitOnly bool          `json:"visit_only"`
	}
	grants := []grant{}
	if a.Subject == who.subject {
		for _, g := range a.Grants {
			grants = append(grants, grant{g.Purpose, g.State, g.ExpiresAt.UnixMilli(), g.VisitOnly})
		}
	}
	may, err := s.Ledger.MayPrompt(r.Context(), who.subject, who.AgeBand, consent.Scope{Installation: who.installation, Store: store})
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"grants": grants, "may_prompt": may}
	if gpc := gpcAnswer(r); gpc != "" {
		answer["gpc"] = gpc
	}
	return answer, nil
}

// demoTokenLife is the life of a made-up shopper's token: the longest that a real one may have.
const demoTokenLife = 15 * time.Minute

type demoBody struct {
	Code  string `json:"code"`
	Renew string `json:"renew"`
}

// demoShopper plays the retailer's backend for the shopper's page: a one-time code, and later a
// renewal, for a token. It is there only when the server has a development key.
func (s *Server) demoShopper(_ http.ResponseWriter, r *http.Request) (any, error) {
	if s.DevKey == nil {
		return nil, problem.New(problem.NotFound)
	}
	b, err := body[demoBody](r)
	if err != nil {
		return nil, err
	}
	visitor, renew, err := s.visitor(b)
	if err != nil {
		return nil, problem.New(problem.SignIn).Because(err)
	}
	token, err := s.DevKey.MintShopper(visitor.Subject, visitor.App, "adult", demoTokenLife)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"token": token, "expires_t": s.Now().Add(demoTokenLife).UnixMilli(), "store": visitor.Store}
	if renew != "" {
		answer["renew"] = renew
	}
	return answer, nil
}

func (s *Server) visitor(b demoBody) (v Visitor, renew string, err error) {
	if b.Renew != "" {
		held, err := s.renewals.Use(b.Renew)
		if err != nil {
			return v, "", err
		}
		return held.Value, "", nil
	}
	if v, err = s.visitors.Redeem(b.Code); err != nil {
		return v, "", err
	}
	renew, _, err = s.renewals.Open(v, time.Time{})
	return v, renew, err
}
