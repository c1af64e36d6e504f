// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"net/http"
	"strings"

	"doorstep/tracking/server/problem"
)

// Credential returns what follows the scheme ("Bearer", "Stop", "Ticket") in the Authorization
// header; the scheme is compared without case (RFC 9110, section 11.1). ok is false if there is not
// exactly one header, of that scheme, with one credential of at most 4 KiB.
func Credential(r *http.Request, scheme string) (value string, ok bool) {
	all := r.Header.Values("Authorization")
	if len(all) != 1 {
		return "", false
	}
	got, value, found := strings.Cut(all[0], " ")
	if !found || !strings.EqualFold(got, scheme) || value == "" || len(value) > maxToken || strings.ContainsAny(value, " \t,") {
		return "", false
	}
	return value, true
}

// ShopperEntry is the way in for the app: the shopper's token, and where asked the installation's
// proof.
type ShopperEntry struct {
	Tokens     *Tokens
	Proofs     *Proofs
	PerShopper *Limits // asked by subject before any proof is looked at; nil is no limit
}

// Shopper verifies the request's bearer token and counts against the shopper's limit: token (401),
// door (403), rate (429) or unavailable (503).
func (e ShopperEntry) Shopper(r *http.Request) (Shopper, error) {
	raw, ok := Credential(r, "Bearer")
	if !ok {
		return Shopper{}, refuseToken("not exactly one bearer token")
	}
	s, err := e.Tokens.Shopper(r.Context(), raw)
	if err != nil || e.PerShopper == nil {
		return s, err
	}
	if err := e.PerShopper.Allow(s.Subject); err != nil {
		return Shopper{}, err
	}
	return s, nil
}

// Installation verifies the bearer token and the proof that goes with it, in this order, and
// returns the installation's thumbprint too.
func (e ShopperEntry) Installation(r *http.Request) (Shopper, string, error) {
	s, err := e.Shopper(r)
	if err != nil {
		return Shopper{}, "", err
	}
	raw, _ := Credential(r, "Bearer")
	thumbprint, err := e.Proofs.VerifyRequest(r, raw)
	if err != nil {
		return Shopper{}, "", err
	}
	return s, thumbprint, nil
}

// StaffEntry is the way in for the console: its cookie, or a bearer token for native apps.
type StaffEntry struct {
	Tokens  *Tokens
	Cookies *Cookies
	Origins *Origins
}

// Staff returns who asks; session is nil for a bearer token. A cookie counts only if the request
// comes from one of our pages: with an Origin on the list for everything that changes something and
// for sockets; for a plain read, where browsers leave Origin out, with Sec-Fetch-Site saying
// same-origin. A request with both a cookie and a bearer token goes by the token, and an origin it
// names must be on the list all the same.
func (e StaffEntry) Staff(r *http.Request) (Staff, *StaffSession, error) {
	if len(r.Header.Values("Authorization")) > 0 {
		s, err := e.bearer(r)
		return s, nil, err
	}
	if _, err := e.Cookies.id(r); err != nil {
		return Staff{}, nil, err
	}
	if err := e.fromPage(r); err != nil { // before the session counts as used
		return Staff{}, nil, err
	}
	session, err := e.Cookies.Session(r)
	if err != nil {
		return Staff{}, nil, err
	}
	return session.Staff(), session, nil
}

func (e StaffEntry) bearer(r *http.Request) (Staff, error) {
	if _, err := e.Origins.named(r); err != nil {
		return Staff{}, err
	}
	raw, ok := Credential(r, "Bearer")
	if !ok {
		return Staff{}, problem.New(problem.Token).Because(&reasoned{ErrToken, "not exactly one bearer token"})
	}
	return e.Tokens.Staff(r.Context(), raw)
}

// Page returns nil for a request with a page's cookie, whatever that is worth, from one of our pages as Staff has it; else the problem
// session (401) or origin (403). Device is the same for the cookie of a device that several people use.
func (e StaffEntry) Page(r *http.Request) error {
	if _, err := e.Cookies.id(r); err != nil {
		return err
	}
	return e.fromPage(r)
}

// Device is described with Page.
func (e StaffEntry) Device(r *http.Request) error {
	if _, err := e.Cookies.device(r); err != nil {
		return err
	}
	return e.fromPage(r)
}

func (e StaffEntry) fromPage(r *http.Request) error {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	socket := len(r.Header.Values("Upgrade")) > 0
	if !read || socket || len(r.Header.Values("Origin")) > 0 {
		return e.Origins.RequirePage(r)
	}
	if site := r.Header.Values("Sec-Fetch-Site"); len(site) == 1 && site[0] == "same-origin" {
		return nil
	}
	return refuseOrigin("a read that does not say same-origin")
}
