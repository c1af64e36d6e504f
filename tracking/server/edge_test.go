// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// TestNoSecretsInAddresses: no address takes a secret, a page's and an unknown one's included, and pages
// load without. A fragment is never part of a request.
func TestNoSecretsInAddresses(t *testing.T) {
	h := newHouse(t)
	for path, want := range map[string]int{
		"/console/":                      200,
		"/shopper/":                      200,
		"/demo":                          200,
		"/console/#code=abc":             200,
		"/demo#shopper=abc&staff=def":    200,
		"/.well-known/jwks.json":         200,
		"/v1/time":                       200,
		"/console/?lang=en":              200,
		"/console/?token=abc":            400,
		"/shopper/?code=abc":             400,
		"/demo?lat=1":                    400,
		"/assets/sdk/src/x.js?jwt=abc":   400,
		"/.well-known/jwks.json?sub=abc": 400,
		"/livez?token=abc":               400,
		"/nowhere?token=abc":             400,
		"/v1/time?anything=abc":          400,
		"/v1/staff/me?token=abc":         400,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+path, nil)
		h.ok(err)
		res, err := h.web.Do(r)
		h.ok(err)
		var body struct{ Code string }
		if want == 400 {
			h.ok(json.NewDecoder(res.Body).Decode(&body))
		}
		h.ok(res.Body.Close())
		if res.StatusCode != want || want == 400 && body.Code != "url_secret" {
			t.Errorf("%s: %d %s; want %d", path, res.StatusCode, body.Code, want)
		}
	}
}
