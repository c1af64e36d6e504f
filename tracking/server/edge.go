// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime/debug"

	"doorstep/consent"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/problem"
	"doorstep/tracking/wire"
)

// known says how the errors of the parts below are answered.
var known = []problem.Known{
	{Err: tracking.ErrNotComplete, Code: problem.Incomplete},
	{Err: tracking.ErrUnavailable, Code: problem.Unavailable},
	{Err: tracking.ErrNotGranted, Code: problem.NotGranted},
	{Err: tracking.ErrNobodyOnDuty, Code: problem.NobodyOnDuty},
	{Err: tracking.ErrNoStore, Code: problem.NoStore},
	{Err: tracking.ErrStoreClosed, Code: problem.StoreClosed},
	{Err: tracking.ErrShuttingDown, Code: problem.Leaving},
	{Err: tracking.ErrRole, Code: problem.Role},
	{Err: tracking.ErrTooManyLooks, Code: problem.Claims},
	{Err: tracking.ErrNoVisit, Code: problem.NoVisit},
	{Err: tracking.ErrNoAlert, Code: problem.NoAlert},
	{Err: tracking.ErrAlertHeld, Code: problem.AlertHeld},
	{Err: tracking.ErrAlertVersion, Code: problem.AlertVersion},
	{Err: tracking.ErrAlertFinal, Code: problem.AlertFinal},
	{Err: tracking.ErrNoDelivery, Code: problem.NoDelivery},
	{Err: tracking.ErrNoDesk, Code: problem.NoDesk},
	{Err: tracking.ErrAlertAction, Code: problem.AlertAction},
}

// asProblem renders any error of the parts below.
func asProblem(err error) *problem.Problem {
	var refused *consent.Problem
	if errors.As(err, &refused) && !errors.Is(err, tracking.ErrUnavailable) {
		p := problem.New(refused.Code)
		p.Status, p.Code, p.Detail, p.Remedy = refused.Status, refused.Code, err.Error(), refused.Remedy
		if p.Title == problem.New(problem.Internal).Title {
			p.Title = refused.Detail
		}
		return p.Because(err)
	}
	if errors.Is(err, consent.ErrUnavailable) {
		return problem.New(problem.Unavailable).Because(err)
	}
	return problem.As(err, known...)
}

// fail answers with a problem, and logs what the asker is not told.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := asProblem(err)
	if p.Status >= http.StatusInternalServerError {
		s.Log.Error("request failed", "method", r.Method, "route", r.Pattern, "code", p.Code, "error", err)
	}
	problem.Write(w, p, s.Now())
}

// api adapts a function that returns what to answer; a nil answer is 204.
func (s *Server) api(f func(w http.ResponseWriter, r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := f(w, r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if v == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		s.answer(w, v)
	})
}

// created is an answer of 201.
type created struct{ any }

func (s *Server) answer(w http.ResponseWriter, v any) {
	made, isNew := v.(created)
	if isNew {
		v = made.any
	}
	b, err := json.Marshal(v)
	if err != nil {
		problem.Write(w, problem.New(problem.Internal).Because(err), s.Now())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	if isNew {
		w.WriteHeader(http.StatusCreated)
	}
	_, _ = w.Write(b) // whoever went away is not told
}

// bodyMost is the largest body that body takes, in bytes.
const bodyMost = 16 << 10

// body reads a JSON body strictly: what is not declared is refused.
func body[T any](r *http.Request) (T, error) {
	var v T
	if ct := r.Header.Get("Content-Type"); ct != "application/json" && ct != "application/json; charset=utf-8" {
		return v, problem.New(problem.MediaType)
	}
	b, err := wholeBody(r, bodyMost)
	if err != nil {
		return v, err
	}
	if err := strict(b, &v); err != nil {
		return v, problem.New(problem.Request).WithDetail(err.Error()).Because(err)
	}
	return v, nil
}

// wholeBody reads a body of so many bytes at most. The error is the problem too_large (413) for one that is longer, or request.
func wholeBody(r *http.Request, most int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, most))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, problem.New(problem.TooLarge)
	}
	if err != nil {
		return nil, problem.New(problem.Request).Because(err)
	}
	return b, nil
}

// said reads a shopper's body: what the specification does not declare is refused as such and counted, like
// in a frame.
func said[T any](s *Server, r *http.Request, who shopper) (T, error) {
	v, err := body[T](r)
	if twice, ok := errors.AsType[repeatedField](err); ok && twice.bundles() {
		return v, problem.New(problem.Bundled)
	}
	if extra, ok := errors.AsType[unknownField](err); ok {
		if extra.bundles() {
			return v, problem.New(problem.Bundled)
		}
		s.attempt(who.App, who.subject, wire.CodeUndeclared)
		return v, problem.New(problem.Undeclared).WithDetail(extra.Error())
	}
	return v, err
}

// guarded sets what every answer carries and turns a panic into an answer. The log gets the stack,
// which holds no values, and never what the panic said: that may hold a coordinate.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.Log.Error("panic", "route", r.Pattern, "stack", string(debug.Stack()))
			problem.Write(w, problem.New(problem.Internal), s.Now())
		}()
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		if s.Secure {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// limited slows a flood from one address down before anything is parsed or verified.
func (s *Server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.byAddr.Allow(auth.AddrKey(auth.ClientIP(r, s.Proxies))); err != nil {
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, problem.New(problem.NotFound))
}
