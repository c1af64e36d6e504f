// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"net/http"
	"net/url"
	"strings"

	"doorstep/tracking/server/problem"
)

// Origins is the list of pages that may talk to the server: scheme, host and port, compared byte
// for byte in the form in which browsers send them (RFC 6454, section 6.2). Safe for concurrent use.
type Origins struct{ allowed map[string]bool }

// NewOrigins reads the list. Each entry is an http or https origin without path; a default port may
// be left out or given. "*", "null" and names in other than ASCII are refused: *SettingError. The
// pages that the server itself serves need an entry like any other. An empty list allows no page.
func NewOrigins(list []string) (*Origins, error) {
	o := &Origins{make(map[string]bool)}
	for _, entry := range list {
		origin, err := canonicalOrigin(entry)
		if err != nil {
			return nil, err
		}
		o.allowed[origin] = true
	}
	return o, nil
}

func canonicalOrigin(entry string) (string, error) {
	wrong := func(what string) error {
		return &SettingError{"Origins", what, "Give exact origins, such as https://shop.example or http://127.0.0.1:8080."}
	}
	u, err := url.Parse(entry)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "":
		return "", wrong("not an http or https origin")
	case u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.ForceQuery || strings.Contains(entry, "#"):
		return "", wrong("more than scheme, host and port")
	case strings.Contains(u.Host, "*"):
		return "", wrong("a pattern")
	case strings.ContainsFunc(u.Host, func(c rune) bool { return c > 126 || c <= ' ' }):
		return "", wrong("a host that is not ASCII; write it as browsers send it (xn--…)")
	}
	return u.Scheme + "://" + withoutOwnPort(u.Scheme, u.Host), nil
}

// Allowed reports whether an Origin header's value is on the list.
func (o *Origins) Allowed(origin string) bool { return o.allowed[origin] }

// RequirePage returns nil if the request names an origin on the list: for the console's socket and
// everything that changes something on a cookie's authority. No origin is no page: the problem
// origin (403), as for a strange, an opaque ("null") or a doubled one.
func (o *Origins) RequirePage(r *http.Request) error {
	named, err := o.named(r)
	if err == nil && !named {
		return refuseOrigin("missing")
	}
	return err
}

// AllowSocket is for the app's socket, which native apps open without an origin. That is allowed
// only to a request without a cookie: a browser always names the origin of a socket, so cookies
// without one are no browser's, and no app's either. An origin that is named must be on the list.
func (o *Origins) AllowSocket(r *http.Request) error {
	named, err := o.named(r)
	if err == nil && !named && len(r.Header.Values("Cookie")) > 0 {
		return refuseOrigin("missing, with a cookie")
	}
	return err
}

// named reports whether there is an origin, with an error if it is not on the list.
func (o *Origins) named(r *http.Request) (bool, error) {
	switch all := r.Header.Values("Origin"); {
	case len(all) == 0:
		return false, nil
	case len(all) > 1:
		return true, refuseOrigin("more than one")
	case !o.Allowed(all[0]):
		return true, refuseOrigin("not on the list")
	}
	return true, nil
}

func refuseOrigin(rule string) error {
	return problem.New(problem.Origin).Because(&reasoned{ErrOrigin, rule})
}

// What the app's endpoints let a page of a listed origin do.
const (
	corsMethods = "GET, POST"
	corsHeaders = "Authorization, Content-Type, DPoP"
	corsMaxAge  = "600"
)

// CORS wraps the app's endpoints: it answers preflight requests, lets pages of listed origins read
// the answers, and refuses the others with 403 before next sees them. A request without an origin
// is a native app's, or a read of one of our own pages, and passes. It never allows credentials: the
// app's authority is in its headers, and next must not look at cookies.
func (o *Origins) CORS(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		named, err := o.named(r)
		if err != nil {
			fail(w, r, err)
			return
		}
		if !named {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		h.Set("Access-Control-Expose-Headers", "Retry-After")
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Methods", corsMethods)
		h.Set("Access-Control-Allow-Headers", corsHeaders)
		h.Set("Access-Control-Max-Age", corsMaxAge)
		w.WriteHeader(http.StatusNoContent)
	})
}
