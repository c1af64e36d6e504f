// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"
	"strings"

	"doorstep/tracking/server/problem"
)

// deskReady is how an app is asked to come, by language. Never "walk": who cannot is met where they are.
var deskReady = map[string]string{
	"en": "We are ready for you: come to ",
	"zh": "已准备好，请到",
	"ar": "نحن جاهزون لكم: تفضلوا إلى ",
}

// comeTo names the desk in the app's language, or in English.
func comeTo(lang, desk string) string {
	base, _, _ := strings.Cut(strings.ToLower(lang), "-")
	words, known := deskReady[base]
	if !known {
		words = deskReady["en"]
	}
	return words + desk
}

type callBody struct {
	Desk string `json:"desk"`
}

// call tells whoever raised an alert that a desk is ready for them.
func (s *Server) call(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, _, err := s.staff.Staff(r)
	if err != nil {
		return nil, err
	}
	b, err := body[callBody](r)
	if err != nil {
		return nil, err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return nil, err
	}
	a, err := s.Node.Call(r.Context(), who.Store, r.PathValue("id"), b.Desk, s.shift(who)+" "+key)
	if err != nil {
		return nil, err
	}
	return map[string]any{"alert": s.alertBody(a, who)}, nil
}

// idempotencyKey is the key by which a repetition is known.
func idempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > 64 {
		return "", problem.New(problem.Idempotency)
	}
	return key, nil
}
