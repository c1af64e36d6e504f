// SPDX-License-Identifier: Apache-2.0

// Package problem renders what went wrong over HTTP, as RFC 9457 has it: one table of codes, each
// with its status, its title and a remedy, and one function that writes them. Nothing else in the
// server chooses a status for a failure.
//
// A problem says what the asker may know and what to do next. Why it really happened travels along
// as the cause, for the log, and is never written to the answer.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// ContentType is the media type of every problem (RFC 9457, section 3).
const ContentType = "application/problem+json"

// Problem is a failure as the asker sees it. It is an error. Values are not shared: New makes a
// fresh one, so that the With methods may change it.
type Problem struct {
	Status  int            // HTTP status, 400–599
	Code    string         // one of this package's codes: stable, for programs
	Title   string         // the same for each occurrence of Code
	Detail  string         // about this occurrence; never an id, a token or a coordinate
	Remedy  string         // what the asker can do
	RetryMS int64          // wait this long before the next try, in ms; 0: retrying does not help
	Extra   map[string]any // further members, such as holder; cannot replace the standard ones

	cause error
}

// New returns the problem of a code of the table. A code that is not in it gives Internal, because
// an answer that nobody specified must not look like one.
func New(code string) *Problem {
	e, ok := table[code]
	if !ok {
		return New(Internal).Because(errors.New("problem code without an entry: " + code))
	}
	return &Problem{Status: e.status, Code: code, Title: e.title, Remedy: e.remedy, RetryMS: e.retryMS}
}

// WithDetail sets what is special about this occurrence. It is shown to the asker.
func (p *Problem) WithDetail(detail string) *Problem { p.Detail = detail; return p }

// With adds a member to the body.
func (p *Problem) With(name string, value any) *Problem {
	if p.Extra == nil {
		p.Extra = make(map[string]any)
	}
	p.Extra[name] = value
	return p
}

// RetryAfter sets how long to wait, rounded up to the millisecond; a negative time counts as none.
func (p *Problem) RetryAfter(d time.Duration) *Problem {
	p.RetryMS = max(0, int64((d+time.Millisecond-1)/time.Millisecond))
	return p
}

// Because keeps the cause for the log and for errors.Is. It is never part of the answer.
func (p *Problem) Because(err error) *Problem { p.cause = err; return p }

// Error gives the code, and the cause if there is one: text for the log, not for the asker.
func (p *Problem) Error() string {
	if p.cause == nil {
		return p.Code
	}
	return p.Code + ": " + p.cause.Error()
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.cause }

// Codes lists every code of the table in order, for the specification and its tests.
func Codes() []string { return slices.Sorted(maps.Keys(table)) }

// Known says which code an error of a part below the server stands for.
type Known struct {
	Err  error // compared with errors.Is
	Code string
}

// As turns any error into a problem, nil into nil. A problem inside err is returned as it is; then
// known is asked, in order, so that the server keeps its translations in one list. A body that was
// too long is TooLarge, an ended context Unavailable. An error that nobody translated is Internal,
// with err as its cause and nothing of it in the answer.
func As(err error, known ...Known) *Problem {
	if err == nil {
		return nil
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	for _, k := range known {
		if errors.Is(err, k.Err) {
			return New(k.Code).Because(err)
		}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return New(TooLarge).Because(err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return New(Unavailable).Because(err)
	}
	return New(Internal).Because(err)
}

// Write answers with p. The body's t is now in Unix milliseconds of server time: it is what a
// client mends its clock by. A nil p is answered as Internal, never as success.
func Write(w http.ResponseWriter, p *Problem, now time.Time) {
	if p == nil {
		p = New(Internal)
	}
	body, err := json.Marshal(p.members(now))
	if err != nil { // an Extra that has no JSON: the answer goes without
		bare := *p
		bare.Extra = nil
		body, _ = json.Marshal(bare.members(now))
	}
	h := w.Header()
	h.Del("Content-Length")
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.RetryMS > 0 {
		h.Set("Retry-After", strconv.FormatInt((p.RetryMS+999)/1000, 10))
	}
	if scheme, ok := challenges[p.Code]; ok {
		h.Set("WWW-Authenticate", scheme)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // the asker may be gone: nothing is left to do then
}

// challenges names, for a 401, the scheme to try (RFC 9110, section 11.6.1). They carry no
// parameter, so that all failures of one scheme read the same.
var challenges = map[string]string{Token: "Bearer", StopToken: "Stop", Ticket: "Ticket", Proof: "DPoP", ProofTime: "DPoP"}

func (p *Problem) members(now time.Time) map[string]any {
	m := make(map[string]any, 8+len(p.Extra))
	maps.Copy(m, p.Extra)
	m["type"] = "/problems/" + p.Code
	m["title"] = p.Title
	m["status"] = p.Status
	m["code"] = p.Code
	m["remedy"] = p.Remedy
	m["t"] = now.UnixMilli()
	m["detail"] = p.Detail
	if p.Detail == "" {
		m["detail"] = p.Title
	}
	delete(m, "retry_ms")
	if p.RetryMS > 0 {
		m["retry_ms"] = p.RetryMS
	}
	return m
}
