// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"

	"doorstep/consent"
)

// What is published about the rules, for anybody to read. All of it is made from the registry that is enforced,
// when it is asked for.

// rules is the registry that is enforced, as it is enforced.
func (s *Server) rules(w http.ResponseWriter, r *http.Request) {
	b, err := s.Ledger.Registry().Published()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=60")
	_, _ = w.Write(b)
}

// rulesPage is the same for people.
func (s *Server) rulesPage(w http.ResponseWriter, r *http.Request) {
	reg := s.Ledger.Registry()
	b, err := reg.RulesPage(pageLang(reg, r))
	s.page(w, r, b, err)
}

// transparency is the report of what was counted.
func (s *Server) transparency(w http.ResponseWriter, r *http.Request) (any, error) {
	report, err := s.Ledger.Report(r.Context())
	if err != nil {
		return nil, err
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	return report, nil
}

// transparencyPage is the same for people.
func (s *Server) transparencyPage(w http.ResponseWriter, r *http.Request) {
	reg := s.Ledger.Registry()
	report, err := s.Ledger.Report(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	b, err := reg.TransparencyPage(report, pageLang(reg, r))
	s.page(w, r, b, err)
}

func pageLang(reg *consent.Registry, r *http.Request) string {
	return reg.PageLang(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
}

func (s *Server) page(w http.ResponseWriter, r *http.Request, b []byte, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", consent.PagePolicy())
	h.Set("Cache-Control", "public, max-age=60")
	h.Add("Vary", "Accept-Language")
	_, _ = w.Write(b) // whoever went away is not told
}

// notice is what was shown under a hash, in force or replaced: a receipt names it for years.
func (s *Server) notice(w http.ResponseWriter, r *http.Request) (any, error) {
	n, err := s.Ledger.NoticeByHash(r.PathValue("hash"))
	if err != nil {
		return nil, err
	}
	w.Header().Set("Cache-Control", "public, max-age=60") // whether it is in force can change; its words cannot
	return n, nil
}

// noticePage is the same for people.
func (s *Server) noticePage(w http.ResponseWriter, r *http.Request) {
	n, err := s.Ledger.NoticeByHash(r.PathValue("hash"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	n.Notice.Hash = n.Hash
	b, err := s.Ledger.Registry().NoticePage(n.Notice)
	s.page(w, r, b, err)
}

// gpc says that the signal is honoured (globalprivacycontrol.org): nothing is sold or shared, with it or
// without, and no registry can declare it.
func (s *Server) gpc(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	s.answer(w, map[string]any{"gpc": true, "lastUpdate": "2026-11-22"})
}

// gpcAnswer tells who sends the signal that it is honoured; nil to everybody else.
func gpcAnswer(r *http.Request) string {
	if r.Header.Get("Sec-GPC") == "1" {
		return "honoured"
	}
	return ""
}
