// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"net/http"
	"net/url"
	"strings"

	"doorstep/tracking/server/problem"
)

// queries names, for each address of the API that takes a query at all, what may be in it. All the
// others take none, so that there is nothing to decide about a name.
var queries = map[string][]string{
	"/v1/journal": {"after"},
	"/v1/me":      {"store"}, "/v1/log/proof": {"index", "size"}, "/v1/log/consistency": {"from", "to"}, "/v1/log/leaves": {"from", "to"},
}

// secretNames are parameters that are refused anywhere, pages and assets included: an address ends
// up in logs, in histories and in Referer headers.
var secretNames = strings.Fields(`token access_token id_token refresh_token jwt bearer auth authorization
	ticket resume code session sid stop stop_token renew proof dpop key api_key apikey password secret
	sub subject shopper user user_id installation device device_id visit receipt
	lat latitude lng lon long longitude coords coordinates position location geo accuracy`)

// NoTokenInURL refuses addresses that could carry a token, an id of a shopper or a coordinate, with
// the problem url_secret (400), before next, or any log inside it, sees them. Below /v1/ any query
// that the contract does not know is refused; elsewhere names and values that look like secrets
// are. So is a path or a value with a JWT in it, and user information before the host.
func NoTokenInURL(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rule := urlSecret(r.URL); rule != "" {
			fail(w, r, problem.New(problem.URLSecret).Because(&reasoned{ErrToken, rule}))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// urlSecret names the rule that the address breaks, or "".
func urlSecret(u *url.URL) string {
	if u.User != nil {
		return "user information in the address"
	}
	if looksLikeJWT(u.Path) {
		return "a token in the path"
	}
	if u.RawQuery == "" && !u.ForceQuery {
		return ""
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "a query that cannot be read"
	}
	for name, all := range values {
		if has(secretNames, strings.ToLower(name)) {
			return "a secret's name in the query"
		}
		for _, v := range append(all, name) {
			if looksLikeJWT(v) {
				return "a token in the query"
			}
		}
	}
	if !strings.HasPrefix(u.Path, "/v1/") {
		return ""
	}
	allowed, takes := queries[u.Path]
	if !takes || len(values) == 0 {
		return "a query where there is none"
	}
	for name, all := range values {
		if !has(allowed, name) || len(all) != 1 {
			return "an undeclared query"
		}
	}
	return ""
}

func has(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// looksLikeJWT finds what begins like the base64url of {" and has two dots.
func looksLikeJWT(s string) bool {
	for {
		at := strings.Index(s, "eyJ")
		if at < 0 {
			return false
		}
		s = s[at+3:]
		if strings.Count(s, ".") >= 2 {
			return true
		}
	}
}
