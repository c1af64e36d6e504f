// SPDX-License-Identifier: Apache-2.0

package server

import (
	"errors"
	"net/http"

	"doorstep/tracking"
	"doorstep/tracking/server/problem"
)

type glassBody struct {
	ID     string `json:"id"` // UUID, chosen by who asks
	Alert  string `json:"alert"`
	Reason string `json:"reason"`
}

// askGlass asks to look at somebody without what a look takes. It shows nothing: somebody else has to approve.
func (s *Server) askGlass(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, _, err := s.staff.Staff(r)
	if err != nil {
		return nil, err
	}
	b, err := body[glassBody](r)
	if err != nil {
		return nil, err
	}
	if !isUUID(b.ID) || !isUUID(b.Alert) {
		return nil, problem.New(problem.Request).WithDetail("id and alert are UUIDs of 36 characters")
	}
	return nil, s.Node.AskGlass(r.Context(), who.Store, b.ID, s.person(who), b.Alert, b.Reason)
}

type glassAsked struct {
	ID     string `json:"id"`
	Alert  string `json:"alert"`
	Reason string `json:"reason"`
	By     string `json:"by"` // the tag that colleagues see
	Mine   bool   `json:"mine"`
	UntilT int64  `json:"until_t"`
}

// glassesAsked lists what waits for somebody else's approval in this store.
func (s *Server) glassesAsked(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, _, err := s.staff.Staff(r)
	if err != nil {
		return nil, err
	}
	asked, err := s.Node.GlassesAsked(r.Context(), who.Store)
	if err != nil {
		return nil, err
	}
	list := make([]glassAsked, 0, len(asked))
	for _, g := range asked {
		list = append(list, glassAsked{g.ID, g.Alert, g.Reason, g.Tag, g.By == s.shift(who), g.Until.UnixMilli()})
	}
	return map[string]any{"asked": list}, nil
}

// breakGlass approves what somebody else has asked for. Their alert is answered as it is for who approves: not theirs.
func (s *Server) breakGlass(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, _, err := s.staff.Staff(r)
	if err != nil {
		return nil, err
	}
	a, err := s.Node.BreakGlass(r.Context(), who.Store, r.PathValue("id"), s.person(who))
	if errors.Is(err, tracking.ErrAlertHeld) {
		return nil, s.actProblem(err, a, who)
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"alert": s.alertBody(a, who)}, nil
}
