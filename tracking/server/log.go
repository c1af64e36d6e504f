// SPDX-License-Identifier: Apache-2.0

package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"doorstep/consent"
	"doorstep/tracking/server/problem"
)

// The log of consent events, for anybody who wants to watch it: a signed head to keep, proofs that hold
// a later log to it, and the leaves themselves, none of which says anything about anybody.

// briefly is for what the next event changes.
const briefly = "public, max-age=1"

func (s *Server) logRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /v1/log/checkpoint", s.logCheckpoint)
	m.HandleFunc("GET /v1/log/key", s.logKey)
	m.Handle("GET /v1/log/proof", s.api(s.logProof))
	m.Handle("GET /v1/log/consistency", s.api(s.logConsistency))
	m.Handle("GET /v1/log/leaves", s.api(s.logLeaves))
}

func (s *Server) logCheckpoint(w http.ResponseWriter, r *http.Request) {
	signed, err := s.Ledger.Checkpoint(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.text(w, signed)
}

func (s *Server) logKey(w http.ResponseWriter, r *http.Request) {
	keys, err := s.Ledger.LogVerifiers(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.text(w, []byte(strings.Join(keys, "\n")+"\n"))
}

func (s *Server) text(w http.ResponseWriter, b []byte) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", briefly)
	_, _ = w.Write(b)
}

func (s *Server) logProof(w http.ResponseWriter, r *http.Request) (any, error) {
	index, err := number(r, "index", true)
	if err != nil {
		return nil, err
	}
	size, err := number(r, "size", false)
	if err != nil {
		return nil, err
	}
	p, err := s.Ledger.Proof(r.Context(), index, size)
	if err == nil {
		w.Header().Set("Cache-Control", cachedAt(size))
	}
	return p, err
}

func (s *Server) logConsistency(w http.ResponseWriter, r *http.Request) (any, error) {
	from, err := number(r, "from", true)
	if err != nil {
		return nil, err
	}
	to, err := number(r, "to", false)
	if err != nil {
		return nil, err
	}
	c, err := s.Ledger.Consistency(r.Context(), from, to)
	if err == nil {
		w.Header().Set("Cache-Control", cachedAt(to))
	}
	return c, err
}

// cachedAt is for good where the size of the tree is given: what the log said of it never changes.
func cachedAt(size int64) string {
	if size > 0 {
		return immutable
	}
	return briefly
}

func (s *Server) logLeaves(w http.ResponseWriter, r *http.Request) (any, error) {
	from, err := number(r, "from", true)
	if err != nil {
		return nil, err
	}
	to, err := number(r, "to", true)
	if err != nil {
		return nil, err
	}
	list, err := s.Ledger.Leaves(r.Context(), from, to)
	if err != nil {
		return nil, err
	}
	w.Header().Set("Cache-Control", briefly)
	if want := min(to-from, consent.LeafPage); want > 0 && int64(len(list)) == want {
		w.Header().Set("Cache-Control", immutable)
	}
	return map[string]any{"from": from, "leaves": list}, nil
}

// number reads a whole number of the query; 0 if it may be missing and is.
func number(r *http.Request, name string, needed bool) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" && !needed {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<53 || !needed && n == 0 {
		return 0, problem.New(problem.Request).WithDetail(fmt.Sprintf("%s: a whole number is needed in the query", name))
	}
	return n, nil
}
