// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"

	"doorstep/consent"
)

// What an administrator may change about the rules: put a notice in force, and let an app in again that was kept out.

// noticeMost is the longest notice that is taken, in bytes.
const noticeMost = 256 << 10

func (s *Server) ruleRoutes(m *http.ServeMux) {
	m.Handle("PUT /v1/admin/notices", s.administer(s.putNotice))
	m.Handle("GET /v1/admin/apps", s.administer(s.suspendedApps))
	m.Handle("DELETE /v1/admin/apps/{app}/suspension", s.administer(s.letIn))
}

// putNotice puts a notice in force, in the form in which registries hold them. It is in force on this node
// when it is answered, and on no node is anything decided any more under the one that it replaces.
func (s *Server) putNotice(r *http.Request, by string) (any, error) {
	text, err := wholeBody(r, noticeMost)
	if err != nil {
		return nil, err
	}
	n, err := consent.ParseNotice(text)
	if err != nil {
		return nil, err
	}
	if err := s.Ledger.Publish(r.Context(), n, by); err != nil {
		return nil, err
	}
	in, err := s.Ledger.NoticeByHash(n.Hash)
	return created{in}, err
}

type suspendedApp struct {
	App      string `json:"app"`
	SinceT   int64  `json:"since_t"`
	UntilT   int64  `json:"until_t,omitempty"` // none: lifted
	Out      bool   `json:"out"`               // kept out now
	LiftedBy string `json:"lifted_by,omitempty"`
}

// suspendedApps lists the apps that are or were kept out.
func (s *Server) suspendedApps(r *http.Request, _ string) (any, error) {
	list, err := s.Ledger.Suspensions(r.Context())
	if err != nil {
		return nil, err
	}
	apps := make([]suspendedApp, 0, len(list))
	for _, x := range list {
		a := suspendedApp{App: x.App, SinceT: x.Since.UnixMilli(), Out: x.Until.After(s.Now()), LiftedBy: x.LiftedBy}
		if !x.Until.IsZero() {
			a.UntilT = x.Until.UnixMilli()
		}
		apps = append(apps, a)
	}
	return map[string]any{"apps": apps}, nil
}

// letIn lifts a suspension.
func (s *Server) letIn(r *http.Request, by string) (any, error) {
	if err := s.Ledger.Lift(r.Context(), r.PathValue("app"), by); err != nil {
		return nil, err
	}
	return nil, s.readSuspensions(r.Context())
}
